"""Any config, command line or record of a run is accepted, or rejected with a RequestError."""

import contextlib
import json
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import example
from hypothesis import strategies as st
from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import run as run_module
from mtl_hsi.runs import trained_run
from mtl_hsi.settings import experiment_settings
from mtl_hsi.settings.scene_options import OPTIONS
from tests import launching
from tests.hostile import run_records
from tests.hostile.any_input import for_any, nodes, replaced


def _config() -> config_dict.ConfigDict:
  """Returns a config of a public scene and a scene from files."""
  made = common.get_config()
  made.scenes, made.target = ("salinas", "fields"), "fields"
  made.files.fields = {**dict.fromkeys(OPTIONS, ""), "cube": "f.npz"}
  return made


def _leaves(config, prefix=""):
  """Returns the values that are not groups, by their paths."""
  for key, value in config.items():
    if isinstance(value, config_dict.ConfigDict):
      yield from _leaves(value, f"{prefix}{key}.")
    else:
      yield f"{prefix}{key}", value


_LEAVES = dict(_leaves(_config()))
_WORDS = st.sampled_from(["wavelength", "blocks", "svm", "vresnet", "mixed", "1:3", "-1", "", "\0"])
_TEXTS = _WORDS | st.text(max_size=8)
_OF_TYPE = {
  bool: st.booleans(),
  int: st.integers(-3, 3) | st.integers(),
  float: st.floats(),
  str: _TEXTS,
  tuple: st.lists(_TEXTS | st.integers(-3, 30) | st.tuples(_TEXTS), max_size=3).map(tuple),
  type(None): st.none() | st.integers(),
}
_CHANGES = st.lists(
  st.sampled_from(sorted(_LEAVES)).flatmap(lambda key: st.tuples(st.just(key), _OF_TYPE[type(_LEAVES[key])])),
  min_size=1,
  max_size=3,
)


@for_any(_CHANGES)
def test_configs(changes):
  config = _config()
  # Like the command line, the config rejects values that cannot be converted to the type of the key.
  with contextlib.suppress(TypeError, ValueError):
    config.update_from_flattened_dict(dict(changes))
  with contextlib.suppress(RequestError):
    experiment_settings.read(config)


@for_any(st.lists(st.tuples(st.sampled_from(sorted(_LEAVES)), _TEXTS | st.integers().map(str)), max_size=3))
@example([("files.fields.cube", "a.tif"), ("snapshots", "(1,")])
def test_command_lines(overrides):
  words = [f"--config.{key}={value}" for key, value in overrides]
  with mock.patch.object(run_module, "run_experiment", lambda config, *_: experiment_settings.read(config)):
    status, out, error = launching.launch("--config=configs/own.py:fields", *words)
  assert (status, out) in ((0, ""), (2, ""))
  assert error.count("\n") == status // 2


_RECORDS = st.sampled_from(["config.json", "scenes.json"])


@for_any(_RECORDS, st.lists(st.integers(0, 60), max_size=4), nodes("1", "cube", "name"))
def test_records_of_runs(name, way, value):
  with tempfile.TemporaryDirectory() as folder:
    path = run_records.write(Path(folder)) / name
    path.write_text(json.dumps(replaced(json.loads(path.read_text()), way, value)))
    with contextlib.suppress(RequestError):
      trained_run.read_run(path.parent)

"""Records of a run from an untrusted source are rejected before a path is made of their content."""

import os

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import trained_run
from tests.hostile import run_records


def test_valid_records_are_read(tmp_path):
  assert trained_run.read_run(run_records.write(tmp_path)).scenes["fields"].inputs.channels == 4


@pytest.mark.parametrize("name", ["../../up", "/tmp/up", "a\0b", "a" * 200])
def test_a_scene_name_that_is_a_path(tmp_path, name):
  with pytest.raises(
    RequestError, match=r"scenes\.json is not what a run writes .*not a valid name of a scene"
  ):
    trained_run.read_run(run_records.write(tmp_path, name))


@pytest.mark.parametrize(
  "changes",
  [
    {"classes": {"1": "maize\ndescription = {x}", "2": "lawn"}},
    {"classes": {"1": "\x1b]0;x\x07", "2": "lawn"}},
    {"classes": {"70000": "maize", "2": "lawn"}},
    {"classes": {"9" * 5000: "maize"}},
    {"classes": {}},
    {"classes": ["maize"]},
    {"colours": {"1": [1, 2]}},
    {"bands": [0, 1, 2, 9]},
    {"bands": [0, 1, 2, -1]},
    {"bands": [10**30]},
    {"scale": [1, 1, 0, 1]},
    {"offset": [0.0]},
    {"offset": [0, 0, 0, float("nan")]},
    {"weights": [[1.0]]},
    {"components": [[1.0]]},
    {"components": [1.0]},
    {"components": [[]] * 4},
    {"components": [[float("nan")]] * 4},
    {"empty": 10**12},
    {"shape": [3]},
    {"shape": "345"},
    {"wavelengths": [400.0]},
    {"wavelengths": "400"},
  ],
)
def test_invalid_entries_of_scenes(tmp_path, changes):
  with pytest.raises(RequestError, match=r"scenes\.json is not what a run writes"):
    trained_run.read_run(run_records.write(tmp_path, **changes))


@pytest.mark.parametrize(
  "config", [{"scenes": 3}, {"target": "town"}, {"model": []}, {"phases": {"phase1": 3}}, {"snapshots": None}]
)
def test_invalid_configs(tmp_path, config):
  with pytest.raises(RequestError):
    trained_run.read_run(run_records.write(tmp_path, config=config))


@pytest.mark.parametrize("text", ["[]", "3", "[" * 100_000, "{", "\xff", '{"a": ' + "9" * 5000 + "}"])
@pytest.mark.parametrize("name", ["config.json", "scenes.json"])
def test_records_that_are_not_objects(tmp_path, name, text):
  (run_records.write(tmp_path) / name).write_bytes(text.encode("latin-1"))
  with pytest.raises(RequestError, match=name.replace(".", r"\.")):
    trained_run.read_run(tmp_path)


@pytest.mark.parametrize("text", ["[]", '{"command": 3}', '{"command": [3]}', "{"])
def test_an_unfinished_run_with_any_environment(tmp_path, text):
  run = run_records.write(tmp_path)
  (run / "report.html").unlink()
  (run / "environment.json").write_text(text)
  with pytest.raises(RequestError, match="not finished; continue it with the command that started it"):
    trained_run.read_run(run)


@pytest.mark.parametrize("name", ["config.json", "scenes.json"])
def test_records_beyond_the_memory(tmp_path, small_machine, name):
  os.truncate(run_records.write(tmp_path) / name, 10**9)
  with pytest.raises(RequestError, match=rf"{name} has 1,000 MB and may need 64,000 MB to read"):
    trained_run.read_run(tmp_path)

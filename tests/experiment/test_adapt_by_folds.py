"""New scenes on the networks of a run by folds."""

import json

import jax
import numpy as np
import pytest

from mtl_hsi.runs.trained_run import read_run
from tests import launching
from tests.launching import ROOT, cube
from tests.prediction.predicting import predict, read_band

ADAPT = f"--config={ROOT / 'configs' / 'adapt.py'}:meadow"
MEADOW = np.repeat([[3] * 9, [1] * 7 + [0] * 2, [6] * 9], [4, 5, 4], axis=0).astype(np.int32)

pytestmark = [
  pytest.mark.slow,
  pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]


@pytest.fixture(scope="module")
def adapted(finished_by_folds, tmp_path_factory):
  """Work directory of an adaptation with the defaults of configs/adapt.py, but short."""
  directory = tmp_path_factory.mktemp("adapted_by_folds")
  np.savez(directory / "meadow.npz", cube=cube(MEADOW, 8), label=MEADOW)
  changes = {
    "run": finished_by_folds,
    "files.meadow.cube": directory / "meadow.npz",
    "folds": 3,
    "mixture.smoothings": "('none', 'light')",
    "phases.phase1.epochs": 1,
    "phases.phase2.epochs": 1,
    "steps_per_epoch": 5,
    "classify.tile_pixels": 16,
  }
  outcome = launching.launch(
    ADAPT, f"--workdir={directory / 'run'}", *(f"--config.{key}={value}" for key, value in changes.items())
  )
  assert outcome.status == 0, outcome.err
  return directory / "run"


def test_it_has_the_folds_and_experts_of_any_run(adapted):
  config = json.loads((adapted / "config.json").read_text())
  assert (config["replicas"], config["folds"], config["mixture"]["local_patch"]) == (2, 3, 3)
  scene = json.loads((adapted / "metrics.json").read_text())["scenes"]["meadow"]
  assert scene["mixture"]["members"] == ["network", "local", "regression"]
  assert scene["left_out"]["pixels"] == (MEADOW > 0).sum()
  assert read_run(adapted).ensemble == (1, 2, 3)


def test_every_network_starts_from_its_replica_of_the_run(finished_by_folds, adapted):
  """Stems and backbones are frozen. Those of folds start from the first network that saw all labels."""
  old, new = (read_run(run) for run in (finished_by_folds, adapted))
  old, new = (jax.tree.map(np.asarray, run.networks(run.snapshot_epochs[-1])) for run in (old, new))
  for one, other in ((old, new), (old["local"], new["local"])):
    for part in ("stem", "backbone"):
      jax.tree.map(
        lambda x, y: np.testing.assert_array_equal(x[[0, 1, 0, 0, 0]], y),
        one["params"][part],
        other["params"][part],
      )


def test_the_new_scene_is_predicted_as_in_the_run(adapted, tmp_path):
  np.save(tmp_path / "image.npy", cube(MEADOW, 8))
  outcome = predict(adapted, tmp_path / "image.npy", output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  with np.load(adapted / "predictions.npz") as predictions:
    expected = predictions["meadow"]
  assert expected.shape == (1, *MEADOW.shape)
  np.testing.assert_array_equal(read_band(tmp_path / "map_classes.tif"), expected[0])

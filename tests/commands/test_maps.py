import json
from unittest import mock

import numpy as np
import pytest

from mtl_hsi.assessment import draw, estimate
from mtl_hsi.prediction import predict
from tests import launching

CONFIGS = launching.ROOT / "configs"


def requested(run, *command):
  """The config that a command line asks for; nothing is run."""
  with (
    mock.patch.object(predict, "run", return_value=None) as prediction,
    mock.patch.object(draw, "run", return_value=None) as drawing,
    mock.patch.object(estimate, "run", return_value=None) as estimation,
  ):
    assert run(*command) == (0, "", "")
  (call,) = [mocked.call_args for mocked in (prediction, drawing, estimation) if mocked.called]
  return call.args[0].to_dict()


@pytest.mark.parametrize(
  ("command", "launch"),
  [
    (
      "predict runs/a b.tif -o maps/b --scene town --nodata -1 --set replicas=0",
      "predict.py --config.run=runs/a --config.image=b.tif --config.output=maps/b --config.scene=town "
      "--config.nodata=-1 --config.replicas=0",
    ),
    (
      "assess draw m.tif -o out --run runs/a --size 90 --image b.tif --set seed=3",
      "assess_draw.py --config.map=m.tif --config.output=out --config.run=runs/a --config.size=90 "
      "--config.image=b.tif --config.seed=3",
    ),
    (
      "assess estimate m.tif s.csv --new-map",
      "assess_estimate.py --config.map=m.tif --config.sample=s.csv --config.new_map=True",
    ),
  ],
)
def test_the_config_is_that_of_launch(command, launch):
  config, *flags = launch.split()
  expected = requested(launching.launch, f"--config={CONFIGS / config}", *flags)
  assert requested(launching.mtl_hsi, *command.split()) == expected


def test_a_prediction_as_json(inputs, finished, tmp_path):
  cube = np.load(inputs / "fields.npz")["cube"]
  np.save(tmp_path / "flight.npy", cube)
  words = ("predict", str(finished), str(tmp_path / "flight.npy"), "-o", str(tmp_path / "map"))
  outcome = launching.mtl_hsi(*words, "--json")
  assert outcome.status == 0, outcome.err
  content = json.loads(outcome.out)
  assert {path.name for path in tmp_path.iterdir()} == {"flight.npy"} | {
    path.rpartition("/")[2] for path in content["files"]
  }
  assert sum(area["pixels"] for area in content["areas"]) == cube.shape[0] * cube.shape[1]
  outcome = launching.mtl_hsi(*words)
  assert "already exists and was not overwritten; choose another --output or move the file\n" in outcome.err

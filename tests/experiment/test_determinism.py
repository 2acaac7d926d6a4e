"""One config and seed give the same bits, whatever else the process does and however it is started.

What interruptions leave is in test_kill.py, what replicas leave one another and devices in test_replicas.py,
what several processes leave in test_processes.py.
"""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from configs import common
from mtl_hsi.reproduction import grid
from mtl_hsi.runs.trained_run import read_run
from tests import launching, tiny


def bits(run):
  """Predictions of a finished run and the networks that voted."""
  trained = read_run(run)
  networks = [jax.device_get(trained.networks(epoch)) for epoch in trained.snapshot_epochs]
  with np.load(run / "predictions.npz") as archive:
    return {"networks": networks, "predictions": dict(archive)}


@pytest.mark.slow
def test_a_process_of_its_own_gives_the_same_bits(inputs, finished, tmp_path):
  command = [sys.executable, "launch.py", *launching.arguments(inputs, tmp_path / "run")]
  # As many threads for products as in this process, whose flags were settled when JAX was imported.
  subprocess.run(command, cwd=launching.ROOT, env=os.environ, check=True, capture_output=True)
  assert tiny.equal(bits(tmp_path / "run"), bits(finished))


@pytest.mark.slow
def test_tiles_of_another_size_change_no_class(inputs, finished, tmp_path):
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run", **{"classify.tile_pixels": 1000}))
  assert outcome.status == 0, outcome.err
  assert tiny.equal(bits(tmp_path / "run"), bits(finished))


def cell(seed):
  """A network of one small simulated scene, in an epoch."""
  config = common.get_config()
  config.scenes, config.target = ("village",), "village"
  config.simulate.village = {
    "height": 29,
    "width": 29,
    "sensor": "camera",
    "centres": (450.0, 550.0, 650.0),
    "widths": (10.0,) * 3,
    "classes": ("grass", "bare soil"),
    "seed": 1,
    "labelled_fraction": 1.0,
  }
  config.samples_per_class, config.replicas, config.seed = 3, 1, seed
  del config.phases["phase2"]
  config.phases.phase1.epochs = 1
  config.snapshots = (0,)
  return grid.Run(f"seed{seed}", config.lock())


@pytest.mark.slow
def test_the_order_of_the_cells_of_a_grid_changes_nothing(tmp_path):
  cells = [cell(0), cell(1)]
  for name, ordered in (("forth", cells), ("back", cells[::-1])):
    grid.work(ordered, tmp_path / name, ["launch.py"])
  runs = [{own.name: bits(tmp_path / name / own.name) for own in cells} for name in ("forth", "back")]
  assert tiny.equal(*runs)
  assert not tiny.equal(runs[0]["seed0"], runs[0]["seed1"]), "equal cells would show nothing"

"""The memory of training on a large scene, in separate processes."""

import json
import subprocess
import sys

import pytest

from tests.launching import ROOT

# A tiny network, so that the scene decides the memory.
_TINY = {
  **{"model.blocks": 1, "model.patch": 5, "model.width": 8, "mnf_components": 4, "whole_scene_mb": 1},
  **{"mixture.local_patch": 0, "mixture.regression": "()", "mixture.smoothings": "()", "folds": 0},
  **{"split": "random", "samples_per_class": 10},
  **{"classify.smoothing.steps": 4, "classify.tile_pixels": 16384},
}


def _measure(directory, side):
  """Trains on a scene of 200 bands of float32; returns the measurements."""
  command = [sys.executable, ROOT / "experiments" / "large_scene_training.py", directory / "work"]
  command += [f"--side={side}", "--dtype=float32", f"--out={directory / 'found.json'}"]
  command += [f"--config.{key}={value}" for key, value in _TINY.items()]
  run = subprocess.run(command, capture_output=True, text=True)
  assert run.returncode == 0, run.stderr
  return json.loads((directory / "found.json").read_text())


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_large_scene_adds_a_fraction_of_its_size(tmp_path):
  """A scene of 0.9 GB adds a quarter of a GB at most to one of 0.26 GB; both fill GDAL's cache."""
  small, large = (_measure(tmp_path / str(side), side) for side in (570, 1060))
  assert large["scene_gb"] == 0.9
  assert large["peak_gib"] - small["peak_gib"] <= 0.25

"""Rounded operands of products do not cost accuracy on real data."""

import json

import numpy as np
import pytest

from tests.launching import launch

# In these short runs the accuracy of one seed moves by some 4 points as soon as the last bit of a sum does.
REPLICAS = 6
NOISE = 4 / np.sqrt(REPLICAS)


def accuracy(directory, precision):
  """Mean overall accuracy in % on Indian Pines after 25 epochs."""
  outcome = launch(
    "--config=configs/mtl.py:in",
    f"--workdir={directory}",
    f"--config.precision={precision}",
    "--config.samples_per_class=5",
    f"--config.replicas={REPLICAS}",
    "--config.phases.phase1.epochs=20",
    "--config.phases.phase2.epochs=5",
    "--config.snapshots=(0,)",
  )
  assert outcome.status == 0, outcome.err
  results = json.loads((directory / "metrics.json").read_text())
  return 100 * results["scenes"]["indian_pines"]["overall_accuracy"]["mean"]


@pytest.mark.slow
def test_bfloat16_keeps_the_accuracy_on_indian_pines(tmp_path):
  exact, rounded = (accuracy(tmp_path / name, name) for name in ("float32", "bfloat16"))
  assert exact > 35, "something is learnt"
  assert abs(rounded - exact) < 2.5 * NOISE

"""What the precision of products does to accuracy, on real Indian Pines."""

import json

import numpy as np
import pytest

from tests import launching


def accuracies(workdir, precision):
  """Overall accuracy in % of three networks, trained for 25 epochs with 5 samples per class."""
  outcome = launching.launch(
    "--config=configs/mtl.py:in",
    f"--workdir={workdir / precision}",
    f"--config.precision={precision}",
    "--config.samples_per_class=5",
    "--config.replicas=3",
    "--config.phases.phase1.epochs=20",
    "--config.phases.phase2.epochs=5",
    "--config.snapshots=0",
  )
  assert outcome.status == 0, outcome.err
  metrics = json.loads((workdir / precision / "metrics.json").read_text())
  return 100 * np.array(metrics["indian_pines"]["overall_accuracy"]["replicas"])


@pytest.mark.slow
def test_bfloat16_moves_the_accuracy_by_no_more_than_noise(tmp_path):
  plain, rounded = (accuracies(tmp_path, precision) for precision in ("float32", "bfloat16"))
  assert (plain != rounded).any(), "rounding changes something"
  assert plain.mean() > 25
  # Between two roundings of one float32 run it is up to two points a network.
  assert abs(plain.mean() - rounded.mean()) < 4

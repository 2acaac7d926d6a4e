"""The moving average of weights, by hand."""

import numpy as np
import pytest

from mtl_hsi.training import averaging


def state(weight, mean):
  return {"params": {"w": np.float32(weight)}, "stats": {"mean": np.float32(mean)}, "opt": np.float32(9)}


def test_the_first_step_is_its_own_average():
  moved = averaging.move(averaging.start(state(5, 50), 0.9), 0.9)
  found = averaging.network(moved, 0.9)
  assert found["params"]["w"] == pytest.approx(5)
  assert found["stats"]["mean"] == pytest.approx(50)


def test_later_steps_weigh_more():
  moved = averaging.start(state(7, 70), 0.5)
  for weight in (1, 2, 4):
    moved = averaging.move({**moved, **state(weight, 10 * weight)}, 0.5)
  # Weights 1/8, 1/4 and 1/2 of a sum of 7/8; what there was before the first step does not count.
  expected = (1 / 8 + 2 / 4 + 4 / 2) / (7 / 8)
  found = averaging.network(moved, 0.5)
  assert found["params"]["w"] == pytest.approx(expected)
  assert found["stats"]["mean"] == pytest.approx(10 * expected)
  assert moved["params"]["w"] == 4

"""Learning rates within a phase, by hand."""

import dataclasses

import numpy as np
import pytest

from mtl_hsi.training.recipe import LETTER_RECIPE


def rates(steps, **changes):
  """The learning rate of every step of a phase, with the phase's at 2."""
  recipe = dataclasses.replace(LETTER_RECIPE, **changes)
  peak, total = np.float32(2), np.int32(steps)
  return [float(recipe.learning_rate(peak, np.int32(step), total)) for step in range(steps)]


def test_the_letters_rate_stays():
  assert rates(3) == [2, 2, 2]


def test_a_rate_rises_over_the_share_of_steps_and_stays():
  assert rates(10, warmup=0.4) == pytest.approx([0.5, 1, 1.5, 2, 2, 2, 2, 2, 2, 2])


def test_a_rate_falls_along_a_cosine():
  expected = [2, 1 + np.sqrt(0.5), 1, 1 - np.sqrt(0.5)]
  assert rates(4, decay="cosine") == pytest.approx(expected)


def test_a_rate_rises_and_then_falls():
  expected = [1, 2, 2, 1 + np.sqrt(0.5), 1, 1 - np.sqrt(0.5)]
  assert rates(6, warmup=1 / 3, decay="cosine") == pytest.approx(expected, rel=1e-5)


def test_a_rise_shorter_than_a_step_goes_to_the_phases_rate_and_no_further():
  assert rates(3, warmup=0.01) == pytest.approx([2, 2, 2])

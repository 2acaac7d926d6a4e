import numpy as np
import pytest

from mtl_hsi.evaluation import metrics
from mtl_hsi.evaluation.unit_intervals import unit_intervals

IDS = [1, 4, 9]


def labels(units, pixels, seed=0):
  """Truth of units of one class, their numbers, and a prediction that fails in whole units."""
  rng = np.random.default_rng(seed)
  truth = np.repeat(np.resize(IDS, units), pixels)
  wrong = np.repeat(rng.random(units) < 0.3, pixels)
  return truth, np.where(wrong, 1, truth), np.repeat(100 + rng.permutation(units), pixels)


def test_the_intervals_surround_the_measures():
  truth, predicted, unit = labels(30, 5)
  intervals = unit_intervals(truth, predicted, unit, IDS)
  score = metrics.score(metrics.confusion(truth, predicted, IDS))
  assert list(intervals) == ["overall_accuracy", "average_accuracy", "kappa"]
  for key, (low, high) in intervals.items():
    assert low < score[key] < high


def test_units_decide_the_width_and_not_their_pixels():
  few, many = (unit_intervals(*labels(30, pixels), IDS)["overall_accuracy"] for pixels in (1, 50))
  assert few == pytest.approx(many)
  apart = labels(30, 50)
  single = unit_intervals(*apart[:2], np.arange(1500), IDS, resamples=200)["overall_accuracy"]
  assert single[1] - single[0] < 0.4 * (many[1] - many[0])


def test_two_units_by_hand():
  # One unit is right and one is wrong; a quarter of the resamples has the same unit twice.
  truth, predicted, unit = np.array([1, 1, 4, 4]), np.array([1, 1, 1, 1]), np.array([7, 7, 3, 3])
  intervals = unit_intervals(truth, predicted, unit, IDS)
  assert intervals["overall_accuracy"] == [0.0, 1.0]
  # A resample of one class only has the accuracy of that class as its average.
  assert intervals["average_accuracy"] == [0.0, 1.0]
  assert intervals["kappa"] == [0.0, 0.0]


def test_the_order_of_pixels_changes_nothing():
  truth, predicted, unit = labels(12, 4)
  mixed = np.random.default_rng(1).permutation(len(truth))
  same = unit_intervals(truth[mixed], predicted[mixed], unit[mixed], IDS, seed=3)
  assert same == unit_intervals(truth, predicted, unit, IDS, seed=3)


@pytest.mark.parametrize("pixels", [0, 2])
def test_fewer_than_two_units_have_no_interval(pixels):
  none = {"overall_accuracy": None, "average_accuracy": None, "kappa": None}
  ones = np.ones(pixels, int)
  assert unit_intervals(ones, ones, ones, IDS) == none


def test_an_undefined_measure_has_no_interval():
  ones = np.ones(4, int)
  intervals = unit_intervals(ones, ones, np.arange(4), IDS, resamples=20)
  assert intervals == {"overall_accuracy": [1, 1], "average_accuracy": [1, 1], "kappa": None}

import numpy as np
import pytest
from scipy import special

from mtl_hsi.evaluation import calibration


def drawn(pixels, scale, seed=0):
  """Logits, and classes drawn from the probabilities of the logits divided by `scale`."""
  rng = np.random.default_rng(seed)
  logits = rng.normal(0, 3, (pixels, 4))
  cumulative = special.softmax(logits / scale, axis=1).cumsum(1)
  return special.log_softmax(logits, axis=1), (rng.random((pixels, 1)) > cumulative).sum(1).clip(max=3)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_the_temperature_that_the_labels_were_drawn_with_is_found(scale):
  assert calibration.fit_temperature(*drawn(4000, scale)) == pytest.approx(scale, rel=0.08)


@pytest.mark.parametrize(("scale", "bound"), [(0.01, 0.2), (1000.0, 5.0)])
def test_the_temperature_has_bounds(scale, bound):
  assert calibration.fit_temperature(*drawn(2000, scale)) == pytest.approx(bound, rel=1e-3)


def test_a_few_pixels_leave_the_temperature_near_1():
  right = np.log([[0.7, 0.3]] * 3)
  few = calibration.fit_temperature(right, np.zeros(3, int))
  many = calibration.fit_temperature(right.repeat(100, 0), np.zeros(300, int))
  assert many == pytest.approx(0.2, rel=1e-3)
  assert 0.6 < few < 1
  assert calibration.fit_temperature(np.zeros((0, 2)), np.zeros(0, int)) == 1.0


def test_a_class_that_was_ruled_out_costs_a_finite_amount():
  log_p, classes = drawn(400, 1.0)
  log_p[0], classes[0] = [-np.inf, 0, -np.inf, -np.inf], 0
  log_p[1], classes[1] = [-1e30, 0, -1e30, -1e30], 0
  assert 1 < calibration.fit_temperature(log_p, classes) < 2


def test_absent_classes_change_nothing():
  log_p, classes = drawn(300, 1.5)
  padded = np.concatenate([log_p, np.full((300, 2), -np.inf)], 1)
  assert calibration.fit_temperature(padded, classes) == calibration.fit_temperature(log_p, classes)


def test_with_temperature_by_hand():
  log_p = np.log(np.float32([[0.8, 0.2, 0.0]]), where=[True, True, False], out=np.float32([[0, 0, -np.inf]]))
  halved = calibration.with_temperature(log_p, 2.0)
  assert halved.dtype == np.float32
  np.testing.assert_allclose(np.exp(halved), [[2 / 3, 1 / 3, 0]], rtol=1e-6)
  np.testing.assert_allclose(np.exp(calibration.with_temperature(log_p, 1.0)), [[0.8, 0.2, 0]], rtol=1e-6)


def test_reliability_and_error_by_hand():
  confidence = np.array([0.0, 0.05, 0.5, 0.52, 0.58, 1.0])
  correct = np.array([False, True, True, False, False, True])
  found = calibration.reliability(confidence, correct)
  assert [entry["pixels"] for entry in found] == [2, 3, 1]
  assert [entry["accuracy"] for entry in found] == pytest.approx([1 / 2, 1 / 3, 1])
  assert [entry["confidence"] for entry in found] == pytest.approx([0.025, 1.6 / 3, 1])
  expected = (2 * 0.475 + 3 * 0.2 + 0) / 6
  assert calibration.expected_calibration_error(confidence, correct) == pytest.approx(expected)


def test_one_bin_compares_the_means():
  assert calibration.expected_calibration_error([0.9, 0.5], [True, True], 1) == pytest.approx(0.3)


def test_without_pixels_there_is_no_error():
  assert calibration.reliability(np.zeros(0), np.zeros(0, bool)) == []
  assert np.isnan(calibration.expected_calibration_error(np.zeros(0), np.zeros(0, bool)))


def test_the_calibration_of_a_class_needs_pixels_and_units():
  confidence, correct, unit = np.full(100, 0.9), np.arange(100) < 80, np.arange(100) % 5
  found = calibration.reliability_of_class(confidence, correct, unit)
  assert found == {
    **{"pixels": 100, "units": 5},
    **{"confidence": pytest.approx(0.9), "accuracy": 0.8, "error": pytest.approx(0.1)},
  }
  assert calibration.reliability_of_class(confidence[:49], correct[:49], unit[:49])["error"] is None
  assert calibration.reliability_of_class(confidence, correct, unit % 4)["error"] is None
  nothing = calibration.reliability_of_class(confidence[:0], correct[:0], unit[:0])
  assert nothing == {"pixels": 0, "units": 0, "confidence": None, "accuracy": None, "error": None}


def test_a_temperature_counts_only_if_it_reduces_the_error():
  # A confidence of 0.8 with 8 of 10 right is calibrated; a temperature can only spoil it.
  before = np.log(np.tile([0.8, 0.2], (10, 1)))
  classes = np.array([0] * 8 + [1] * 2)
  after = calibration.with_temperature(before, 0.5)
  assert not calibration.reduces_error(before, after, classes)
  assert calibration.reduces_error(after, before, classes)
  assert not calibration.reduces_error(before, before, classes)
  assert not calibration.reduces_error(before[:0], after[:0], classes[:0])

"""Probabilities are rounded without a change of the class of the map."""

import numpy as np
import pytest

from mtl_hsi.evaluation.probabilities import FLOAT16, SCALE, UINT8, entropy, margin, rounded


def softmax(shape, seed=0, sharpness=2.0):
  scores = np.exp(np.random.default_rng(seed).normal(0, sharpness, shape))
  return scores / scores.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(
  ("classes", "sharpness"), [(1, 1.0), (2, 0.01), (3, 2.0), (16, 0.02), (16, 8.0), (300, 1.0)]
)
def test_bytes_sum_to_the_scale_and_keep_the_class_of_the_map(classes, sharpness):
  p = softmax((5000, classes), classes, sharpness)
  values = rounded(p, p.argmax(axis=-1), UINT8).astype(int)
  assert (values.sum(axis=-1) == SCALE).all()
  np.testing.assert_array_equal(values.argmax(axis=-1), p.argmax(axis=-1))
  # The class of the map is the only largest one.
  assert ((values == values.max(axis=-1, keepdims=True)).sum(axis=-1) == 1).all()
  assert np.abs(values - SCALE * p).max() < 2


def test_a_remainder_goes_to_the_class_that_lacks_most():
  p = np.array([[0.3332, 0.3332, 0.3336], [0.0, 0.0022, 0.9978]])
  np.testing.assert_array_equal(rounded(p, np.array([2, 2]), UINT8), [[83, 83, 84], [0, 1, 249]])


def test_ties_go_to_the_class_of_the_map():
  p = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.4999, 0.5001, 0.0]])
  mapped = np.array([0, 1, 1])
  np.testing.assert_array_equal(rounded(p, mapped, UINT8), [[126, 124, 0], [124, 126, 0], [124, 126, 0]])
  values = rounded(p, mapped, FLOAT16)
  np.testing.assert_array_equal(values.argmax(axis=-1), mapped)
  np.testing.assert_allclose(values, p, atol=5e-4)


def test_a_class_that_was_outvoted_stays_so():
  p = np.array([[0.2, 0.7, 0.1]])
  np.testing.assert_array_equal(rounded(p, np.array([0]), UINT8), [[50, 175, 25]])


def test_halves_keep_the_class_of_the_map():
  p = softmax((5000, 7), sharpness=1e-4)
  values = rounded(p, p.argmax(axis=-1), FLOAT16)
  np.testing.assert_array_equal(values.argmax(axis=-1), p.argmax(axis=-1))
  np.testing.assert_allclose(values.astype(float).sum(axis=-1), 1, atol=2e-3)


def test_entropy_and_margin_of_known_distributions():
  p = np.array([[1.0, 0.0, 0.0, 0.0], [0.25] * 4, [0.5, 0.5, 0.0, 0.0], [0.1, 0.6, 0.3, 0.0]])
  np.testing.assert_allclose(entropy(p)[:3], [0, 1, 0.5], atol=1e-12)
  np.testing.assert_allclose(margin(p), [1, 0, 0, 0.3], atol=1e-12)
  assert entropy(np.ones((1, 1))) == 0
  assert margin(np.ones((1, 1))) == 1

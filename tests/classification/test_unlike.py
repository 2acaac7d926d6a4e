"""Distances of pixels to training pixels."""

import numpy as np
import pytest

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.classification import unlike
from tests.tiny import inputs_by

GENERATOR = np.random.default_rng(0)
CLASSES = np.repeat([4, 9], 40)
VALUES = (GENERATOR.normal(size=(80, 3)) * [0.1, 0.1, 1] + np.where(CLASSES == 4, 0.5, -0.5)[:, None]).astype(
  np.float32
)

GROUPS = VALUES[:40], VALUES[40:]


def test_the_score_is_the_scaled_distance_to_the_nearest_training_pixel():
  known = unlike.fit(VALUES, CLASSES)
  pixels = GENERATOR.normal(size=(5, 7, 3)).astype(np.float32)
  covariance = sum(40 * np.cov(own.T, ddof=0) for own in GROUPS) / 78
  metric = np.linalg.inv(covariance + 0.1 * np.trace(covariance) / 3 * np.eye(3))

  def squared(one, other):
    difference = one[:, None] - other[None]
    return np.einsum("nmi,ij,nmj->nm", difference, metric, difference)

  nearest = []
  for own in GROUPS:
    between = squared(own, own)
    np.fill_diagonal(between, np.inf)
    nearest.append(between.min(axis=1))
  usual = np.median(np.concatenate(nearest))
  spread = np.repeat([(np.median(own) + usual) / 2 for own in nearest], 40)
  rare = np.minimum(1 + (pixels**2).mean(axis=-1), 2)
  expected = (squared(pixels.reshape(-1, 3), VALUES) / spread).min(axis=1).reshape(5, 7) / rare
  found = unlike.score(known, pixels)
  assert found.dtype == np.float32
  np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_another_class_is_farther_than_the_same_class(monkeypatch):
  known = unlike.fit(VALUES[::2], CLASSES[::2])
  moved = VALUES[1::2] + np.array([0, 2, 0])
  other = unlike.score(known, moved)
  assert np.median(unlike.score(known, VALUES[1::2])) < 2 < other.min()
  monkeypatch.setattr(unlike, "_BLOCK", 100)
  np.testing.assert_allclose(unlike.score(known, moved), other, rtol=1e-6)
  # However far, a pixel does not become usual.
  far = [unlike.score(known, np.array([[0, size, 0]])) for size in (10, 100, 1000)]
  assert far[0] < far[1] < far[2]
  assert not np.isfinite(unlike.score(known, np.full((1, 3), 1e30, np.float32))).any()


@pytest.mark.parametrize("values", [np.zeros((4, 3)), np.eye(3)[[0, 0, 1, 2]]])
def test_constant_classes_and_single_pixels_have_distances(values):
  known = unlike.fit(values, np.array([1, 1, 2, 3]))
  assert (known.spread > 0).all()
  np.testing.assert_allclose(unlike.score(known, values), 0, atol=1e-5)
  assert unlike.score(known, values[:1] + 5) > 1


def test_components_are_averaged_over_measured_neighbours():
  region = GENERATOR.normal(size=(6, 7, 5)).astype(np.float32)
  region[2, 3] = 0
  found = unlike.average(region, slice(2, 4))
  assert found.shape == (4, 5, 2)
  np.testing.assert_allclose(found[3, 1], region[3:6, 1:4, 2:4].mean(axis=(0, 1)), rtol=1e-5)
  np.testing.assert_allclose(found[1, 2], region[1:4, 2:5, 2:4].sum(axis=(0, 1)) / 8, rtol=1e-5)
  pixels = np.argwhere(np.ones((4, 5)))
  np.testing.assert_array_equal(unlike.average_at(region, pixels + 1, slice(2, 4)), found.reshape(-1, 2))


def test_the_first_components_are_used():
  assert unlike.components_of(inputs_by(np.arange(4), 1.0, 4)) == slice(4, 4)
  inputs = Inputs(4, np.arange(4), Scaling(np.zeros(4), np.ones(4)), None, np.zeros((4, 40)))
  assert unlike.components_of(inputs) == slice(4, 4 + unlike.COMPONENTS)

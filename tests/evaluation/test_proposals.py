"""Which pixels are proposed to be labelled next."""

import numpy as np
import pytest

from mtl_hsi.evaluation.proposals import propose, propose_for_scene, support
from mtl_hsi.scenes.scene import Scene

PREDICTIONS = np.array([[[3, 3, 7]], [[3, 7, 7]], [[3, 7, 3]]], np.uint16)
PROBABILITIES = np.array([[[0.5, 0.9, 0.4]], [[0.7, 0.4, 0.5]], [[0.9, 0.3, 0.8]]], np.float16)


def test_support_is_the_mean_probability_of_the_class_that_has_most():
  classes, supports = support(PREDICTIONS, PROBABILITIES, [3, 7])
  np.testing.assert_array_equal(classes, [[3, 3, 7]])
  np.testing.assert_allclose(supports, [[2.1 / 3, 0.9 / 3, 0.9 / 3]], rtol=1e-3)


def test_without_probabilities_replicas_are_counted():
  classes, supports = support(PREDICTIONS, None, [3, 7])
  np.testing.assert_array_equal(classes, [[3, 7, 7]])
  np.testing.assert_allclose(supports, [[1, 2 / 3, 2 / 3]], rtol=1e-6)


@pytest.fixture
def scene():
  """Two classes side by side; the second is the surer, and everything but the first row is a candidate."""
  rng = np.random.default_rng(0)
  classes = np.repeat([[1] * 6 + [2] * 6], 8, axis=0)
  supports = rng.uniform(0.2, 0.4, classes.shape) + 0.5 * (classes == 2)
  candidates = np.ones(classes.shape, bool)
  candidates[0] = False
  return classes, supports, candidates


def test_classes_take_turns_and_give_their_least_supported(scene):
  classes, supports, candidates = scene
  found = propose(*scene, number=4, distance=1)
  np.testing.assert_array_equal(found.class_ids, [1, 2, 1, 2])
  for class_id in (1, 2):
    proposed = found.support[found.class_ids == class_id]
    least = np.sort(supports[candidates & (classes == class_id)])[:2]
    np.testing.assert_allclose(proposed, least, rtol=1e-6)
  rows, columns = found.pixels.T
  np.testing.assert_array_equal(classes[rows, columns], found.class_ids)
  np.testing.assert_allclose(supports[rows, columns], found.support, rtol=1e-6)


@pytest.mark.parametrize("distance", [2, 3, 5])
def test_proposals_keep_their_distance(scene, distance):
  found = propose(*scene, number=100, distance=distance)
  apart = np.abs(found.pixels[:, None] - found.pixels[None]).max(-1)
  np.fill_diagonal(apart, distance)
  assert len(found.pixels) > 2
  assert apart.min() >= distance
  # No candidate is left that would.
  rows, columns = np.nonzero(scene[2])
  reach = np.abs(np.stack([rows, columns], axis=1)[:, None] - found.pixels[None]).max(-1)
  assert reach.min(axis=1).max() < distance
  assert found.pixels[:, 0].min() > 0


def test_where_candidates_run_out_there_are_fewer(scene):
  classes, supports, candidates = scene
  assert len(propose(*scene, number=1000, distance=1).pixels) == candidates.sum()
  nothing = propose(classes, supports, np.zeros_like(candidates), number=5, distance=1)
  assert nothing.pixels.shape == (0, 2)
  only = classes == 2
  assert set(propose(classes, supports, only, number=5, distance=2).class_ids) == {2}


def test_of_equal_supports_the_first_pixel_counts(scene):
  classes, _, candidates = scene
  flat = np.full(classes.shape, 0.5, np.float32)
  found = propose(classes, flat, candidates, number=6, distance=2)
  np.testing.assert_array_equal(found.pixels, [[1, 0], [1, 6], [1, 2], [1, 8], [1, 4], [1, 10]])


def test_of_a_scene_only_measured_pixels_without_a_label_are_proposed():
  labels, nodata = np.array([[3, 7, 0], [0, 0, 0]], np.int32), np.zeros((2, 3), bool)
  nodata[1, 1:] = True
  scene = Scene("fields", np.ones((2, 3, 4)), labels, {3: "a", 7: "b"}, nodata=nodata)
  predictions = np.array([[[3, 7, 7], [3, 3, 3]]], np.uint16)
  found = propose_for_scene(scene, predictions, np.full((1, 2, 3), 0.5, np.float16), number=9, distance=1)
  assert {tuple(pixel) for pixel in found.pixels.tolist()} == {(0, 2), (1, 0)}

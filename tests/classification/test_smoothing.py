"""Smoothing of probabilities between neighbours with similar spectra."""

import itertools

import numpy as np
import pytest

from mtl_hsi.classification import smoothing
from mtl_hsi.classification.smoothing import Smoothing
from tests import tiny

HEIGHT, WIDTH = 6, 7
GENERATOR = np.random.default_rng(0)
VALUES = GENERATOR.normal(0, 1, (HEIGHT, WIDTH, 4)).astype(np.float32)
START = GENERATOR.dirichlet([1, 1, 1], (HEIGHT, WIDTH)).astype(np.float32)
ALL = np.ones((HEIGHT, WIDTH), bool)
SCALE = 1.5


def neighbours(row, column, measured):
  for down, right in itertools.product((-1, 0, 1), repeat=2):
    place = row + down, column + right
    within = 0 <= place[0] < HEIGHT and 0 <= place[1] < WIDTH
    if (down or right) and within and measured[place]:
      yield place


def transitions(measured):
  """The matrix w over all pixels, by the formula."""
  matrix = np.zeros((HEIGHT, WIDTH, HEIGHT, WIDTH))
  for place in np.ndindex(HEIGHT, WIDTH):
    for other in neighbours(*place, measured):
      matrix[(*place, *other)] = np.exp(-np.mean((VALUES[place] - VALUES[other]) ** 2) / SCALE)
  matrix = matrix.reshape(HEIGHT * WIDTH, -1)
  return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-30)


def smoothed(steps, restart, measured=ALL, start=START):
  mixing = smoothing.weights(VALUES, measured, SCALE)
  return np.asarray(smoothing.smooth(start, mixing, Smoothing(steps, restart, 1.0)))


def test_many_steps_converge_to_the_random_walk():
  restart, matrix = 0.05, transitions(ALL)
  solved = np.linalg.solve(np.eye(len(matrix)) - (1 - restart) * matrix, restart * START.reshape(-1, 3))
  np.testing.assert_allclose(smoothed(80, restart).reshape(-1, 3), solved, atol=2e-5)


def test_one_step_is_one_mixture():
  expected = 0.2 * START.reshape(-1, 3) + 0.8 * transitions(ALL) @ START.reshape(-1, 3)
  np.testing.assert_allclose(smoothed(1, 0.2).reshape(-1, 3), expected, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_pixel_depends_on_pixels_within_the_number_of_steps(steps):
  changed = START.copy()
  changed[:, 0] = [1, 0, 0]
  moved = np.abs(smoothed(steps, 0.1, start=changed) - smoothed(steps, 0.1)).max(axis=(0, 2)) > 1e-7
  np.testing.assert_array_equal(moved, np.arange(WIDTH) <= steps)


def test_pixels_without_measurement_are_ignored():
  measured = ALL.copy()
  measured[2:4, 3] = False
  changed = START.copy()
  changed[2:4, 3] = [1, 0, 0]
  one, other = (smoothed(3, 0.1, measured, start)[measured] for start in (START, changed))
  np.testing.assert_array_equal(one, other)
  expected = 0.2 * START.reshape(-1, 3) + 0.8 * transitions(measured) @ START.reshape(-1, 3)
  np.testing.assert_allclose(smoothed(1, 0.2, measured).reshape(-1, 3), expected, atol=1e-6)


def test_a_pixel_without_measured_neighbours_keeps_its_probabilities():
  alone = np.zeros_like(ALL)
  alone[1, 1] = True
  np.testing.assert_allclose(smoothed(5, 0.1, alone)[1, 1], START[1, 1], atol=1e-6)


def test_probabilities_that_are_not_finite_do_not_spread():
  broken = START.copy()
  broken[2, 2] = np.nan
  found = smoothed(4, 0.05, start=broken)
  assert np.isnan(found[2, 2]).all()
  others = np.delete(found.reshape(-1, 3), 2 * WIDTH + 2, axis=0)
  np.testing.assert_allclose(others.sum(axis=1), 1, atol=1e-5)


def test_weights_of_very_different_neighbours_are_finite():
  values = VALUES * 1e18
  mixing = np.asarray(smoothing.weights(values, ALL, SCALE))
  assert np.isfinite(mixing).all()
  assert np.isfinite(np.asarray(smoothing.smooth(START, mixing, Smoothing(5, 0.1, 1.0)))).all()


def test_contrast_is_the_median_over_measured_neighbours_of_the_channels():
  inputs = tiny.inputs_by(np.arange(3), 2.0, 4)
  nodata = ~ALL
  nodata[0, :4] = True
  channels = VALUES[..., :3] / 2
  pairs = [
    np.mean((channels[place] - channels[other]) ** 2)
    for place in np.ndindex(HEIGHT, WIDTH)
    for other in ((place[0] + 1, place[1]), (place[0], place[1] + 1))
    if other[0] < HEIGHT and other[1] < WIDTH and not nodata[place] and not nodata[other]
  ]
  assert smoothing.contrast(VALUES, nodata, inputs) == pytest.approx(np.median(pairs), rel=1e-5)


@pytest.mark.parametrize("nodata", [None, np.ones((3, 3), bool)])
def test_the_contrast_of_a_constant_or_empty_scene_is_1(nodata):
  assert smoothing.contrast(np.ones((3, 3, 4)), nodata, tiny.inputs_by(np.arange(4), 1.0, 4)) == 1

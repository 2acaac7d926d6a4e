"""MNF components of scenes whose signal and noise are known."""

import dataclasses

import numpy as np
import pytest

from mtl_hsi.channels import mnf, scaling
from mtl_hsi.channels.inputs import Inputs, make_inputs
from mtl_hsi.scenes.scene import Scene

BANDS = 6
# What the two halves of a scene differ in, far below the variance that all bands share.
CONTRAST = np.array([1, -1, 0, 0, 0, 0]) / np.sqrt(2)


def scene(shape=(30, 40), seed=0, nodata=None, **changes) -> Scene:
  """A brightness that wavers from pixel to pixel in all bands alike, and a small step in one contrast."""
  generator = np.random.default_rng(seed)
  bright = generator.normal(0, 3, (*shape, 1)) * np.ones(BANDS)
  step = np.where(np.arange(shape[1]) < shape[1] // 2, 0.5, -0.5).reshape(1, -1, 1) * CONTRAST
  noise = generator.normal(0, 0.1, (*shape, BANDS))
  cube = (20 + bright + step + noise).astype(np.float32)
  labels = np.ones(shape, np.int32)
  labels[:, shape[1] // 2 :] = 2
  if nodata is not None:
    labels[nodata] = 0
  options = {"class_names": {1: "left", 2: "right"}, "sensor": None, **changes}
  return Scene(name="made", cube=cube, labels=labels, nodata=nodata, **options)


def standardised(image: Scene) -> Inputs:
  bands = image.cube.shape[2]
  return make_inputs(bands, np.arange(bands), scaling.by_band(image), None)


def with_components(image: Scene, count: int) -> np.ndarray:
  """The channels of its pixels `[H, W, ...]`, bands first."""
  inputs = standardised(image)
  found = dataclasses.replace(inputs, components=mnf.components([(image, inputs)], count))
  return found(image.cube, image.nodata)


def test_the_first_component_is_what_shows_most_above_the_noise():
  image = scene()
  first = with_components(image, 1)[..., BANDS]
  sides = np.where(image.labels == 1, 1, -1)
  # The brightness has far more variance, but changes from pixel to pixel as noise does.
  assert abs(np.corrcoef(first.ravel(), sides.ravel())[0, 1]) > 0.95


def test_components_have_unit_variance_and_no_correlation():
  found = with_components(scene(), BANDS)[..., BANDS:].reshape(-1, BANDS)
  np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
  np.testing.assert_allclose(np.cov(found.T, bias=True), np.eye(BANDS), atol=1e-3)


def test_there_are_as_many_as_asked_for_but_no_more_than_channels():
  image = scene()
  pairs = [(image, standardised(image))]
  whole = mnf.components(pairs, 40)
  assert (whole.dtype, whole.shape) == (np.float32, (BANDS, BANDS))
  np.testing.assert_array_equal(mnf.components(pairs, 2), whole[:, :2])


def test_scenes_weigh_equally_whatever_their_size():
  large, small = scene((40, 50)), scene((12, 20), seed=1)
  # The same scene over again changes sums, not means; along the seam is a row of differences more.
  cube, labels = np.tile(small.cube, (1, 40, 1)), np.tile(small.labels, (1, 40))
  many_times = dataclasses.replace(small, cube=cube, labels=labels)
  inputs = {"large": standardised(large), "small": standardised(small)}
  few = mnf.components([(large, inputs["large"]), (small, inputs["small"])], 2)
  many = mnf.components([(large, inputs["large"]), (many_times, inputs["small"])], 2)
  alone = mnf.components([(large, inputs["large"])], 2)
  assert np.abs(few - many).max() < 0.5 * np.abs(few - alone).max()


def test_pixels_without_a_measurement_count_for_nothing():
  nodata = np.zeros((30, 40), bool)
  nodata[10:14, 5:20] = True
  damaged = scene(nodata=nodata)
  damaged.cube[nodata] = np.nan
  whole = scene(nodata=nodata)
  inputs = standardised(whole)
  np.testing.assert_array_equal(mnf.components([(damaged, inputs)], 3), mnf.components([(whole, inputs)], 3))


@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (1, 7)])
def test_scenes_of_hardly_a_pixel_have_finite_components(shape):
  image = scene(shape)
  assert np.isfinite(with_components(image, 4)).all()


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_of_bands_that_are_sums_of_others_no_component_is_made_of_rounding(noise):
  generator = np.random.default_rng(3)
  spectra = generator.uniform(0.1, 1, (5, 2 * BANDS))
  shares = generator.dirichlet(np.ones(5), (30, 40))
  image = scene()
  known = (shares @ spectra + noise * generator.normal(0, 1, (30, 40, 2 * BANDS))).astype(np.float32)
  more = dataclasses.replace(image, cube=np.concatenate([known, 1.7 * known + 3], axis=-1).astype(np.float32))
  found = with_components(more, 4 * BANDS)[..., 4 * BANDS :]
  # Shares add up to 1.
  rank = 2 * BANDS if noise else 4
  assert np.count_nonzero(found.any(axis=(0, 1))) == rank


def test_constant_and_repeated_bands_bring_nothing():
  image = scene()
  cube = np.concatenate([image.cube, image.cube[..., :2], np.full((30, 40, 1), 7, np.float32)], axis=-1)
  more = dataclasses.replace(image, cube=cube)
  found = with_components(more, BANDS + 3)[..., BANDS + 3 :]
  assert np.isfinite(found).all()
  spread = found.std(axis=(0, 1))
  np.testing.assert_allclose(spread[:BANDS], 1, rtol=1e-3)
  # Of what is nothing but the rounding of repeated bands nothing is made.
  np.testing.assert_array_equal(spread[BANDS:], 0)

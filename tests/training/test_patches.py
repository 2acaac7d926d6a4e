"""Laying out scenes and cutting patches, against patches cut by hand."""

import jax
import numpy as np
import pytest

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.training import patches
from mtl_hsi.training.patches import Layer
from tests.tiny import inputs_by

GENERATOR = np.random.default_rng(0)
FIELDS = GENERATOR.integers(0, 5000, (4, 6, 3)).astype(np.uint16)
TOWN = GENERATOR.integers(0, 300, (7, 2, 5)).astype(np.int16)


def lay_out(patch: int):
  """All bands of fields, and three of town; scales are powers of two, so division is exact."""
  return patches.lay_out(
    [
      Layer(FIELDS, inputs_by(np.arange(3), 4096.0, 3), None),
      Layer(TOWN, inputs_by(np.array([4, 0, 0]), 256.0, 5), None),
    ],
    patch,
  )


@pytest.mark.parametrize("patch", [1, 5, 9])
def test_scenes_are_scaled_aligned_and_padded_by_their_own_edge(patch):
  pixels, padded = lay_out(patch)
  margin = patch // 2
  for cube, ours in zip((FIELDS / 4096, TOWN[:, :, [4, 0, 0]] / 256), padded, strict=True):
    np.testing.assert_array_equal(
      ours, np.pad(cube, [(margin, margin), (margin, margin), (0, 0)], mode="edge")
    )
    assert ours.dtype == np.float32
    assert np.shares_memory(ours, pixels.values), "a padded scene is a view, not a copy"


def test_every_band_has_its_own_offset_and_scale():
  inputs = Inputs(3, np.array([2, 0]), Scaling(np.array([8.0, 1.0]), np.array([16.0, 2.0])), None)
  _, (padded,) = patches.lay_out([Layer(FIELDS, inputs, None)], 1)
  np.testing.assert_array_equal(padded[..., 0], (FIELDS[..., 2] - 8.0) / 16)
  np.testing.assert_array_equal(padded[..., 1], (FIELDS[..., 0] - 1.0) / 2)


def test_a_reversed_alignment_reverses_the_channels():
  _, (padded,) = patches.lay_out([Layer(FIELDS, inputs_by(np.arange(3)[::-1], 1.0, 3), None)], 1)
  np.testing.assert_array_equal(padded, FIELDS[:, :, ::-1])


def test_pixels_without_data_become_zero():
  cube = FIELDS.astype(np.float64)
  cube[0, 0] = np.nan
  nodata = np.zeros((4, 6), bool)
  nodata[0, 0] = nodata[3, 4] = True
  before = cube.copy()
  _, (padded,) = patches.lay_out([Layer(cube, inputs_by(np.arange(3), 1.0, 3), nodata)], 3)
  np.testing.assert_array_equal(padded[1:-1, 1:-1][nodata], 0)
  np.testing.assert_array_equal(padded[1:-1, 1:-1][~nodata], FIELDS[~nodata])
  np.testing.assert_array_equal(padded[0, 0], 0)
  np.testing.assert_array_equal(cube, before)


def test_patches_are_shifted_evenly_and_stay_within_their_scene():
  sizes = np.array([[[4, 6]], [[7, 2]]], np.int32)
  centres = np.tile(np.array([[[1, 3]], [[6, 0]]], np.int32), (1, 900, 1))
  shift = jax.jit(patches.shift, static_argnames="distance")
  moved = np.asarray(shift(centres, sizes, jax.random.key(0), distance=1))
  rows, counts = np.unique(moved[0], axis=0, return_counts=True)
  np.testing.assert_array_equal(rows, [(row, column) for row in (0, 1, 2) for column in (2, 3, 4)])
  assert counts.min() > 60
  # In a corner, what would leave the scene stays at its border.
  rows, counts = np.unique(moved[1], axis=0, return_counts=True)
  np.testing.assert_array_equal(rows, [[5, 0], [5, 1], [6, 0], [6, 1]])
  assert counts.argmax() == 2


# Axes flipped by the first symmetries.
FLIPS = [(), (0,), (1,), (0, 1)]


@pytest.mark.parametrize("patch", [3, 5])
def test_mirrored_patches_are_flips_of_patches_cut_by_hand(patch):
  pixels, padded = lay_out(patch)
  gather = jax.jit(patches.gather, static_argnames="patch")
  # Corners, borders and the inside of both scenes.
  for scene, centres in enumerate([[(0, 0), (3, 5), (0, 3), (2, 2)], [(0, 0), (6, 1), (3, 0), (5, 1)]]):
    centres = np.array(centres, np.int32)
    scenes = np.full(len(centres), scene, np.int32)
    for symmetry, axes in enumerate(FLIPS):
      cut = gather(pixels, scenes, centres, np.full(len(centres), symmetry), patch=patch)
      for (row, column), ours in zip(centres, cut, strict=True):
        by_hand = padded[scene][row : row + patch, column : column + patch]
        np.testing.assert_array_equal(ours, np.flip(by_hand, axes))


# A patch of 3 x 3 pixels: upright, with rows, columns and both flipped, and the transpose of each of these.
IMAGES = [
  *([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[7, 8, 9], [4, 5, 6], [1, 2, 3]]),
  *([[3, 2, 1], [6, 5, 4], [9, 8, 7]], [[9, 8, 7], [6, 5, 4], [3, 2, 1]]),
  *([[1, 4, 7], [2, 5, 8], [3, 6, 9]], [[7, 4, 1], [8, 5, 2], [9, 6, 3]]),
  *([[3, 6, 9], [2, 5, 8], [1, 4, 7]], [[9, 6, 3], [8, 5, 2], [7, 4, 1]]),
]


def test_a_patch_has_eight_images():
  cube = np.arange(1, 10, dtype=np.uint16).reshape(3, 3, 1)
  pixels, _ = patches.lay_out([Layer(cube, inputs_by(np.arange(1), 1.0, 1), None)], 3)
  scenes, centres = np.zeros((2, 4), np.int32), np.ones((2, 4, 2), np.int32)
  symmetries = np.arange(8).reshape(2, 4)
  cut = jax.jit(patches.gather, static_argnames="patch")(pixels, scenes, centres, symmetries, patch=3)
  np.testing.assert_array_equal(cut.reshape(8, 3, 3), IMAGES)


def test_samples_of_several_scenes_are_cut_at_once():
  pixels, padded = lay_out(3)
  scenes = np.array([[0, 0], [1, 1]], np.int32)
  centres = np.array([[(1, 4), (3, 0)], [(6, 1), (2, 0)]], np.int32)
  cut = patches.gather(pixels, scenes, centres, np.zeros((2, 2), np.int32), 3)
  assert cut.shape == (2, 2, 3, 3, 3)
  for scene, sample in np.ndindex(2, 2):
    row, column = centres[scene, sample]
    np.testing.assert_array_equal(cut[scene, sample], padded[scene][row : row + 3, column : column + 3])


PATCHES = np.random.default_rng(0).normal(2, 1, (2, 50, 3, 3, 40)).astype(np.float32)


def perturbed(jitter=0.0, band_dropout=0.0):
  return np.asarray(patches.perturb(PATCHES, jax.random.key(0), jitter=jitter, band_dropout=band_dropout))


def test_every_patch_has_one_gain_and_offset_of_the_given_deviation():
  result = perturbed(jitter=0.1)
  before, after = PATCHES.reshape(100, -1), result.reshape(100, -1)
  lines = [np.polyfit(x, y, 1) for x, y in zip(before, after, strict=True)]
  gains, offsets = np.transpose(lines)
  for x, y, gain, offset in zip(before, after, gains, offsets, strict=True):
    np.testing.assert_allclose(y, gain * x + offset, atol=1e-4)
  assert gains.mean() == pytest.approx(1, abs=0.04)
  assert offsets.mean() == pytest.approx(0, abs=0.04)
  assert gains.std() == pytest.approx(0.1, rel=0.3)
  assert offsets.std() == pytest.approx(0.1, rel=0.3)
  assert abs(np.corrcoef(gains, offsets)[0, 1]) < 0.4


def test_bands_go_missing_in_the_whole_patch():
  result = perturbed(band_dropout=0.25)
  missing = (result == 0).all(axis=(2, 3))
  kept = ~missing[:, :, None, None, :] & np.ones(PATCHES.shape, bool)
  np.testing.assert_array_equal(result[kept], PATCHES[kept])
  assert not result[~kept].any()
  assert missing.mean() == pytest.approx(0.25, abs=0.03)
  assert len({tuple(row) for row in missing.reshape(100, -1)}) == 100


def test_a_missing_band_stays_missing_whatever_the_offset():
  result = perturbed(band_dropout=0.5, jitter=0.1)
  assert (result == 0).all(axis=(2, 3)).mean() == pytest.approx(0.5, abs=0.04)


def test_a_patch_of_a_spectrum_has_it_at_all_pixels():
  pixels, _ = lay_out(5)
  spectra = GENERATOR.normal(size=(3, 3)).astype(np.float32)
  scene, symmetry = np.array([[0, 0], [1, 1]]), np.array([[0, 1], [5, 3]])
  centres = np.array([[[2, 3], [patches.SPECTRUM, 0]], [[patches.SPECTRUM, 2], [0, 0]]], np.int32)
  found = patches.gather(pixels._replace(spectra=spectra), scene, centres, symmetry, 5)
  plain = patches.gather(pixels, scene, np.maximum(centres, 0), symmetry, 5)
  np.testing.assert_array_equal(found[0, 1], np.broadcast_to(spectra[0], (5, 5, 3)))
  np.testing.assert_array_equal(found[1, 0], np.broadcast_to(spectra[2], (5, 5, 3)))
  np.testing.assert_array_equal(found[0, 0], plain[0, 0])
  np.testing.assert_array_equal(found[1, 1], plain[1, 1])


def test_spectra_are_not_shifted():
  centres = np.full((2, 50, 2), [patches.SPECTRUM, 7], np.int32)
  sizes = np.full((2, 50, 2), 4, np.int32)
  moved = patches.shift(centres, sizes, jax.random.key(0), 3)
  np.testing.assert_array_equal(moved, centres)

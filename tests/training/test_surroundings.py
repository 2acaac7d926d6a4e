"""Patches from the surroundings of training pixels alone."""

import jax
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import windows
from mtl_hsi.training import patches, surroundings
from mtl_hsi.training.patches import BLOCK, SYMMETRIES, Layer
from tests.tiny import inputs_by

SHAPES, BANDS = ((61, 43), (5, 90)), 3
_gather = jax.jit(patches.gather, static_argnames="patch")


def _layers():
  generator = np.random.default_rng(0)
  cubes = [generator.integers(0, 9999, (*shape, BANDS)).astype(np.uint16) for shape in SHAPES]
  nodata = generator.random(SHAPES[0]) < 0.1
  return [
    Layer(cube, inputs_by(np.arange(BANDS), 7.0, BANDS), mask) for cube, mask in zip(cubes, (nodata, None))
  ]


def _centres(count):
  """Pixels at all corners, and some in between."""
  generator = np.random.default_rng(1)
  found = []
  for height, width in SHAPES:
    corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
    found.append(np.array([*corners, *generator.integers(0, (height, width), (count, 2))], np.int32))
  return found


@pytest.mark.parametrize("values", [2**25, 32 * 32 * BANDS])
@pytest.mark.parametrize(("patch", "shift"), [(1, 0), (9, 0), (9, 3), (27, 2)])
def test_patches_are_those_of_whole_scenes(patch, shift, values, monkeypatch):
  monkeypatch.setattr(windows, "_WINDOW_VALUES", values)
  monkeypatch.setattr(windows, "BLOCK", 16)
  whole, _ = patches.lay_out(_layers(), patch)
  centres = _centres(4)
  pixels, _ = surroundings.lay_out(_layers(), centres, patch, shift)
  generator = np.random.default_rng(2)
  for scene, of_scene in enumerate(centres):
    moved = np.repeat(of_scene, 20, axis=0)
    moved += generator.integers(-shift, shift + 1, moved.shape, np.int32)
    moved = moved.clip(0, np.array(SHAPES[scene]) - 1).astype(np.int32)
    scenes, symmetries = (
      np.full(len(moved), scene, np.int32),
      np.arange(len(moved), dtype=np.int32) % len(SYMMETRIES),
    )
    found, expected = (_gather(values, scenes, moved, symmetries, patch=patch) for values in (pixels, whole))
    np.testing.assert_array_equal(found, expected)
  np.testing.assert_array_equal(pixels.sizes, whole.sizes)


def test_pixels_far_from_training_are_left_out():
  pixels, _ = surroundings.lay_out(_layers(), [np.array([[30, 20]]), np.zeros((0, 2), int)], 3, 1)
  # Rows 28 to 32 are in two blocks of 8 rows, columns 18 to 22 in one.
  assert pixels.values.shape == (2 * BLOCK**2, BANDS)


@pytest.mark.parametrize("patch", [3, 9])
def test_channels_that_are_read_by_windows_are_those_of_whole_scenes(patch):
  _, whole = patches.lay_out(_layers(), patch)
  _, padded = surroundings.lay_out(_layers(), _centres(0), patch, 0)
  for array, channels in zip(whole, padded, strict=True):
    assert channels.shape == array.shape
    for window in ((slice(0, 2), slice(1, 7)), (slice(3, array.shape[0]), slice(0, array.shape[1]))):
      np.testing.assert_array_equal(channels[window], array[window])


def test_surroundings_that_do_not_fit_into_memory_are_refused(monkeypatch):
  monkeypatch.setattr("mtl_hsi.storage.memory.available", lambda: 1000)
  with pytest.raises(RequestError, match="surroundings of the training pixels take 0 MB of memory"):
    surroundings.lay_out(_layers(), _centres(3), 3, 0)

"""Tiles of one shape."""

import numpy as np
import pytest

from mtl_hsi.classification import tiles

MARGINS = tiles.Margins((8, 8), 8)
SIZES = [(1, 1), (7, 10), (9, 6), (1, 50), (50, 1), (145, 145), (83, 86)]


@pytest.mark.parametrize("devices", [1, 2, 3])
@pytest.mark.parametrize("pixels", [1, 2, 16, 17, 100, 4096, 10**6])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_equal_tiles_cover_every_pixel_within_their_bound(height, width, pixels, devices):
  seen = np.zeros((height, width), int)
  shapes = set()
  for rows, columns in tiles.equal_tiles(height, width, pixels, devices=devices, margins=MARGINS):
    assert 0 <= rows.start < rows.stop <= height
    assert 0 <= columns.start < columns.stop <= width
    seen[rows, columns] += 1
    shapes.add((rows.stop - rows.start, columns.stop - columns.start))
  assert seen.all()
  assert len(shapes) == 1, "every further shape is one more program to compile"
  assert np.prod(shapes.pop()) <= pixels
  assert seen.sum() <= 4 * height * width


@pytest.mark.parametrize(
  ("devices", "pixels", "shape", "count"),
  [
    (1, 10**6, (145, 145), 1),
    (2, 10**6, (73, 145), 2),  # one for each device
    (1, 4096, (49, 73), 6),
    (2, 4096, (49, 73), 6),
    (4, 4096, (37, 73), 8),  # six tiles would also need two rounds on four devices
  ],
)
def test_equal_tiles_have_the_shape_of_least_work(devices, pixels, shape, count):
  found = list(tiles.equal_tiles(145, 145, pixels, devices=devices, margins=MARGINS))
  assert len(found) == count
  rows, columns = found[0]
  assert (rows.stop - rows.start, columns.stop - columns.start) in (shape, shape[::-1])


def test_tiles_avoid_the_halo_that_no_tile_needs_from_border_to_border():
  margins = tiles.Margins(whole=(8, 8), part=88)
  (rows, columns), *others = tiles.equal_tiles(100, 300, 15000, devices=1, margins=margins)
  assert (rows, columns) == (slice(0, 100), slice(0, 150))
  assert len(others) == 1


@pytest.mark.parametrize(
  ("window", "halo"),
  [
    ((slice(0, 10), slice(0, 20)), (0, 0)),
    ((slice(0, 9), slice(0, 20)), (4, 0)),
    ((slice(1, 10), slice(1, 20)), (4, 4)),
  ],
)
def test_a_tile_has_a_halo_where_the_image_continues(window, halo):
  assert tiles.halo_of(window, (10, 20), 4) == halo

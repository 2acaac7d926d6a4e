"""Windows, tiles and their halos."""

import numpy as np
import pytest

from mtl_hsi.classification import tiles

SIZES = [(1, 1), (7, 10), (9, 6), (1, 50), (50, 1), (145, 145), (83, 86)]


@pytest.mark.parametrize("devices", [1, 2, 3])
@pytest.mark.parametrize("pixels", [1, 2, 16, 17, 100, 4096, 10**6])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_equal_tiles_cover_every_pixel_within_their_bound(height, width, pixels, devices):
  seen = np.zeros((height, width), int)
  shapes = set()
  for rows, columns in tiles.equal_tiles(height, width, pixels, devices=devices, margin=8):
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
  found = list(tiles.equal_tiles(145, 145, pixels, devices=devices, margin=8))
  assert len(found) == count
  rows, columns = found[0]
  assert (rows.stop - rows.start, columns.stop - columns.start) in (shape, shape[::-1])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (10, 1000), (1000, 10), (700, 513)])
def test_windows_cover_every_pixel_once_in_few_shapes(height, width, monkeypatch):
  monkeypatch.setattr(tiles, "_WINDOW_VALUES", 300 * 300 * 50)
  seen, shapes = np.zeros((height, width), int), set()
  for rows, columns in tiles.image_windows(height, width, 50, 256):
    seen[rows, columns] += 1
    shapes.add((rows.stop - rows.start, columns.stop - columns.start))
    assert (rows.start % 256, columns.start % 256) == (0, 0)
    assert (rows.stop - rows.start) * (columns.stop - columns.start) <= 300 * 300
  assert (seen == 1).all()
  assert len(shapes) <= 4


def test_an_image_that_fits_is_one_window():
  assert list(tiles.image_windows(610, 340, 103, 256)) == [(slice(0, 610), slice(0, 340))]


@pytest.mark.parametrize(
  ("window", "inside", "missing"),
  [
    ((slice(2, 4), slice(3, 5)), (slice(1, 6), slice(2, 7)), ((0, 0), (0, 0))),
    ((slice(0, 2), slice(8, 10)), (slice(0, 4), slice(7, 10)), ((1, 0), (0, 2))),
    ((slice(0, 7), slice(0, 10)), (slice(0, 7), slice(0, 10)), ((1, 2), (1, 2))),
  ],
)
def test_a_halo_ends_at_the_border_of_the_image(window, inside, missing):
  image = np.arange(1, 71).reshape(7, 10)
  assert tiles.add_halo(window, image.shape, 1, 2) == (inside, missing)
  expected = np.pad(image, [(1, 2), (1, 2)])[tuple(slice(part.start, part.stop + 3) for part in window)]
  np.testing.assert_array_equal(tiles.cut_with_halo(image, window, 1, 2), expected)
  np.testing.assert_array_equal(tiles.cut_with_halo(image[..., None], window, 1, 2)[..., 0], expected)

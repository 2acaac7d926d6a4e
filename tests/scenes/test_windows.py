"""Windows and their halos."""

import numpy as np
import pytest

from mtl_hsi.scenes import windows


@pytest.mark.parametrize(("height", "width"), [(1, 1), (10, 1000), (1000, 10), (700, 513)])
def test_windows_cover_every_pixel_once_in_few_shapes(height, width, monkeypatch):
  monkeypatch.setattr(windows, "_WINDOW_VALUES", 300 * 300 * 50)
  seen, shapes = np.zeros((height, width), int), set()
  for rows, columns in windows.image_windows(height, width, 50, 256):
    seen[rows, columns] += 1
    shapes.add((rows.stop - rows.start, columns.stop - columns.start))
    assert (rows.start % 256, columns.start % 256) == (0, 0)
    assert (rows.stop - rows.start) * (columns.stop - columns.start) <= 300 * 300
  assert (seen == 1).all()
  assert len(shapes) <= 4


def test_an_image_that_fits_is_one_window():
  assert list(windows.image_windows(610, 340, 103, 256)) == [(slice(0, 610), slice(0, 340))]


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
  assert windows.add_halo(window, image.shape, (1, 1), (2, 2)) == (inside, missing)
  expected = np.pad(image, [(1, 2), (1, 2)])[tuple(slice(part.start, part.stop + 3) for part in window)]
  around = (1, 1), (2, 2)
  np.testing.assert_array_equal(windows.cut_with_halo(image, window, *around), expected)
  np.testing.assert_array_equal(windows.cut_with_halo(image[..., None], window, *around)[..., 0], expected)

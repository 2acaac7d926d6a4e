"""How images are cut into windows, windows into tiles, and how either gets a halo of surrounding pixels.

A window is a pair of slices, rows and columns.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

Window = tuple[slice, slice]

# Bound on the values of a window with all its bands; as float32 they occupy 128 MiB.
_WINDOW_VALUES = 2**25


class Halo(NamedTuple):
  """A window with a halo, of which a part may lie outside the image.

  Attributes:
    inside: the rows and columns that the image has.
    missing: how many rows above and below, and columns before and behind, it does not have.
  """

  inside: Window
  missing: tuple[tuple[int, int], tuple[int, int]]


def shape_of(window: Window) -> tuple[int, int]:
  """Number of rows and columns of a window."""
  rows, columns = window
  return rows.stop - rows.start, columns.stop - columns.start


def shifted(window: Window, row: int, column: int) -> Window:
  """The window moved down by `row` and to the right by `column`."""
  rows, columns = window
  return (
    slice(rows.start + row, rows.stop + row),
    slice(columns.start + column, columns.stop + column),
  )


def add_halo(window: Window, shape: tuple[int, int], before: int, behind: int) -> Halo:
  """Extends a window on all sides.

  Args:
    window: rows and columns of the image.
    shape: rows and columns that the image has.
    before: pixels to add above and to the left.
    behind: pixels to add below and to the right.
  """
  inside, missing = [], []
  for part, size in zip(window, shape, strict=True):
    start, stop = part.start - before, part.stop + behind
    inside.append(slice(max(start, 0), min(stop, size)))
    missing.append((max(-start, 0), max(stop - size, 0)))
  return Halo(tuple(inside), tuple(missing))


def cut_with_halo(values: np.ndarray, window: Window, before: int, behind: int) -> np.ndarray:
  """Cuts a window with its halo out of `[H, W, ...]`; pixels outside the array are 0."""
  halo = add_halo(window, values.shape[:2], before, behind)
  cut = values[halo.inside]
  if not np.any(halo.missing):
    return cut
  return np.pad(cut, [*halo.missing] + [(0, 0)] * (values.ndim - 2))


def image_windows(height: int, width: int, bands: int, block: int) -> Iterator[Window]:
  """Cuts an image into windows of bounded memory and at most four shapes; a small image is one window.

  Args:
    height: H.
    width: W.
    bands: of the image or of the network, whichever are more.
    block: the sides of all but the last windows are multiples of it.
  """
  side = max(1, int((_WINDOW_VALUES / bands) ** 0.5) // block) * block
  if height * width * bands <= _WINDOW_VALUES:
    side = max(height, width)
  for top in range(0, height, side):
    for left in range(0, width, side):
      yield slice(top, min(top + side, height)), slice(left, min(left + side, width))


def equal_tiles(height: int, width: int, pixels: int, *, devices: int, margin: int) -> Iterator[Window]:
  """Cuts a window into tiles of equal shape, so that one program serves all; the last ones overlap.

  The shape is the one with the least work, measured in pixels of tiles and their halos.

  Args:
    height: H of the window.
    width: W of the window.
    pixels: bound on the pixels of a tile.
    devices: how many tiles are classified at once.
    margin: rows and columns that the halo adds to a tile.
  """
  rows, columns = _tile_shape(height, width, pixels, devices, margin)
  for top in range(0, height, rows):
    for left in range(0, width, columns):
      row, column = min(top, height - rows), min(left, width - columns)
      yield slice(row, row + rows), slice(column, column + columns)


def _tile_shape(height, width, pixels, devices, margin):
  def work(shape):
    rows, columns = shape
    rounds = -(-(-(-height // rows) * -(-width // columns)) // devices)
    return rounds * (rows + margin) * (columns + margin)

  # Nearly equal parts of the height; for each, as few parts of the width as the bound allows.
  heights = {-(-height // count) for count in range(1, height + 1)}
  shapes = [
    (rows, -(-width // -(-width // min(width, pixels // rows)))) for rows in sorted(heights) if rows <= pixels
  ]
  return min(shapes, key=work)

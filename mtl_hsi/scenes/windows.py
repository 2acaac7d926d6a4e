"""Windows of an image: how it is cut into them, and how they get a halo of surrounding pixels.

A window is a pair of slices, rows and columns.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

Window = tuple[slice, slice]
# Of rows and columns.
Pair = tuple[int, int]

# Side of the blocks in which rasters are usually stored. With windows of multiples of it, every block is read
# once.
BLOCK = 256

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


def add_halo(window: Window, shape: tuple[int, int], before: Pair, behind: Pair) -> Halo:
  """Extends a window on all sides.

  Args:
    window: rows and columns of the image.
    shape: rows and columns that the image has.
    before: rows to add above and columns to add to the left.
    behind: rows to add below and columns to add to the right.
  """
  inside, missing = [], []
  for part, size, less, more in zip(window, shape, before, behind, strict=True):
    start, stop = part.start - less, part.stop + more
    inside.append(slice(max(start, 0), min(stop, size)))
    missing.append((max(-start, 0), max(stop - size, 0)))
  return Halo(tuple(inside), tuple(missing))


def cut_with_halo(values: np.ndarray, window: Window, before: Pair, behind: Pair) -> np.ndarray:
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


def strips(height: int, width: int, bands: int) -> Iterator[Window]:
  """Cuts an image into windows of bounded memory that have whole rows; a small image is one window."""
  rows = max(1, _WINDOW_VALUES // (width * bands))
  for top in range(0, height, rows):
    yield slice(top, min(top + rows, height)), slice(0, width)

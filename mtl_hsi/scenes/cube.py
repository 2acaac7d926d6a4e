"""The values of a scene: an array in memory, or a file that is read by windows."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from mtl_hsi.scenes.windows import Window


class WindowedCube(Protocol):
  """Values `[H, W, B]` that are read when they are needed.

  Attributes:
    shape: H, W and B.
    ndim: 3.
    dtype: dtype of the values.
  """

  shape: tuple[int, int, int]
  ndim: int
  dtype: np.dtype

  def __getitem__(self, place: tuple[slice, ...]) -> np.ndarray:
    """Reads a window `[h, w, B]`; an optional third index selects bands, by their numbers.

    Raises:
      RequestError: the file is damaged.
    """

  def windows(self) -> Iterator[Window]:
    """Yields windows of bounded memory that cover every pixel once, in an order that is quick to read."""


Cube = np.ndarray | WindowedCube

# About so many pixels of a large file are enough for medians, and for covariances of a few hundred bands.
ENOUGH_PIXELS = 4_000_000


def in_memory(cube: Cube) -> bool:
  """Returns whether a cube is an array."""
  return isinstance(cube, np.ndarray)


def blocks(cube: Cube, pixels: int | None = None) -> Iterator[tuple[Window, np.ndarray]]:
  """Yields windows that cover a cube, with their values `[h, w, B]`; an array is one window.

  Reading a file takes a while, so it has a progress bar.

  Args:
    cube: the cube.
    pixels: approximate limit: in a larger file, only every n-th window is read. None: all windows.
  """
  if in_memory(cube):
    yield tuple(slice(0, size) for size in cube.shape[:2]), cube
    return
  # With JAX, which an array does not need.
  from mtl_hsi.runtime import progress

  windows = list(cube.windows())
  if pixels is not None:
    windows = windows[:: max(1, cube.shape[0] * cube.shape[1] // pixels)]
  with progress.bar("reading by windows", len(windows), "window") as bar:
    for window in windows:
      yield window, cube[window]
      bar.update()


def lines(cube: Cube, mask: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Yields the rows of all windows of a cube, `[w, B]`, with those of a mask, `[w]`.

  What works by rows never copies a large cube as a whole.

  Args:
    cube: the cube.
    mask: `[H, W]`.
  """
  for window, values in blocks(cube):
    yield from zip(values, mask[window], strict=True)


def every_nth(cube: Cube, step: int, bands: Sequence[int] | None = None) -> np.ndarray:
  """Returns the values of every n-th row and column, from the first, `[h, w, b]`.

  Args:
    cube: the cube.
    step: n.
    bands: numbers of the bands; None: all.
  """
  selected = slice(None) if bands is None else np.asarray(bands)
  if in_memory(cube):
    return cube[::step, ::step][..., selected]
  height, width, count = cube.shape
  shape = -(-height // step), -(-width // step), count if bands is None else len(bands)
  found = np.empty(shape, cube.dtype)
  for rows, columns in cube.windows():
    values = cube[rows, columns, selected][-rows.start % step :: step, -columns.start % step :: step]
    top, left = -(-rows.start // step), -(-columns.start // step)
    found[top : top + values.shape[0], left : left + values.shape[1]] = values
  return found

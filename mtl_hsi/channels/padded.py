"""Input channels of an image with repeated border pixels, of one window or computed when they are needed."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.cube import Cube
from mtl_hsi.scenes.windows import Window

# From rows and columns of an image to values `[h, w, bands]`, and True where there is no measurement
# `[h, w]`, or None.
Reader = Callable[[slice, slice], tuple[np.ndarray, np.ndarray | None]]


class Block(NamedTuple):
  """A window of an image.

  Attributes:
    channels: float32 `[h, w, B]`.
    missing: pixels without a measurement, bool `[h, w]`, or None.
  """

  channels: np.ndarray
  missing: np.ndarray | None


def read_block(read: Reader, size: tuple[int, int], inputs: Inputs, window: Window) -> Block:
  """Reads a window that may extend beyond the image; there, the border pixels are repeated (author's code).

  Args:
    read: reads windows of the image.
    size: rows and columns of the image.
    inputs: maps the values of pixels to channels.
    window: rows and columns, which may be negative.
  """
  places = [np.arange(part.start, part.stop).clip(0, end - 1) for part, end in zip(window, size, strict=True)]
  inside = tuple(slice(int(place[0]), int(place[-1]) + 1) for place in places)
  values, missing = read(*inside)
  channels = inputs(values, missing)
  if inside != tuple(window):
    repeated = np.ix_(*(place - place[0] for place in places))
    channels, missing = channels[repeated], None if missing is None else missing[repeated]
  return Block(channels, missing)


@dataclasses.dataclass(frozen=True, eq=False)
class PaddedChannels:
  """The padded channels of a scene, like an array `[H + 2 m, W + 2 m, B]` of which windows are computed.

  Attributes:
    cube: values `[H, W, bands of the scene]`.
    inputs: maps the values of pixels to channels.
    nodata: pixels that become 0, bool `[H, W]`, or None.
    margin: m.
  """

  cube: Cube
  inputs: Inputs
  nodata: np.ndarray | None
  margin: int

  ndim = 3

  @property
  def shape(self) -> tuple[int, int, int]:
    """H + 2 m, W + 2 m and B."""
    height, width, _ = self.cube.shape
    return height + 2 * self.margin, width + 2 * self.margin, self.inputs.channels

  def __getitem__(self, window: Window) -> np.ndarray:
    """Computes the channels of a window, float32 `[h, w, B]`."""
    moved = tuple(slice(part.start - self.margin, part.stop - self.margin) for part in window)
    return read_block(self._read, self.cube.shape[:2], self.inputs, moved).channels

  def _read(self, rows, columns):
    return self.cube[rows, columns], None if self.nodata is None else self.nodata[rows, columns]


# An array, or what stands for one.
Padded = np.ndarray | PaddedChannels


def blocks(padded: Padded) -> Iterator[tuple[Window, np.ndarray]]:
  """Yields windows that cover padded channels, with their values `[h, w, B]`; an array is one window."""
  if isinstance(padded, np.ndarray):
    yield tuple(slice(0, size) for size in padded.shape[:2]), padded
    return
  for window in channel_windows(padded):
    yield window, padded[window]


def channel_windows(padded: PaddedChannels) -> Iterator[Window]:
  """Yields windows that cover padded channels and are of bounded memory, before and after the mapping."""
  height, width, channels = padded.shape
  return windows.image_windows(height, width, max(channels, padded.cube.shape[2]), windows.BLOCK)


def channels_at(padded: Padded, pixels: np.ndarray) -> np.ndarray:
  """Returns the channels of single pixels, float32 `[n, B]`.

  Args:
    padded: the channels.
    pixels: rows and columns in it, int `[n, 2]`.
  """
  if isinstance(padded, np.ndarray):
    return padded[tuple(pixels.T)]
  found = np.empty((len(pixels), padded.shape[2]), np.float32)
  for window in channel_windows(padded):
    inside = np.flatnonzero(
      np.all([(axis >= part.start) & (axis < part.stop) for axis, part in zip(pixels.T, window)], axis=0)
    )
    if len(inside):
      first, last = pixels[inside].min(axis=0), pixels[inside].max(axis=0)
      block = padded[tuple(slice(int(start), int(end) + 1) for start, end in zip(first, last))]
      found[inside] = block[tuple((pixels[inside] - first).T)]
  return found

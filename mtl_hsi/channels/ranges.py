"""Ranges of the input channels of a scene, to tell how far another image is from it."""

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.cube import Cube, every_nth

# Share of the pixels of a scene that are outside the range of any channel, at most.
OUTSIDE = 0.01
# About this number of pixels is used, at equal distances.
_SAMPLE = 50_000


def channel_ranges(cube: Cube, measured: np.ndarray, inputs: Inputs) -> np.ndarray | None:
  """Returns ranges of all channels, such that at most 1% of the pixels are outside in any channel.

  All channels leave out the same number k of the smallest and of the largest values. Then heavy tails of one
  channel do not widen the ranges of the others, as a common factor of their spread would.

  Args:
    cube: values of the image `[H, W, bands]`.
    measured: pixels with a measurement, bool `[H, W]`.
    inputs: maps the image's values to input channels.

  Returns:
    Low end, median and high end of every channel, float32 `[3, B]`; None if no pixel is measured.
  """
  step = max(1, int((measured.size / _SAMPLE) ** 0.5))
  if not measured[::step, ::step].any():
    step = 1
  valid = measured[::step, ::step]
  if not valid.any():
    return None
  channels = inputs(every_nth(cube, step)[valid], None)
  count = len(channels)
  ordered = np.sort(channels, axis=0)
  # How many values of a channel are at most, or at least, as large as that of a pixel; the fewest of any.
  rank = np.full(count, count)
  for values, column in zip(channels.T, ordered.T, strict=True):
    np.minimum(rank, np.searchsorted(column, values, "right"), out=rank)
    np.minimum(rank, count - np.searchsorted(column, values, "left"), out=rank)
  # Pixels of a rank up to k are outside.
  left_out = max(0, int(np.sort(rank)[int(OUTSIDE * count)]) - 1)
  return np.stack([ordered[left_out], np.median(ordered, axis=0), ordered[-1 - left_out]])

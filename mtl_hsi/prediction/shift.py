"""How far the pixels of an image are from those of the scene in training."""

from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.ranges import OUTSIDE
from mtl_hsi.prediction.windows import read_window
from mtl_hsi.report import csv_cells
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.windows import Window

# An image with more pixels than this is sampled in squares of this side at equal distances.
_WHOLE, _SIDE, _SQUARES = 100_000, 64, 5
# A larger share of pixels outside is a warning (docs/trust.md has the shares of other images).
FAR = 0.2


class Shift(NamedTuple):
  """How many pixels are outside the ranges of the scene in training.

  Attributes:
    outside: share of the pixels that are outside the range of at least one channel.
    by_channel: share of the pixels that are outside the range of each channel, float `[B]`.
    moved: the median of each channel from that of the scene, in units of the half range on that side, `[B]`.
  """

  outside: float
  by_channel: np.ndarray
  moved: np.ndarray


def measure(image: Image, scene: TrainedScene) -> Shift | None:
  """Returns the shift of an image, by a sample of its pixels.

  None if the run does not know the ranges of the scene, or no pixel of the sample is measured.

  Args:
    image: with the bands of the scene.
    scene: the scene as which it is classified.

  Raises:
    RequestError: the image cannot be read.
  """
  inputs = scene.inputs
  if inputs.ranges is None:
    return None
  found = []
  for place in _sample(image.height, image.width):
    window = read_window(image, inputs, *place, 1, _nothing)
    found.append(window.padded[~window.missing])
  values = np.concatenate(found)
  return compare(values, inputs.ranges) if len(values) else None


def compare(values: np.ndarray, ranges: np.ndarray) -> Shift:
  """Returns the shift of pixels.

  Args:
    values: channels of the pixels `[n, B]`.
    ranges: of the scene, `[3, B]` (see `ranges.channel_ranges`).
  """
  low, median, high = ranges
  outside = np.stack([(column < a) | (column > b) for column, a, b in zip(values.T, low, high, strict=True)])
  difference = np.median(values, axis=0) - median
  half = np.where(difference < 0, median - low, high - median)
  moved = np.where(half > 0, difference / np.where(half > 0, half, 1), np.sign(difference))
  return Shift(float(outside.any(axis=0).mean()), outside.mean(axis=1), moved)


def _nothing(_, missing: np.ndarray) -> np.ndarray:
  """Suspects no pixel: this is for the maps."""
  return np.zeros(missing.shape, bool)


def _sample(height: int, width: int) -> list[Window]:
  if height * width <= _WHOLE:
    return [(slice(0, height), slice(0, width))]
  return [(rows, columns) for rows in _parts(height) for columns in _parts(width)]


def _parts(size: int) -> list[slice]:
  side = min(_SIDE, size)
  starts = np.unique(np.linspace(0, size - side, _SQUARES).round().astype(int))
  return [slice(int(start), int(start) + side) for start in starts]


def sentence(shift: Shift, scene: TrainedScene) -> str:
  """Returns one line for users, with advice if the image is far from the scene."""
  text = (
    f"{shift.outside:.0%} of the pixels are outside the range of {scene.name!r} in training "
    f"({OUTSIDE:.0%} of its own are)"
  )
  if shift.outside <= FAR:
    return text
  worst = int(shift.by_channel.argmax())
  return (
    f"{text}, most in {channel_names(scene)[worst]} ({shift.by_channel[worst]:.0%}); check the unit and the "
    "atmospheric correction, and do not trust the map before you have tested it; labels of this image help "
    "(configs/adapt.py)"
  )


def table(shift: Shift, scene: TrainedScene) -> bytes:
  """Returns the shift as CSV: all channels together, then every channel."""
  rows = [["channel", "outside_percent", "median_moved"], ["any", f"{100 * shift.outside:.2f}", ""]]
  # Empty channels have no name.
  for name, share, moved in zip(channel_names(scene), shift.by_channel, shift.moved, strict=False):
    rows.append([name, f"{100 * share:.2f}", f"{moved:.3f}"])
  return csv_cells.csv_text(rows).encode()


def channel_names(scene: TrainedScene) -> list[str]:
  """Returns the names of the channels, except empty ones: "band 3 (480 nm)", "MNF component 1".

  Bands have the numbers of the scene in training, from 0.
  """
  inputs = scene.inputs
  if inputs.weights is not None:
    names = [f"common band {number}" for number in range(inputs.spectral_channels)]
  elif scene.wavelengths is None:
    names = [f"band {band}" for band in inputs.chosen]
  else:
    names = [f"band {band} ({scene.wavelengths[band]:.5g} nm)" for band in inputs.chosen]
  components = 0 if inputs.components is None else inputs.components.shape[1]
  return names + [f"MNF component {number}" for number in range(1, components + 1)]

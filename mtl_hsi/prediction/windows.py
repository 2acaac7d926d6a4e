"""Reads windows of an image of any size as the network's input."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.padded import read_block
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.scene_checks import LARGEST_VALUE


class Window(NamedTuple):
  """A window with a halo for the patches of its border pixels.

  Attributes:
    padded: input of the network, float32 `[h + P - 1, w + P - 1, B]`.
    missing: pixels of the window without a measurement, bool `[h, w]`.
    filled: measured pixels with suspicious values, bool `[h, w]`.
  """

  padded: np.ndarray
  missing: np.ndarray
  filled: np.ndarray


def read_window(
  image: Image,
  inputs: Inputs,
  rows: slice,
  columns: slice,
  patch: int,
  suspicious: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Window:
  """Reads a window with the halo that its patches need.

  Outside the image the border pixels are repeated, as in training. A pixel with a value that is not allowed
  in a scene (see `scene_checks`), such as one that is not finite, counts as not measured.

  Args:
    image: the image.
    inputs: from its pixels to the input of the network.
    rows: rows of the window.
    columns: columns of the window.
    patch: P.
    suspicious: from values `[h, w, B]` and missing pixels `[h, w]` to suspicious pixels, bool `[h, w]`.

  Raises:
    RequestError: the image cannot be read there.
  """
  margin, filled = patch // 2, None
  around = tuple(slice(part.start - margin, part.stop + margin) for part in (rows, columns))

  def read(inside_rows, inside_columns):
    nonlocal filled
    values, missing = _read_measured(image, inside_rows, inside_columns)
    own = tuple(
      slice(part.start - inside.start, part.stop - inside.start)
      for part, inside in ((rows, inside_rows), (columns, inside_columns))
    )
    filled = suspicious(values, missing)[own]
    return values, missing

  # Pixels that are not finite cause warnings here; they become 0.
  with np.errstate(invalid="ignore", over="ignore"):
    padded, missing = read_block(read, (image.height, image.width), inputs, around)
  own = tuple(slice(margin, size - margin) for size in missing.shape)
  return Window(padded, missing[own], filled)


def _read_measured(image, rows, columns):
  """Returns the values of a window, and which pixels have a value that is missing or not allowed."""
  values, missing = image.read(rows, columns)
  missing = np.zeros(values.shape[:2], bool) if missing is None else np.array(missing)
  if values.dtype.kind == "f":
    # Row by row, so that no mask of all values is made. The bound is infinite in 16 bits.
    with np.errstate(over="ignore"):
      for missing_row, row in zip(missing, values, strict=True):
        # Written so that NaN counts as missing.
        missing_row |= ~(np.abs(row) < LARGEST_VALUE).all(axis=-1)
  return values, missing

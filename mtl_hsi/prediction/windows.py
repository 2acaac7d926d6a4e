"""Reads windows of an image of any size as the network's input."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.scene_checks import LARGEST_VALUE
from mtl_hsi.scenes.windows import add_halo


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

  Outside the image the border pixels are repeated, as in `patches.lay_out`. A pixel with a value that is not
  allowed in a scene (see `scene_checks`), such as one that is not finite, counts as not measured.

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
  margin = patch // 2
  halo = add_halo((rows, columns), (image.height, image.width), margin, margin)
  values, missing = image.read(*halo.inside)
  missing = np.zeros(values.shape[:2], bool) if missing is None else np.array(missing)
  if values.dtype.kind == "f":
    # Row by row, so that no mask of all values is made. The bound is infinite in 16 bits.
    with np.errstate(over="ignore"):
      for missing_row, row in zip(missing, values, strict=True):
        # Written so that NaN counts as missing.
        missing_row |= ~(np.abs(row) < LARGEST_VALUE).all(axis=-1)
  filled = suspicious(values, missing)
  # Pixels that are not finite cause warnings here; they become 0.
  with np.errstate(invalid="ignore", over="ignore"):
    block = inputs(values, missing)
  (above, below), (before, behind) = halo.missing
  height, width = missing.shape
  inside = slice(margin - above, height - margin + below), slice(margin - before, width - margin + behind)
  return Window(np.pad(block, [*halo.missing, (0, 0)], mode="edge"), missing[inside], filled[inside])

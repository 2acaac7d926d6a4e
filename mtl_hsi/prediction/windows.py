"""An image of any size, window by window, as a network reads it."""

from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.classification import tiles
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.scene_checks import LARGEST_VALUE


class Region(NamedTuple):
  """A window with its surroundings.

  Attributes:
    padded: what the network reads, float32 `[h + P - 1, w + P - 1, B]`.
    missing: where the window has no measurement, bool `[h, w]`.
  """

  padded: np.ndarray
  missing: np.ndarray


def read(image: Image, inputs: Inputs, rows: slice, columns: slice, patch: int) -> Region:
  """Reads a window with the surroundings that its patches need.

  Beyond the border the image's last pixels are repeated, as `patches.lay_out`
  does. A pixel with a value that no scene may have (see `scene_checks`), such as one that is
  not finite, counts as not measured.

  Raises:
    RequestError: the image cannot be read there.
  """
  margin = patch // 2
  halo = tiles.add_halo((rows, columns), (image.height, image.width), margin, margin)
  values, missing = image.read(*halo.inside)
  missing = np.zeros(values.shape[:2], bool) if missing is None else np.array(missing)
  if values.dtype.kind == "f":
    # Row by row, so that no mask of all values is made.
    # The bound is infinite in 16 bits.
    with np.errstate(over="ignore"):
      for own, line in zip(missing, values, strict=True):
        # NaN is not smaller than anything.
        own |= ~(np.abs(line) < LARGEST_VALUE).all(axis=-1)
  # A pixel that is not finite gives warnings on its way, and becomes 0.
  with np.errstate(invalid="ignore", over="ignore"):
    block = inputs(values, missing)
  (above, below), (before, behind) = halo.missing
  return Region(
    np.pad(block, [*halo.missing, (0, 0)], mode="edge"),
    missing[
      margin - above : missing.shape[0] - margin + below, margin - before : missing.shape[1] - margin + behind
    ],
  )

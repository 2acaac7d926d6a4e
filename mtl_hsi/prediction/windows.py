"""An image of any size, window by window, as a network reads it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.scene_checks import LARGEST_VALUE

# Bound on the values of a window with all its bands; as float32 they take 128 MiB.
_VALUES = 2**25


class Region(NamedTuple):
  """A window with its surroundings.

  Attributes:
    padded: what the network reads, float32 `[h + P - 1, w + P - 1, B]`.
    missing: where the window has no measurement, bool `[h, w]`.
  """

  padded: np.ndarray
  missing: np.ndarray


def windows(height: int, width: int, bands: int, block: int) -> Iterator[tuple[slice, slice]]:
  """Cuts an image into windows of bounded size, of at most four shapes; a small image is one window.

  Args:
    height: H.
    width: W.
    bands: of the image or of the network, whichever are more.
    block: what the sides of all but the last windows are multiples of.
  """
  side = max(1, int((_VALUES / bands) ** 0.5) // block) * block
  if height * width * bands <= _VALUES:
    side = max(height, width)
  for top in range(0, height, side):
    for left in range(0, width, side):
      yield slice(top, min(top + side, height)), slice(left, min(left + side, width))


def with_surroundings(
  window: tuple[slice, slice], size: tuple[int, int], reach: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
  """A window with so many more pixels on every side, as far as the image has them, and its place therein.

  Args:
    window: rows and columns.
    size: of the image `(H, W)`.
    reach: pixels.
  """
  around = tuple(
    slice(max(0, part.start - reach), min(end, part.stop + reach)) for part, end in zip(window, size)
  )
  inner = (slice(part.start - own.start, part.stop - own.start) for part, own in zip(window, around))
  return around, tuple(inner)


def read(image: Image, inputs: Inputs, rows: slice, columns: slice, patch: int) -> Region:
  """Reads a window with the surroundings that its patches need.

  Beyond the border the image's last pixels are repeated, as `patches.lay_out`
  does. A pixel with a value that no scene may have (see `scene_checks`), such as one that is
  not finite, counts as not measured.

  Raises:
    RequestError: the image cannot be read there.
  """
  margin = patch // 2
  taken, lacking = [], []
  for part, size in ((rows, image.height), (columns, image.width)):
    first, end = part.start - margin, part.stop + margin
    taken.append(slice(max(first, 0), min(end, size)))
    lacking.append((max(-first, 0), max(end - size, 0)))
  values, missing = image.read(*taken)
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
  (above, below), (before, behind) = lacking
  return Region(
    np.pad(block, [*lacking, (0, 0)], mode="edge"),
    missing[
      margin - above : missing.shape[0] - margin + below, margin - before : missing.shape[1] - margin + behind
    ],
  )

"""What every reader of labels returns, and the grid of pixels that they are brought onto."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.labels.class_table import RGB
from mtl_hsi.scenes.scene import Georeference


class Grid(NamedTuple):
  """Rows and columns of the scene, and its place on the ground or None."""

  shape: tuple[int, int]
  georeference: Georeference | None


class Columns(NamedTuple):
  """Columns of features or of a table: of the classes, None meaning that it is looked for, and of "train" or
  "test", or None.
  """

  classes: str | None
  split: str | None


class Labels(NamedTuple):
  """Labels of a scene.

  Attributes:
    image: class ids int32 `[H, W]`, 0 is unlabelled.
    names: by class id, as far as the source has names; None where it has none.
    colours: the same of colours, red, green and blue from 0 to 255.
    remarks: what was done to them that the user should know, a sentence each.
    test: class ids of the test pixels int32 `[H, W]`, those of the training pixels being in `image`; None
      where they are not told apart.
    trained: True where a pixel is for training whatever the split is, bool `[H, W]`; None where none is.
    origin: file and key, for the scene's provenance.
  """

  image: np.ndarray
  names: Mapping[int, str] | None = None
  colours: Mapping[int, RGB] | None = None
  remarks: tuple[str, ...] = ()
  test: np.ndarray | None = None
  trained: np.ndarray | None = None
  origin: str = ""


def whole_ids(image: np.ndarray, where: str) -> np.ndarray:
  """Returns an image of whole numbers of any dtype as int32 `[H, W]`.

  Raises:
    RequestError: it is no image, or holds other values.
  """
  if image.ndim != 2 or image.size == 0:
    raise RequestError(f"{where} is {format_shape(image.shape)}, expected rows x columns")
  if image.dtype.kind not in "iuf":
    raise RequestError(f"{where} holds {image.dtype}, expected integer class ids with 0 for unlabelled")
  # NaN is unequal to itself and so counts as not whole.
  broken = image[image != np.floor(image)]
  if broken.size:
    raise RequestError(f"{where} holds {broken[0]}, expected whole class ids with 0 for unlabelled")
  limits = np.iinfo(np.int32)
  if image.min() < limits.min or image.max() > limits.max:
    raise RequestError(f"{where} holds ids from {image.min()} to {image.max()}, expected 0 to {limits.max}")
  return image.astype(np.int32)

"""The labels that every reader returns, and the pixel grid of the scene that they must fit."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.labels.class_table import RGB
from mtl_hsi.scenes.scene import Georeference


class Grid(NamedTuple):
  """Rows and columns of the scene, and its georeference or None."""

  shape: tuple[int, int]
  georeference: Georeference | None


class Columns(NamedTuple):
  """Names of columns in features or in a table.

  Attributes:
    classes: the column with the classes; None to find it.
    split: the column with "train" or "test", or None.
  """

  classes: str | None
  split: str | None


class Labels(NamedTuple):
  """Labels of a scene.

  Attributes:
    image: class ids int32 `[H, W]`; 0 is unlabelled.
    names: names by class id, as far as the source has them, or None.
    colours: red, green and blue, 0 to 255, by class id, as far as the source has them, or None.
    remarks: one sentence for each change to the labels that users should know.
    test: class ids of the test pixels int32 `[H, W]`, in which case `image` has those of the training pixels;
      None if the source does not split its labels.
    trained: True for the pixels that train under every split, bool `[H, W]`; None if there are none.
    origin: file and key, for the provenance of the scene.
    units: number from 1 of the feature or row of a table that labels a pixel of `image` or `test`, int32
      `[H, W]`, 0 where unlabelled; None if the source has label images only.
  """

  image: np.ndarray
  names: Mapping[int, str] | None = None
  colours: Mapping[int, RGB] | None = None
  remarks: tuple[str, ...] = ()
  test: np.ndarray | None = None
  trained: np.ndarray | None = None
  origin: str = ""
  units: np.ndarray | None = None


def to_class_ids(image: np.ndarray, where: str) -> np.ndarray:
  """Converts an image of whole numbers of any dtype to int32 `[H, W]`; NaN becomes 0, unlabelled.

  Raises:
    RequestError: the array is not an image, or has other values.
  """
  if image.ndim != 2 or image.size == 0:
    raise RequestError(f"{where} is {format_shape(image.shape)}; expected rows x columns")
  if image.dtype.kind not in "iuf":
    raise RequestError(f"{where} has dtype {image.dtype}; expected integer class ids, with 0 for unlabelled")
  if image.dtype.kind == "f":
    image = np.where(np.isnan(image), np.zeros((), image.dtype), image)
  fractions = image[image != np.floor(image)]
  if fractions.size:
    raise RequestError(f"{where} contains {fractions[0]}; expected integer class ids, with 0 for unlabelled")
  limits = np.iinfo(np.int32)
  if image.min() < limits.min or image.max() > limits.max:
    raise RequestError(
      f"{where} contains ids from {image.min()} to {image.max()}; expected 0 to {limits.max}"
    )
  return image.astype(np.int32)

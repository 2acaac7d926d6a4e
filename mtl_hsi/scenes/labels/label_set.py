"""The labels that every reader returns, how to read them, and the pixel grid that they must fit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mtl_hsi.scenes.labels.class_table import RGB, ClassTable
from mtl_hsi.scenes.scene import Georeference


class Grid(NamedTuple):
  """Rows and columns of the scene, and its georeference or None."""

  shape: tuple[int, int]
  georeference: Georeference | None


class Reading(NamedTuple):
  """How to read a file of labels.

  Attributes:
    classes: column of the classes in features or a table; None to find it.
    split: column with "train" or "test", or None.
    table: classes by id, or None.
    unlabelled: values that mean unlabelled. If there are none, the nodata value of a raster does, or else 0
      in an image of labels.
    crs: coordinate reference system of features or points, which replaces that in the file; None for the
      latter.
  """

  classes: str | None = None
  split: str | None = None
  table: ClassTable | None = None
  unlabelled: tuple[float, ...] = ()
  crs: str | None = None


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
    codes: number in the source of the classes whose id is another one (see `class_codes`), by id.
    spectra: class ids of the spectra of a library int32 `[n]`, or None.
  """

  image: np.ndarray
  names: Mapping[int, str] | None = None
  colours: Mapping[int, RGB] | None = None
  remarks: tuple[str, ...] = ()
  test: np.ndarray | None = None
  trained: np.ndarray | None = None
  origin: str = ""
  units: np.ndarray | None = None
  codes: Mapping[int, int] = MappingProxyType({})
  spectra: np.ndarray | None = None

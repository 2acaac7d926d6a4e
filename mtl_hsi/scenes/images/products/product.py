"""What every product provides: the interface between a product's file and the reader of images."""

import dataclasses
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

import numpy as np

from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.scene import Georeference


class ProductOptions(NamedTuple):
  """What a user can choose of a product.

  Attributes:
    overlap: the detector whose bands are used where the spectra of two detectors overlap, or all bands.
    geometry: the grid of the map, or that of the sensor.
  """

  overlap: Literal["vnir", "swir", "all"] | None = None
  geometry: Literal["map", "sensor"] | None = None


NO_OPTIONS = ProductOptions()


@dataclasses.dataclass(frozen=True, eq=False)
class Description:
  """The properties of an opened product.

  Attributes:
    shape: H, W and B, with all bands of the file in ascending order of wavelength.
    dtype: dtype of the values that `Product.read` returns.
    wavelengths: centres and widths of all bands.
    left_out: indices of the bands that are not used unless the user lists bad bands: flagged and empty ones.
      Ascending, int `[n]`.
    scaling: scale and offset of every band, each float64 `[B]`, or None if values are physical.
    nodata: nodata value of every band, float64 `[B]`, nan where there is none; or None.
    background: value that all bands of a pixel have outside of the image, or None. In single bands it counts
      as measured.
    georeference: position on the ground, or None.
    by_rows: whether windows of whole rows are quicker to read than square ones.
    acquired: date of the image, such as "2022-06-25", or None.
    remarks: one sentence for each property that users should know, such as why bands are left out.
    read_missing: from slices of rows and columns to True where masks in the files exclude a pixel `[h, w]`,
      or None.
    overlapping: indices of the bands that the option overlap leaves out in any case, int `[n]`.
  """

  shape: tuple[int, int, int]
  dtype: np.dtype
  wavelengths: Wavelengths
  left_out: np.ndarray
  scaling: tuple[np.ndarray, np.ndarray] | None = None
  nodata: np.ndarray | None = None
  background: float | None = None
  georeference: Georeference | None = None
  by_rows: bool = False
  acquired: str | None = None
  remarks: tuple[str, ...] = ()
  read_missing: Callable[[slice, slice], np.ndarray] | None = None
  overlapping: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, int))


class Product(Protocol):
  """An opened product of one kind.

  To add a product, write a class with these attributes and methods in a file of this directory, and list it
  in `registry.PRODUCTS`.

  Attributes:
    title: its name, such as "EnMAP L2A".
    overlaps: whether `ProductOptions.overlap` applies.
    geometries: whether `ProductOptions.geometry` applies.
  """

  title: str
  overlaps: bool
  geometries: bool

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Product | None":
    """Opens the product in a delivery; None if it is no product of this kind.

    Raises:
      RequestError: it is one, but a file of it is missing or damaged.
    """

  def describe(self) -> Description:
    """Returns the properties of the product."""

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads the values of a window, as stored, `[h, w, b]`.

    Args:
      rows: rows of the window, as of a NumPy slice without a step.
      columns: columns of the window.
      bands: indices of the bands, ascending.

    Raises:
      RequestError: the file is damaged.
    """

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    """Reads which pixels the quality layers flag as cloud, shadow, haze or the like, bool `[h, w]`.

    A kind of product that never has such layers sets `read_unclear = None`.

    Raises:
      RequestError: the product has no such layers, or they are damaged.
    """

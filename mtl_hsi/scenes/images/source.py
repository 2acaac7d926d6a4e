"""What every image format provides: the interface between a reader of a format and `Image`."""

import dataclasses
from collections.abc import Callable

import numpy as np

from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.scene import Georeference


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
  """An image file with all its bands.

  Attributes:
    origin: file and key, for messages.
    shape: H, W and B.
    dtype: dtype of the values in the file, in native byte order.
    read_window: from slices of rows and columns and the indices of bands to values `[h, w, b]`.
    read_wavelengths: from the indices of bands to their wavelengths; called only if these are needed, so that
      invalid ones do not matter otherwise.
    read_bad_bands: the indices of the bands that the file flags as bad, likewise.
    nodata: the nodata value of every band `[B]`, or None.
    background: value that all bands of a pixel have outside of the image, or None.
    read_missing: from slices of rows and columns to True where there is no measurement `[h, w]`, or None.
    read_unclear: likewise where quality layers flag a cloud, shadow or the like, or None without such layers.
    scaling: scale and offset of every band, each `[B]`, or None.
    georeference: position on the ground, or None.
    by_rows: whether windows of whole rows are quicker to read than square ones.
    options: names of the options of products that apply: "quality", "overlap", "geometry".
    acquired: date of the image, such as "2022-06-25", or None.
    remarks: one sentence for each property of the file that users should know.
    unused_bands: the indices of the bands that are left out even if the user lists bad bands, int `[n]`.
    product: title of the product, whose bands are in ascending order of wavelength, or None for a plain file.
    holds: what must last as long as the image: a `Delivery`, with which unpacked files are removed.
  """

  origin: str
  shape: tuple[int, int, int]
  dtype: np.dtype
  read_window: Callable[[slice, slice, np.ndarray], np.ndarray]
  read_wavelengths: Callable[[np.ndarray], Wavelengths]
  read_bad_bands: Callable[[], np.ndarray]
  nodata: np.ndarray | None = None
  background: float | None = None
  read_missing: Callable[[slice, slice], np.ndarray] | None = None
  read_unclear: Callable[[slice, slice], np.ndarray] | None = None
  scaling: tuple[np.ndarray, np.ndarray] | None = None
  georeference: Georeference | None = None
  by_rows: bool = False
  options: frozenset[str] = frozenset()
  acquired: str | None = None
  remarks: tuple[str, ...] = ()
  unused_bands: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, int))
  product: str | None = None
  holds: object = None

"""A hyperspectral image of any format, read window by window; .npz and .mat files are loaded."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import missing_values, wavelength_table
from mtl_hsi.scenes.images.bad_bands import parse_bands
from mtl_hsi.scenes.images.products.product import NO_OPTIONS, ProductOptions
from mtl_hsi.scenes.images.source import Source
from mtl_hsi.scenes.images.sources import open_source
from mtl_hsi.scenes.images.wavelengths import UNUSED, Wavelengths
from mtl_hsi.scenes.scene import Georeference

Scaling = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Image:
  """An image file whose values are read when they are needed.

  Attributes:
    origin: file and key, for messages.
    height, width: rows H and columns W.
    bands: B, without bad bands.
    dtype: dtype of the values that `read` returns.
    georeference: position on the ground, or None.
    wavelengths: band centres in nm float64 `[B]`, or None.
    widths: full widths at half maximum in nm float64 `[B]`, or None.
    kept: index in the file, from 0, of every band, int `[B]`.
    dropped: index in the file of every bad band, int, ascending.
    acquired: date of the image, such as "2022-06-25", or None.
    remarks: one sentence for each property of the file that users should know.
  """

  origin: str
  height: int
  width: int
  bands: int
  dtype: np.dtype
  georeference: Georeference | None
  wavelengths: np.ndarray | None
  widths: np.ndarray | None
  kept: np.ndarray
  dropped: np.ndarray
  acquired: str | None
  remarks: tuple[str, ...]
  _source: Source
  _nodata: tuple[np.ndarray, ...]
  _clear: bool
  _scaling: Scaling | None

  @classmethod
  def open(
    cls, path: Path, key: str | None = None, *, product: ProductOptions = NO_OPTIONS, **options: Any
  ) -> "Image":
    """Opens a product, an image in an .npy, .npz or .mat file, or a raster of one of `rasters.FORMATS`.

    Args:
      path: the file, the header of an ENVI image, or the folder or archive of a product.
      key: name of the cube in an .npz or .mat file. None selects `cube` or the only three-dimensional array.
      product: further options of products.
      options: see `of_source`.

    Raises:
      RequestError: the file cannot be read as an image, or an option is invalid for it.
    """
    return cls.of_source(open_source(path, key, product), **options)

  @classmethod
  def of_source(
    cls,
    source: Source,
    *,
    nodata: float | Sequence[float] = (),
    scale: float | None = None,
    offset: float | None = None,
    wavelengths: Path | None = None,
    wavelength_unit: str | None = None,
    bad_bands: str | None = None,
    quality: Literal["clear"] | None = None,
  ) -> "Image":
    """Returns the image of a file that is open, or of an array in memory.

    Args:
      source: the file or the array.
      nodata: value or values without a measurement; a pixel with one in any band is nodata, beside those of
        the metadata of a raster, the mask `nodata` in an .npz file, and values that are not finite.
      scale, offset: physical value = scale * value in the file + offset; without both, as in the metadata.
      wavelengths: CSV file with centres and widths (see `wavelength_table`) to use instead of the metadata.
        None uses the metadata; if these are invalid, the wavelengths are unknown and a remark says why.
      wavelength_unit: unit of that CSV file, "nm" or "um". None uses its header or infers it from the values.
      bad_bands: bands to drop (see `bad_bands`). None drops those that the metadata flag as bad.
      quality: "clear" counts the pixels that the quality layers of a product flag as cloud, shadow or the
        like as nodata. None ignores these layers.

    Raises:
      RequestError: an option is invalid for the source.
    """
    _check_quality(source, quality)
    dropped, notes = _dropped_bands(source, bad_bands)
    kept = np.setdiff1d(np.arange(source.shape[2]), dropped)
    known, remarks = _known_wavelengths(source, kept, wavelengths, wavelength_unit)
    scaling = _choose_scaling(source, scale, offset)
    return cls(
      source.origin,
      *source.shape[:2],
      bands=len(kept),
      dtype=_dtype(source.dtype, scaling),
      georeference=source.georeference,
      wavelengths=known.centres,
      widths=known.widths,
      kept=kept,
      dropped=dropped,
      acquired=source.acquired,
      remarks=(*source.remarks, *notes, *remarks),
      _source=source,
      _nodata=_all_nodata(source, nodata),
      _clear=quality is not None,
      _scaling=scaling,
    )

  @property
  def knows_nodata(self) -> bool:
    """Whether the metadata or the options specify a nodata value; a mask does not."""
    return bool(self._nodata) or self._source.background is not None

  @property
  def file_nodata(self) -> tuple[float, ...]:
    """The finite nodata values in the metadata of the bands, ascending."""
    values = np.empty(0) if self._source.nodata is None else self._source.nodata[self.kept]
    return tuple(np.unique(values[np.isfinite(values)]).tolist())

  def has_nodata(self, value: float) -> bool:
    """Returns whether a value of the file is nodata in every band."""
    return value == self._source.background or any((nodata == value).all() for nodata in self._nodata)

  @property
  def knows_scale(self) -> bool:
    """Whether the metadata or the options specify a scale or an offset."""
    return self._scaling is not None

  @property
  def options(self) -> frozenset[str]:
    """Names of the options of products that apply: "quality", "overlap", "geometry"."""
    return self._source.options

  @property
  def stored_by_rows(self) -> bool:
    """Whether windows of whole rows are quicker to read than square ones."""
    return self._source.by_rows

  def with_bands(self, bands: np.ndarray) -> "Image":
    """Returns the image with some of its bands, in any order.

    Args:
      bands: indices from 0 without bad bands, int `[b]`.
    """
    return dataclasses.replace(
      self,
      bands=len(bands),
      kept=self.kept[bands],
      wavelengths=None if self.wavelengths is None else self.wavelengths[bands],
      widths=None if self.widths is None else self.widths[bands],
    )

  def scaled_value(self, value: float) -> np.ndarray:
    """Returns a value of the file in the unit and precision of `read`, for every band `[B]`."""
    with np.errstate(over="ignore", invalid="ignore"):
      stored = np.full(self.bands, value).astype(self._source.dtype)
    # One that integers cannot have equals none of them.
    rounded = self._source.dtype.kind != "f" and stored[0] != value
    return np.full(self.bands, np.nan) if rounded else self._scaled(stored, self.kept)

  def stored_value(self, value: float) -> float:
    """Returns the value in the file for one in the unit of `read`, in the first band."""
    if self._scaling is None:
      return float(value)
    scale, offset = (numbers[self.kept[0]] for numbers in self._scaling)
    return float(f"{(value - offset) / scale:.6g}")

  def read_values(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads the values `[h, w, b]` of some bands in a window.

    Args:
      rows: as a slice of NumPy, without a step.
      columns: likewise.
      bands: indices from 0 without bad bands, ascending.

    Raises:
      RequestError: the file is damaged.
    """
    kept = self.kept[bands]
    return self._scaled(self._source.read_window(rows, columns, kept), kept)

  def read(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads a window; slices are those of NumPy, without a step.

    Returns:
      Values `[h, w, B]`, and a mask that is True where there is no measurement `[h, w]`, or None if integers
      have no nodata value. Either may be a read-only view of the file.

    Raises:
      RequestError: the file is damaged.
    """
    values = self._read_kept(rows, columns)
    masks = []
    if self._nodata or values.dtype.kind == "f":
      masks.append(missing_values.missing(values, [nodata[self.kept] for nodata in self._nodata]))
    if self._source.background is not None:
      masks.append(missing_values.outside(values, self._source.background))
    if self._source.read_missing is not None:
      masks.append(self._source.read_missing(rows, columns))
    if self._clear:
      masks.append(self._source.read_unclear(rows, columns))
    mask = np.logical_or.reduce(masks) if len(masks) > 1 else next(iter(masks), None)
    return self._scaled(values, self.kept), mask

  def _read_kept(self, rows: slice, columns: slice) -> np.ndarray:
    """Reads the values in the file; formats read bands in ascending order."""
    order = np.argsort(self.kept)
    values = self._source.read_window(rows, columns, self.kept[order])
    return values if (np.diff(order) > 0).all() else values[..., np.argsort(order)]

  def _scaled(self, values: np.ndarray, bands: np.ndarray) -> np.ndarray:
    if self._scaling is None:
      return values.astype(self.dtype, copy=False)
    scale, offset = (numbers[bands].astype(self.dtype) for numbers in self._scaling)
    return values * scale + offset


def _check_quality(source: Source, quality: str | None) -> None:
  if quality is None:
    return
  if source.read_unclear is None:
    raise RequestError(f"{source.origin} has no quality layers that are known; remove the option quality")
  # So that a missing layer is known before any work starts.
  source.read_unclear(slice(0, 1), slice(0, 1))


def _dropped_bands(source: Source, given: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
  """Returns the bands to drop, and a remark if the flags in the file are invalid."""
  count, notes = source.shape[2], ()
  if given is not None:
    flagged = parse_bands(given, count, source.origin)
  else:
    try:
      flagged = source.read_bad_bands()
    except RequestError as error:
      flagged, notes = np.empty(0, int), (f"flags of bad bands in the file are not used ({error})",)
  dropped = np.union1d(flagged, source.unused_bands)
  if len(dropped) == count:
    raise RequestError(f"{source.origin}: no band is left of {count}; list fewer bad_bands")
  return dropped, notes


def _known_wavelengths(
  source: Source, kept: np.ndarray, table: Path | None, unit: str | None
) -> tuple[Wavelengths, tuple[str, ...]]:
  """Returns the wavelengths, and a remark if those in the file are invalid: bands by index do without."""
  if table is not None:
    return _read_table(source, kept, table, unit), ()
  try:
    return source.read_wavelengths(kept), ()
  except RequestError as error:
    return Wavelengths(None, None), (f"{UNUSED} ({error})",)


def _read_table(source: Source, kept: np.ndarray, table: Path, unit: str | None) -> Wavelengths:
  known = wavelength_table.read_wavelength_table(table, source.shape[2], unit, kept)
  if source.product is not None and (np.diff(known.centres) <= 0).any():
    raise RequestError(
      f"{table.absolute()}: wavelengths do not increase from band to band as those of {source.product} do; "
      "remove the option wavelengths, as the product has its own"
    )
  return known


def _choose_scaling(source: Source, scale: float | None, offset: float | None) -> Scaling | None:
  if scale is None and offset is None:
    return source.scaling
  count = source.shape[2]
  return np.full(count, 1.0 if scale is None else scale), np.full(count, offset or 0.0)


def _all_nodata(source: Source, nodata: float | Sequence[float]) -> tuple[np.ndarray, ...]:
  """Returns the nodata values of every band, each `[B]`: those of the file, and each one that is given."""
  of_file = () if source.nodata is None else (source.nodata,)
  return *of_file, *(np.full(source.shape[2], value) for value in np.atleast_1d(nodata))


def _dtype(stored: np.dtype, scaling: Scaling | None) -> np.dtype:
  """Returns the dtype of the values that `read` returns; sums of numbers of 16 bits would overflow."""
  if scaling is None and stored != np.float16:
    return stored
  return np.dtype(np.float64 if stored == np.float64 else np.float32)

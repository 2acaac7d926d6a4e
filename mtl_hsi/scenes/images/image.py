"""A hyperspectral image of any format, read window by window."""

import dataclasses
from pathlib import Path

import numpy as np

from mtl_hsi.scenes.images import wavelength_table
from mtl_hsi.scenes.images.bad_bands import parse_bands
from mtl_hsi.scenes.images.source import Source
from mtl_hsi.scenes.images.sources import open_source
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
  _source: Source
  _nodata: np.ndarray | None
  _scaling: Scaling | None

  @classmethod
  def open(
    cls,
    path: Path,
    key: str | None = None,
    *,
    nodata: float | None = None,
    scale: float | None = None,
    offset: float | None = None,
    wavelengths: Path | None = None,
    wavelength_unit: str | None = None,
    bad_bands: str | None = None,
  ) -> "Image":
    """Opens an image in an .npy, .npz or .mat file, or in a raster of one of `rasters.FORMATS`.

    An .npy file is memory-mapped, a raster is read window by window, and .npz and .mat files are loaded.

    Args:
      path: the file; for an ENVI image, its header or its data file.
      key: name of the cube in an .npz or .mat file. None selects `cube` or the only three-dimensional array.
      nodata: value without a measurement; a pixel with it in any band is nodata. None uses the metadata of a
        raster or the mask `nodata` in an .npz file.
      scale: physical value = scale * value in the file + offset. None means 1 if an offset is given, and else
        the scale in the metadata of a raster.
      offset: see `scale`. None means 0 if a scale is given.
      wavelengths: CSV file with centres and widths (see `wavelength_table`) to use instead of the metadata.
      wavelength_unit: unit of that CSV file, "nm" or "um". None uses its header or infers it from the values.
      bad_bands: bands to drop (see `bad_bands`). None drops those that the metadata flag as bad.

    Raises:
      RequestError: the file cannot be read as an image, or an option is invalid for it.
    """
    source = open_source(path, key)
    count = source.shape[2]
    dropped = source.read_bad_bands() if bad_bands is None else parse_bands(bad_bands, count, source.origin)
    kept = np.setdiff1d(np.arange(count), dropped)
    if wavelengths is None:
      known = source.read_wavelengths(kept)
    else:
      known = wavelength_table.read_wavelength_table(wavelengths, count, wavelength_unit, kept)
    scaling = source.scaling
    if scale is not None or offset is not None:
      scaling = np.full(count, 1.0 if scale is None else scale), np.full(count, offset or 0.0)
    return cls(
      source.origin,
      *source.shape[:2],
      bands=len(kept),
      dtype=source.dtype if scaling is None else _scaled_dtype(source.dtype),
      georeference=source.georeference,
      wavelengths=known.centres,
      widths=known.widths,
      kept=kept,
      dropped=dropped,
      _source=source,
      _nodata=source.nodata if nodata is None else np.full(count, nodata),
      _scaling=scaling,
    )

  @property
  def knows_nodata(self) -> bool:
    """Whether the metadata or the options specify nodata."""
    return self._nodata is not None or self._source.mask is not None

  @property
  def knows_scale(self) -> bool:
    """Whether the metadata or the options specify a scale or an offset."""
    return self._scaling is not None

  def read(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads a window; slices are those of NumPy, without a step.

    Returns:
      Values `[h, w, B]`, and a mask that is True where there is no measurement `[h, w]`, or None if nodata is
      unspecified. Either may be a read-only view of the file.

    Raises:
      RequestError: the file is damaged.
    """
    values = self._source.read_window(rows, columns, self.kept)
    mask = None if self._source.mask is None else self._source.mask[rows, columns]
    if self._nodata is not None:
      mask = _missing(values, self._nodata[self.kept])
    if self._scaling is not None:
      scale, offset = (numbers[self.kept].astype(self.dtype) for numbers in self._scaling)
      values = values * scale + offset
    return values, mask


def _missing(values: np.ndarray, nodata: np.ndarray) -> np.ndarray:
  """Returns the pixels with the nodata value in any band, row by row, so that the image is never copied."""
  # In the precision of the image, in which the nodata value was stored.
  wanted = nodata.astype(values.dtype) if values.dtype.kind == "f" else nodata
  unknown, mask = np.isnan(nodata), np.empty(values.shape[:2], bool)
  for row, line in enumerate(values):
    found = line == wanted
    if unknown.any() and values.dtype.kind == "f":
      found |= unknown & np.isnan(line)
    mask[row] = found.any(axis=1)
  return mask


def _scaled_dtype(dtype: np.dtype) -> np.dtype:
  return np.dtype(np.float64 if dtype == np.float64 else np.float32)

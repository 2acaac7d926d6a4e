"""An image of any format, read by windows."""

import dataclasses
from pathlib import Path

import numpy as np

from mtl_hsi.scenes.images import wavelength_table
from mtl_hsi.scenes.images.bad_bands import parse
from mtl_hsi.scenes.images.sources import Source, open_source
from mtl_hsi.scenes.scene import Georeference

Scaling = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Image:
  """A cube in a file, of which parts are read as they are needed.

  Attributes:
    origin: file and key, for messages.
    height, width: rows H and columns W.
    bands: B, without bad ones.
    dtype: of the values that `read` returns.
    georeference: place on the ground, or None.
    wavelengths: band centres in nm float64 `[B]`, or None.
    widths: full widths at half maximum in nm float64 `[B]`, or None.
    kept: place in the file, from 0, of every band, int `[B]`.
    dropped: place in the file of every bad band, int, ascending.
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
    """Opens an image in an .npy, .npz or .mat file, or in a raster of one of `raster_files.FORMATS`.

    An .npy file is mapped, a raster is read window by window, .npz and .mat files are loaded.

    Args:
      path: the file; of an ENVI image its header or its data file.
      key: name of the cube in an .npz or .mat file; None: `cube`, or the only array with three axes.
      nodata: value that stands for a missing measurement: a pixel that has it in any band is none. None: as a
        raster or the mask `nodata` in an .npz file says.
      scale: physical value = scale * value in the file + offset; None: 1 where an offset is given, else as
        the bands of a raster say.
      offset: the same; None: 0 where a scale is given.
      wavelengths: CSV file of centres and widths (see `wavelength_table`), in place of those in the file.
      wavelength_unit: of that CSV file, "nm" or "um"; None: as its header says or its numbers look.
      bad_bands: bands to leave out (see `bad_bands`); None: those that the file's metadata call bad.

    Raises:
      RequestError: names the file, what is wrong and what was expected.
    """
    source = open_source(path, key)
    count = source.shape[2]
    dropped = source.bad_bands() if bad_bands is None else parse(bad_bands, count, source.origin)
    kept = np.setdiff1d(np.arange(count), dropped)
    known = (
      source.bands(kept)
      if wavelengths is None
      else wavelength_table.read(wavelengths, count, wavelength_unit, kept)
    )
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
    """Whether the file or the user says which pixels hold no measurement."""
    return self._nodata is not None or self._source.mask is not None

  @property
  def knows_scale(self) -> bool:
    """Whether the file or the user says what its values mean."""
    return self._scaling is not None

  def read(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads a window; slices run as in NumPy, without a step.

    Returns:
      Values `[h, w, B]`, and True where nothing was measured `[h, w]`; None where the file knows no such
      pixels. An array may be a read-only view of the file.

    Raises:
      RequestError: the file is damaged.
    """
    values = self._source.read(rows, columns, self.kept)
    mask = None if self._source.mask is None else self._source.mask[rows, columns]
    if self._nodata is not None:
      mask = _missing(values, self._nodata[self.kept])
    if self._scaling is not None:
      scale, offset = (part[self.kept].astype(self.dtype) for part in self._scaling)
      values = values * scale + offset
    return values, mask


def _missing(values: np.ndarray, nodata: np.ndarray) -> np.ndarray:
  """Pixels with the value of no measurement in any band; row by row, so that no copy of all is made."""
  # In the image's own precision, as that is how the value was stored.
  wanted = nodata.astype(values.dtype) if values.dtype.kind == "f" else nodata
  unknown, mask = np.isnan(nodata), np.empty(values.shape[:2], bool)
  for row, own in enumerate(values):
    found = own == wanted
    if unknown.any() and values.dtype.kind == "f":
      found |= unknown & np.isnan(own)
    mask[row] = found.any(axis=1)
  return mask


def _scaled_dtype(dtype: np.dtype) -> np.dtype:
  return np.dtype(np.float64 if dtype == np.float64 else np.float32)

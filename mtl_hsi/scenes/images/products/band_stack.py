"""An image whose bands are in several rasters of the same grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import raster_masks, rasters
from mtl_hsi.scenes.images.raster_place import read_place
from mtl_hsi.storage import memory

# The largest difference of equal grids, relative to the side of a pixel.
_TOLERANCE = 0.01


class StackedBand(NamedTuple):
  """A band of a stack: the file, and the number of the band in it, from 1."""

  path: Path
  number: int


class BandStack:
  """Bands of one or several rasters, read as one image.

  Args:
    bands: in the order of the image.

  Attributes:
    shape: H, W and B.
    dtype: the smallest type that has the values of all bands.
    place: position on the ground, and remarks on it.
    by_rows: whether windows of whole rows are quicker to read than square ones.
    nodata: nodata value of every band float64 `[B]`, NaN for a band without one; None if no band has one.
    scaling: scale and offset of every band, each float64 `[B]`; None if no band is scaled.
    remarks: sentences on masks, and on the position.

  Raises:
    RequestError: a raster cannot be read, has too few bands, or another grid than the first one.
  """

  def __init__(self, bands: Sequence[StackedBand]):
    self._bands = tuple(bands)
    self._rasters = {path: rasters.open_raster(path) for path in dict.fromkeys(band.path for band in bands)}
    first = self._rasters[bands[0].path]
    self.place = read_place(first, str(bands[0].path.absolute()))
    for path, raster in self._rasters.items():
      _check_grid(path, raster, first, max(band.number for band in bands if band.path == path))
    self.shape = first.height, first.width, len(bands)
    self.dtype = np.result_type(*(np.dtype(raster.dtypes[0]) for raster in self._rasters.values()))
    blocks = [shape for raster in self._rasters.values() for shape in raster.block_shapes]
    self.by_rows = all(width == first.width for _, width in blocks)
    self.nodata = self._nodata()
    self.scaling = self._scaling()
    self._masks = {path: raster_masks.mask_reader(path, raster) for path, raster in self._rasters.items()}
    masked = dict.fromkeys(remark for _, remarks in self._masks.values() for remark in remarks)
    self.remarks = (*masked, *self.place.remarks)

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads a window of bands, by their indices, as `[h, w, b]`.

    Raises:
      RequestError: a file is damaged, or the values do not fit into memory.
    """
    first = self._rasters[self._bands[0].path]
    window = rasters.window_of(first, rows, columns)
    (top, bottom), (left, right) = window
    shape = bottom - top, right - left, len(bands)
    memory.check_fits(int(np.prod(shape, dtype=object)) * self.dtype.itemsize, "the window")
    values = np.empty(shape, self.dtype)
    for path, raster in self._rasters.items():
      places = [place for place, band in enumerate(bands) if self._bands[band].path == path]
      if places:
        numbers = [self._bands[bands[place]].number for place in places]
        planes = rasters.read_window(path, raster, numbers, window)
        values[..., places] = np.moveaxis(planes, 0, -1)
    return values

  def read_missing(self, rows: slice, columns: slice) -> np.ndarray:
    """Reads which pixels the masks of the files exclude, bool `[h, w]`.

    Raises:
      RequestError: a file is damaged.
    """
    (top, bottom), (left, right) = rasters.window_of(self._rasters[self._bands[0].path], rows, columns)
    missing = np.zeros((bottom - top, right - left), bool)
    for read, _ in self._masks.values():
      if read is not None:
        missing |= read(rows, columns)
    return missing

  def _nodata(self) -> np.ndarray | None:
    values = [self._rasters[band.path].nodatavals[band.number - 1] for band in self._bands]
    if all(value is None for value in values):
      return None
    return np.array([np.nan if value is None else value for value in values], float)

  def _scaling(self) -> tuple[np.ndarray, np.ndarray] | None:
    scales = np.array([self._rasters[band.path].scales[band.number - 1] for band in self._bands], float)
    offsets = np.array([self._rasters[band.path].offsets[band.number - 1] for band in self._bands], float)
    return None if (scales == 1).all() and (offsets == 0).all() else (scales, offsets)


def _check_grid(path: Path, raster, first, bands: int) -> None:
  if raster.count < bands:
    raise RequestError(f"{path.absolute()} has {raster.count} bands; expected {bands} or more")
  if raster.shape != first.shape:
    raise RequestError(
      f"{path.absolute()} has {raster.height} x {raster.width} pixels, but {first.name} has {first.height} x "
      f"{first.width}; the bands of an image must have one grid: resample them, or remove some of the files"
    )
  apart = np.abs(np.array(raster.transform) - np.array(first.transform))[:6]
  if raster.crs != first.crs or apart.max() > _TOLERANCE * abs(first.transform.determinant) ** 0.5:
    raise RequestError(f"{path.absolute()} and {first.name} are of other places; expected bands of one image")

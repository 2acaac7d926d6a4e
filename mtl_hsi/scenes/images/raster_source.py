"""Opens rasters as images."""

import functools
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import bad_bands, raster_masks, rasters
from mtl_hsi.scenes.images.raster_place import read_place
from mtl_hsi.scenes.images.raster_wavelengths import read_raster_wavelengths
from mtl_hsi.scenes.images.source import Source


def open_raster_source(path: Path, key: str | None) -> Source:
  """Opens a raster of one of `rasters.FORMATS`; alpha bands do not count as bands.

  Raises:
    RequestError: as `rasters.open_raster`, or a key is given.
  """
  raster = rasters.open_raster(path)
  if key is not None:
    raise RequestError(f"{path.absolute()} is a raster without named arrays; remove the key {key!r}")
  origin = str(path.absolute())
  bands = np.array(raster_masks.data_bands(raster))
  read_missing, remarks = raster_masks.mask_reader(path, raster)
  place = read_place(raster, origin)
  return Source(
    origin,
    (raster.height, raster.width, len(bands)),
    np.dtype(raster.dtypes[0]),
    functools.partial(_read_window, path, raster, bands),
    read_wavelengths=functools.partial(read_raster_wavelengths, raster, path),
    read_bad_bands=functools.partial(bad_bands.read_bad_bands, raster, origin),
    nodata=_nodata(raster, bands),
    read_missing=read_missing,
    scaling=_scaling(raster, bands),
    georeference=place.georeference,
    by_rows=all(columns == raster.width for _, columns in raster.block_shapes),
    remarks=(*remarks, *place.remarks),
  )


def _read_window(
  path: Path,
  raster: rasterio.DatasetReader,
  bands: np.ndarray,
  rows: slice,
  columns: slice,
  kept: np.ndarray,
) -> np.ndarray:
  window = rasters.window_of(raster, rows, columns)
  planes = rasters.read_window(path, raster, bands[kept].tolist(), window)
  return np.ascontiguousarray(np.moveaxis(planes, 0, -1))


def _nodata(raster: rasterio.DatasetReader, bands: np.ndarray) -> np.ndarray | None:
  """Returns the nodata value of every band, NaN for a band without one; None if no band has one."""
  values = [raster.nodatavals[band - 1] for band in bands]
  if all(value is None for value in values):
    return None
  return np.array([np.nan if value is None else value for value in values], float)


def _scaling(raster: rasterio.DatasetReader, bands: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
  """Returns scale and offset of the bands, each float64 `[B]`; None if no band is scaled."""
  scales, offsets = (np.array(numbers, float)[bands - 1] for numbers in (raster.scales, raster.offsets))
  return None if (scales == 1).all() and (offsets == 0).all() else (scales, offsets)

"""Rasters in the formats of GDAL that keep their pixels themselves: opening, windows, georeference."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.drivers import driver_from_extension
from rasterio.enums import Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header, hdf5_check, xml_files
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import memory

# Size of GDAL's cache of raster blocks; by default it uses a share of the machine's memory.
CACHE_MB = 256

# First and last row, first and last column; the last ones are excluded.
Window = tuple[tuple[int, int], tuple[int, int]]

# GDAL's formats whose pixels are in the file itself or beside it. A file of any other format can refer to
# further files or to hosts on the network, and GDAL would read them.
FORMATS = (
  *("GTiff", "ENVI", "HFA", "JP2OpenJPEG", "netCDF", "HDF5", "PNG", "JPEG", "BMP", "GIF", "PNM"),
  *("AAIGrid", "EHdr", "RST", "SAGA", "PCRaster", "XYZ"),
)


def open_raster(path: Path) -> rasterio.DatasetReader:
  """Opens a raster for reading; for an ENVI header, its data file.

  Raises:
    RequestError: the file is missing, is no raster, has no image or several, or is shorter than its header
      declares.
  """
  path = envi_header.find_data_file(path)
  side = side_file(path)
  if os.path.isfile(side):
    # GDAL reads it as a whole.
    memory.check_file(side, xml_files.MEMORY_RATIO)
  with gdal_errors_as_requests(path), warnings.catch_warnings():
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    hdf5_check.check_values_are_inside(path)
    with rasterio.Env():
      raster = _open(path)
  if raster.count == 0:
    raise RequestError(
      f"{path.absolute()} is a container of {len(raster.subdatasets)} images; save one of them as GeoTIFF"
    )
  types = sorted(set(raster.dtypes))
  if len(types) > 1 or np.dtype(types[0]).kind not in "iuf":
    raise RequestError(
      f"{path.absolute()} has values of type {', '.join(types)}; expected real numbers of one type in all "
      "bands"
    )
  envi_header.check_data_length(path, raster)
  # GDAL reads whole blocks, with all bands if these are interleaved by pixel.
  bands = raster.count if raster.interleaving == Interleaving.pixel else 1
  largest = max(rows * columns for rows, columns in raster.block_shapes)
  memory.check_fits(bands * largest * np.dtype(types[0]).itemsize, str(path.absolute()))
  return raster


def side_file(path: Path) -> Path:
  """Returns the path of the file for the metadata that the format of a raster cannot store."""
  return path.with_name(f"{path.name}.aux.xml")


def read_window(path: Path, raster: rasterio.DatasetReader, bands: list[int], window: Window) -> np.ndarray:
  """Reads bands, counted from 1, as `[B, h, w]`.

  Raises:
    RequestError: the file is damaged, or the values do not fit into memory.
  """
  (top, bottom), (left, right) = window
  size = len(bands) * (bottom - top) * (right - left) * np.dtype(raster.dtypes[0]).itemsize
  memory.check_fits(size, str(path.absolute()))
  with gdal_errors_as_requests(path):
    return raster.read(bands, window=window)


def georeference(raster: rasterio.DatasetReader) -> Georeference | None:
  """Returns the position of a raster on the ground; None if it has no coordinate reference system.

  Raises:
    RequestError: its transform is not finite or not invertible.
  """
  if raster.crs is None:
    return None
  transform = tuple(raster.transform)[:6]
  a, b, _, d, e, _ = transform
  if not np.isfinite(transform).all() or not a * e - b * d:
    raise RequestError(
      f"{raster.name}: the geotransform {transform} gives its pixels no extent on the ground; correct it"
    )
  return Georeference(raster.crs.to_wkt(), transform)


def band_scaling(raster: rasterio.DatasetReader) -> tuple[np.ndarray, np.ndarray] | None:
  """Returns scale and offset of the bands, each float64 `[B]`; None if no band is scaled."""
  scales, offsets = np.array(raster.scales, float), np.array(raster.offsets, float)
  return None if (scales == 1).all() and (offsets == 0).all() else (scales, offsets)


@contextlib.contextmanager
def gdal_errors_as_requests(path: Path) -> Iterator[None]:
  """Turns the errors of GDAL, which are of many types, into a RequestError, and hides its log."""
  log = logging.getLogger("rasterio")
  level = log.level
  log.setLevel(logging.CRITICAL)
  try:
    yield
  except RequestError:
    raise
  except Exception as error:
    reason = " ".join(str(error.__cause__ or error).split())
    raise RequestError(
      f"{path.absolute()} cannot be read as a raster ({reason}); it may be truncated or in another format, "
      "or refer to other files as virtual rasters do: download it again, or save it as GeoTIFF"
    ) from error
  finally:
    log.setLevel(level)


def _open(path: Path) -> rasterio.DatasetReader:
  try:
    # `rasterio.open` (1.4) calls this but accepts no list of drivers. GDAL never mistakes an absolute path
    # for the name of a driver or host.
    return rasterio.DatasetReader(str(path.absolute()), driver=list(FORMATS))
  except RasterioIOError as error:
    other = _unsupported_format(path)
    if other is None or "not recognized" not in str(error):
      raise
    raise RequestError(
      f"{path.absolute()} has the file ending of GDAL's format {other}, which is not supported; save it as "
      "GeoTIFF (docs/scenes.md lists the supported formats)"
    ) from error


def _unsupported_format(path: Path) -> str | None:
  """Returns the format that belongs to a file's ending if it is not one of `FORMATS`.

  GDAL could detect it from the content, but only by opening the file and all that it refers to.
  """
  if path.suffix.lower() in envi_header.DATA_SUFFIXES:
    return None
  try:
    name = driver_from_extension(path)
  except ValueError:
    return None
  return None if name in FORMATS else name

"""Rasters in the formats of GDAL that keep their pixels themselves: opening and reading windows."""

import contextlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.drivers import driver_from_extension
from rasterio.enums import Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header, hdf5_check, raster_tags, xml_files
from mtl_hsi.storage import memory

# Size of GDAL's cache of raster blocks; by default it uses a share of the machine's memory.
_CACHE_MB = 256

# First and last row, first and last column; the last ones are excluded.
Window = tuple[tuple[int, int], tuple[int, int]]

# GDAL's formats whose pixels are in the file itself or beside it. A file of any other format can refer to
# further files or to hosts on the network, and GDAL would read them.
FORMATS = (
  *("GTiff", "ENVI", "HFA", "JP2OpenJPEG", "netCDF", "HDF5", "PNG", "JPEG", "BMP", "GIF", "PNM"),
  *("AAIGrid", "EHdr", "RST", "SAGA", "PCRaster", "XYZ"),
)

# First bytes of a TIFF and of a BigTIFF, in either byte order.
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# How many images of a container a message names.
_SHOWN = 5


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
    _check_mask_file(path)
    hdf5_check.check_file(path)
    with envi_header.readable(path) as readable:
      raster = _open(readable)
    _check(raster, path)
  return raster


@contextlib.contextmanager
def bounded_cache() -> Iterator[None]:
  """Bounds the memory in which GDAL keeps blocks of rasters, within a block or a function."""
  # Rasterio counts it in bytes, other than GDAL itself.
  with rasterio.Env(GDAL_CACHEMAX=_CACHE_MB * 2**20):
    yield


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


def read_mask(path: Path, raster: rasterio.DatasetReader, window: Window) -> np.ndarray:
  """Reads the mask of a raster, 0 where it has no measurement, uint8 `[h, w]`.

  Raises:
    RequestError: the file is damaged, or the mask does not fit into memory.
  """
  (top, bottom), (left, right) = window
  memory.check_fits((bottom - top) * (right - left), str(path.absolute()))
  with gdal_errors_as_requests(path):
    return raster.read_masks(1, window=window)


def window_of(raster: rasterio.DatasetReader, rows: slice, columns: slice) -> Window:
  """Returns the window of slices of NumPy, without a step."""
  (top, bottom, _), (left, right, _) = rows.indices(raster.height), columns.indices(raster.width)
  return (top, bottom), (left, right)


@contextlib.contextmanager
def gdal_errors_as_requests(path: Path) -> Iterator[None]:
  """Turns the errors of GDAL, which are of many types, into a RequestError, and hides its log."""
  try:
    with raster_tags.silent_log():
      yield
  except RequestError:
    raise
  except Exception as error:
    reason = " ".join(str(error.__cause__ or error).split())
    raise RequestError(
      f"{path.absolute()} cannot be read as a raster ({reason}); it may be truncated or in another format, "
      "or refer to other files as virtual rasters do: download it again, or save it as GeoTIFF"
    ) from error


def _check_single(raster: rasterio.DatasetReader, path: Path) -> None:
  """Refuses a file of several images, of which GDAL opens the first or none."""
  images = len(raster.subdatasets)
  if raster.driver == "GTiff" and images > 1:
    raise RequestError(
      f"{path.absolute()} has {images} pages, but the bands of an image must be in one; save it so, for "
      f"example with Python: numpy.save('{path.stem}.npy', numpy.moveaxis(tifffile.imread("
      f"'{path.name}'), 0, -1))"
    )
  if raster.count == 0 or images > 1:
    names = [re.sub(r".*:", "", name)[:40] for name in raster.subdatasets[:_SHOWN]]
    more = ", ..." if images > _SHOWN else ""
    raise RequestError(
      f"{path.absolute()} is a container of {images} images ({', '.join(names)}{more}) and no known "
      "product; save one of them as GeoTIFF (gdal_translate <image> <file>.tif)"
    )


def _check_mask_file(path: Path) -> None:
  """Checks that the mask beside a raster, which GDAL would open in any format, is a TIFF that fits."""
  side = path.with_name(f"{path.name}.msk")
  if not os.path.isfile(side):
    return
  with side.open("rb") as file:
    start = file.read(4)
  if start not in _TIFF_STARTS:
    raise RequestError(f"{side.absolute()} is not a mask in TIFF format; move it away from its raster")
  with rasterio.DatasetReader(str(side.absolute()), driver=["GTiff"]) as mask:
    memory.check_fits(max(rows * columns for rows, columns in mask.block_shapes), str(side.absolute()))


def _check(raster: rasterio.DatasetReader, path: Path) -> None:
  _check_single(raster, path)
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

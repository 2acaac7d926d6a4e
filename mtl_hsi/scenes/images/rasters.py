"""Rasters of some GDAL formats: opening them, ENVI's headers among them, and what they say of themselves."""

import contextlib
import logging
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
from mtl_hsi.scenes.images import hdf5_check, xml_files
from mtl_hsi.scenes.images.arrays import by
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import memory

# First and last row, first and last column, the last ones not included.
Window = tuple[tuple[int, int], tuple[int, int]]

# How the data file beside an ENVI header may be called; "" stands for the header's name without .hdr.
_ENVI_SUFFIXES = ("", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip", ".envi")
# GDAL's formats whose pixels lie in the file itself or beside it. Others name further files, or hosts on the
# network, of which GDAL reads whatever a file says.
FORMATS = (
  *("GTiff", "ENVI", "HFA", "JP2OpenJPEG", "netCDF", "HDF5", "PNG", "JPEG", "BMP", "GIF", "PNM"),
  *("AAIGrid", "EHdr", "RST", "SAGA", "PCRaster", "XYZ"),
)


def open_raster(path: Path) -> rasterio.DatasetReader:
  """Opens a raster for reading; an ENVI header stands for the data file beside it.

  Raises:
    RequestError: the file is missing, is no raster, holds no image or several, or is shorter than its header
      says.
  """
  path = data_file(path)
  side = side_file(path)
  if os.path.isfile(side):
    # GDAL reads it as a whole.
    memory.check_file(side, xml_files.RATIO)
  with reading(path), warnings.catch_warnings():
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    hdf5_check.check(path)
    # What `rasterio.open` calls, which takes no list of drivers (1.4). An absolute path is never taken for
    # the name of a driver or a host.
    with rasterio.Env():
      raster = _open(path)
  if raster.count == 0:
    raise RequestError(
      f"{path.absolute()} is a container of {len(raster.subdatasets)} images, not an image; save the one "
      "that is meant as GeoTIFF"
    )
  if len(set(raster.dtypes)) > 1 or np.dtype(raster.dtypes[0]).kind not in "iuf":
    raise RequestError(
      f"{path.absolute()} holds {', '.join(sorted(set(raster.dtypes)))}; expected real numbers of one type "
      "in all bands"
    )
  _check_length(path, raster)
  # GDAL reads blocks as a whole, of all bands where they lie pixel by pixel.
  together = raster.count if raster.interleaving == Interleaving.pixel else 1
  largest = max(rows * columns for rows, columns in raster.block_shapes)
  memory.check_fits(together * _bytes(raster, largest), str(path.absolute()))
  return raster


def _open(path: Path) -> rasterio.DatasetReader:
  try:
    return rasterio.DatasetReader(str(path.absolute()), driver=list(FORMATS))
  except RasterioIOError as error:
    other = _other_format(path)
    if other is None or "not recognized" not in str(error):
      raise
    raise RequestError(
      f"{path.absolute()} is by its ending of GDAL's format {other}, which is not read; save it as GeoTIFF "
      "(docs/configs.md lists the formats that are read)"
    ) from error


def _other_format(path: Path) -> str | None:
  """The format that a file's ending stands for, where it is none of `FORMATS`.

  GDAL would tell it from the content, but only by opening the file, and what that names.
  """
  if path.suffix.lower() in _ENVI_SUFFIXES:
    return None
  try:
    name = driver_from_extension(path)
  except ValueError:
    return None
  return None if name in FORMATS else name


def data_file(path: Path) -> Path:
  """The file to open: the data file of an ENVI header, any other file itself.

  Raises:
    RequestError: the file is missing, or the header's data file is, or there are several.
  """
  if not os.path.isfile(path):
    raise RequestError(f"no such file: {path.absolute()}")
  if path.suffix.lower() != ".hdr":
    return path
  found = [file for file in map(path.with_suffix, _ENVI_SUFFIXES) if file.is_file()]
  if len(found) == 1:
    return found[0]
  names = ", ".join(file.name for file in found) or "none"
  raise RequestError(
    f"{path.absolute()} is a header and its data file cannot be told: beside it {names}; name the data file"
  )


def side_file(path: Path) -> Path:
  """Where GDAL writes what a raster's own format has no place for."""
  return path.with_name(f"{path.name}.aux.xml")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
  """Turns what GDAL raises, which is of many types, into a RequestError; its hints are not shown."""
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
      f"{path.absolute()} cannot be read as a raster ({reason}); it may be cut short or of another format, "
      "or refer to other files as virtual rasters do: get it again, or save it as GeoTIFF"
    ) from error
  finally:
    log.setLevel(level)


def read_window(path: Path, raster: rasterio.DatasetReader, bands: list[int], window: Window) -> np.ndarray:
  """Reads bands, counted from 1, `[B, h, w]`.

  Raises:
    RequestError: the file is damaged, or what is asked for does not fit into memory.
  """
  (top, bottom), (left, right) = window
  size = len(bands) * (bottom - top) * (right - left) * np.dtype(raster.dtypes[0]).itemsize
  memory.check_fits(size, str(path.absolute()))
  with reading(path):
    return raster.read(bands, window=window)


def georeference(raster: rasterio.DatasetReader) -> Georeference | None:
  """Place of a raster on the ground; None where it has no coordinate reference system.

  Raises:
    RequestError: its pixels have no place there.
  """
  if raster.crs is None:
    return None
  place = tuple(raster.transform)[:6]
  a, b, _, d, e, _ = place
  if not np.isfinite(place).all() or not a * e - b * d:
    raise RequestError(
      f"{raster.name} places its pixels by {place}, which gives them no extent on the ground; give it "
      "another transform"
    )
  return Georeference(raster.crs.to_wkt(), place)


def band_scaling(raster: rasterio.DatasetReader) -> tuple[np.ndarray, np.ndarray] | None:
  """Scale and offset of the bands, each float64 `[B]`; None where values are physical as they are."""
  scales, offsets = np.array(raster.scales, float), np.array(raster.offsets, float)
  return None if (scales == 1).all() and (offsets == 0).all() else (scales, offsets)


def header(raster: rasterio.DatasetReader) -> dict[str, str]:
  """Fields of an ENVI header with `_` for spaces in their names; empty for other rasters."""
  return raster.tags(ns="ENVI") if raster.driver == "ENVI" else {}


def bad_band_entries(raster: rasterio.DatasetReader) -> list[str]:
  """An entry a band, "0" where it is bad: of an ENVI header or, from the EnMAP-Box, of the bands' metadata.

  Empty where the raster says nothing of that; bands that say nothing beside others are good.
  """
  entries = header_list(header(raster).get("bbl", ""))
  if entries or raster.driver == "ENVI":
    return entries
  tags = [{key.lower(): value for key, value in raster.tags(band).items()} for band in raster.indexes]
  return [own.get("bbl", "1") for own in tags] if any("bbl" in own for own in tags) else []


def header_list(text: str) -> list[str]:
  """The items of a list in an ENVI header: "{1, 2}"."""
  return [item.strip() for item in text.strip(" {}").split(",") if item.strip()]


def _check_length(path: Path, raster: rasterio.DatasetReader) -> None:
  """GDAL reads what an ENVI file lacks as zeros."""
  fields = header(raster)
  if not fields or fields.get("file_compression", "0") != "0":
    return
  offset = fields.get("header_offset", "0").strip()
  if not re.fullmatch(r"\d{1,18}", offset):
    raise RequestError(f"{path.absolute()}: its header's offset is {offset!r}, expected a number of bytes")
  needed = int(offset) + raster.count * _bytes(raster, raster.height * raster.width)
  held = os.path.getsize(path)
  if held < needed:
    shape = by((raster.height, raster.width, raster.count))
    raise RequestError(
      f"{path.absolute()} has {held} bytes and its header says {shape} of {raster.dtypes[0]}, which are "
      f"{needed}; it is cut short or the header is of another file"
    )


def _bytes(raster: rasterio.DatasetReader, pixels: int) -> int:
  """What pixels of one band take."""
  return pixels * np.dtype(raster.dtypes[0]).itemsize

"""ENVI headers: the data file of a header, and the fields that GDAL passes on as text."""

import os
import re
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape

# Endings of the data file beside a header; "" stands for the header's name without .hdr.
DATA_SUFFIXES = ("", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip", ".envi")


def find_data_file(path: Path) -> Path:
  """Returns the data file of an ENVI header, or the path itself if it is no header.

  Raises:
    RequestError: the file or its data file is missing, or there are several data files.
  """
  if not os.path.isfile(path):
    raise RequestError(f"no such file: {path.absolute()}")
  if path.suffix.lower() != ".hdr":
    return path
  found = [file for file in map(path.with_suffix, DATA_SUFFIXES) if file.is_file()]
  if len(found) == 1:
    return found[0]
  names = ", ".join(file.name for file in found) or "none"
  raise RequestError(
    f"cannot tell which data file belongs to the header {path.absolute()}; found {names}: name the data file "
    "instead of the header"
  )


def fields(raster: rasterio.DatasetReader) -> dict[str, str]:
  """Returns the fields of an ENVI header, with `_` for spaces in their names; none for other rasters."""
  return raster.tags(ns="ENVI") if raster.driver == "ENVI" else {}


def split_list(text: str) -> list[str]:
  """Returns the items of a list in an ENVI header: "{1, 2}"."""
  return [item.strip() for item in text.strip(" {}").split(",") if item.strip()]


def check_data_length(path: Path, raster: rasterio.DatasetReader) -> None:
  """Checks that an ENVI data file has all values that its header declares, as GDAL reads missing ones as 0.

  Raises:
    RequestError: it is shorter.
  """
  header = fields(raster)
  if not header or header.get("file_compression", "0") != "0":
    return
  offset = header.get("header_offset", "0").strip()
  if not re.fullmatch(r"\d{1,18}", offset):
    raise RequestError(f"{path.absolute()}: the header offset is {offset!r}; expected a number of bytes")
  shape = (raster.height, raster.width, raster.count)
  needed = int(offset) + raster.height * raster.width * raster.count * np.dtype(raster.dtypes[0]).itemsize
  size = os.path.getsize(path)
  if size < needed:
    raise RequestError(
      f"{path.absolute()} has {size} bytes, but its header declares {format_shape(shape)} values of type "
      f"{raster.dtypes[0]}, which need {needed} bytes; it is truncated, or the header belongs to another file"
    )

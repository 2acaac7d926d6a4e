"""ENVI headers: the data file of a header, and the fields that GDAL passes on as text."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.io import MemoryFile

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import raster_tags
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.storage import memory

# Endings of the data file beside a header; "" stands for the header's name without .hdr.
DATA_SUFFIXES = ("", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip", ".envi")

# Byte-order marks, and the encodings that they mark.
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_START_BYTES = 8
# Memory for a byte of a header: as bytes and, twice, as text.
_MEMORY_RATIO = 10


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


@contextlib.contextmanager
def readable(path: Path) -> Iterator[Path]:
  """Gives a path under which GDAL can read a raster: its own, unless its ENVI header has to be decoded.

  GDAL expects ENVI headers in UTF-8 without a byte-order mark. Editors and other software write other ones:
  the header is then decoded, and written anew beside a link to the data file, until the raster is open.

  Raises:
    RequestError: the header does not fit into memory.
  """
  headers = [path.with_suffix(ending) for ending in (".hdr", ".HDR")]
  headers += [path.with_name(f"{path.name}{ending}") for ending in (".hdr", ".HDR")]
  header = next((file for file in headers if file != path and file.is_file()), None)
  text = None if header is None else _foreign_text(header)
  if text is None:
    yield path
    return
  with tempfile.TemporaryDirectory(prefix="mtl_hsi-") as folder:
    link = Path(folder) / path.name
    link.symlink_to(path.absolute())
    (link.parent / header.name).write_bytes(text.encode())
    yield link


def _foreign_text(header: Path) -> str | None:
  """Returns the text of an ENVI header that is not in plain UTF-8; None for all other files."""
  with header.open("rb") as file:
    start = file.read(_START_BYTES)
  if not start.startswith((b"ENVI", *_MARKS)):
    return None
  memory.check_file(header, _MEMORY_RATIO)
  data = header.read_bytes()
  marked = next((mark for mark in _MARKS if data.startswith(mark)), b"")
  for encoding in (_MARKS.get(marked, "utf-8"), "latin-1"):
    with contextlib.suppress(UnicodeDecodeError):
      text = data[len(marked) :].decode(encoding)
      break
  return text if text.startswith("ENVI") and (marked or encoding == "latin-1") else None


def fields(raster: rasterio.DatasetReader) -> dict[str, str]:
  """Returns the fields of an ENVI header, with `_` for spaces in their names; none for other rasters."""
  return raster_tags.tags(raster, namespace="ENVI") if raster.driver == "ENVI" else {}


def class_names(raster: rasterio.DatasetReader) -> list[str]:
  """Returns the names of the classes in an ENVI header, from id 0; empty if there are none."""
  listed = split_list(fields(raster).get("class_names", ""))
  return listed if listed or raster.driver != "ENVI" else _categories(raster)


def _categories(raster: rasterio.DatasetReader) -> list[str]:
  """Returns the names of the classes as GDAL reads them, "" for classes without a name.

  GDAL's metadata omit fields with an equals sign. GDAL does read these names, but rasterio returns them only
  for a virtual raster.
  """
  with MemoryFile(ext=".vrt") as file:
    rasterio.shutil.copy(raster, file.name, driver="VRT")
    text = file.read()
  try:
    found = ElementTree.fromstring(text).findall("./VRTRasterBand[@band='1']/CategoryNames/Category")
  # A name with control characters.
  except ElementTree.ParseError:
    return []
  return [(item.text or "").strip() for item in found]


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

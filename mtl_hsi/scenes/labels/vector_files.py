"""A check of files with features before GDAL opens them.

GDAL detects a format by the content, whatever the file ending, and some formats make it open other files or
contact hosts on the network. Only files of the supported formats may reach it. (In a GeoPackage, GDAL itself
rejects views that do so.)
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

_JSON = (".geojson", ".json")
XML_SUFFIXES = (".kml", ".gml")
PARQUET_SUFFIXES = (".parquet", ".geoparquet")
# A FileGDB is a folder.
FOLDER_SUFFIX = ".gdb"
SUFFIXES = (
  *(".gpkg", ".shp", ".fgb", ".zip", FOLDER_SUFFIX),
  *(*_JSON, *XML_SUFFIXES, *PARQUET_SUFFIXES),
)
# The files of a Shapefile that are read.
SHAPEFILE_SUFFIXES = (".shp", ".shx", ".dbf", ".prj", ".cpg")

# The first bytes of each binary format.
_STARTS = {
  **{".gpkg": b"SQLite format 3\0", ".shp": b"\0\0\x27\x0a", ".fgb": b"fgb"},
  **dict.fromkeys(PARQUET_SUFFIXES, b"PAR1"),
}
_GEOJSON_TYPES = (
  *("FeatureCollection", "Feature", "GeometryCollection", "Point", "MultiPoint"),
  *("LineString", "MultiLineString", "Polygon", "MultiPolygon"),
)
# GDAL executes a file with this name at its beginning as a list of commands.
_COMMANDS = b"gdal_streamed_alg"
# The most memory, in bytes, for a byte of features: that of points in a Shapefile.
_MEMORY_RATIO = 32
# The names of the files of a FileGDB, and the one that lists the others.
_GDB_FILE = re.compile(
  r"gdb|timestamps|.*\.lock|a[0-9a-f]{8}(\.[a-z0-9_]+)*\.(gdbtable|gdbtablx|gdbindexes|atx|spx|freelist|horizon)"
)
_GDB_CATALOGUE = "a00000001.gdbtable"
# Endings of the file with the columns of a Shapefile.
_COLUMN_SUFFIXES = (".dbf", ".DBF")


def check_vector_file(path: Path, where: str) -> None:
  """Checks that a file has the format of its ending, fits into memory and refers to nothing outside itself.

  KML and GML are checked when they are read.

  Args:
    path: the file.
    where: the file that the user named, for messages.

  Raises:
    RequestError: one of these is not the case.
  """
  suffix = path.suffix.lower()
  if suffix == FOLDER_SUFFIX and os.path.isdir(path):
    _check_folder(path, where)
    return
  if not os.path.isfile(path):
    raise RequestError(f"no such file: {where}")
  if suffix == FOLDER_SUFFIX:
    raise RequestError(f"{where} is a file; a FileGDB is a folder with this ending: name it, or a zip of it")
  if suffix in _JSON:
    _check_geojson(path, where)
  elif suffix in _STARTS:
    _check_binary(path, suffix, where)


def _check_folder(path: Path, where: str) -> None:
  """Checks that a folder has the files of a FileGDB only: GDAL would open a Shapefile in it, for example."""
  size = 0
  with os.scandir(path) as found:
    entries = list(found)
  for entry in entries:
    if not _GDB_FILE.fullmatch(entry.name.lower()) or not entry.is_file(follow_symlinks=False):
      raise RequestError(f"{where} has {entry.name[:80]!r}, which is no file of a FileGDB; remove it")
    memory.check_file(Path(entry.path), _MEMORY_RATIO)
    size += entry.stat().st_size
  memory.check_fits(_MEMORY_RATIO * size // 2, where)
  if not (path / _GDB_CATALOGUE).is_file():
    raise RequestError(f"{where} is no FileGDB: it has no {_GDB_CATALOGUE}; copy the whole folder again")


def _check_binary(path: Path, suffix: str, where: str) -> None:
  with path.open("rb") as file:
    if file.read(len(_STARTS[suffix])) != _STARTS[suffix]:
      raise RequestError(f"{where} cannot be read as features: it is not a {suffix} file; download it again")
  memory.check_file(path, _MEMORY_RATIO)
  for columns in map(path.with_suffix, _COLUMN_SUFFIXES if suffix == ".shp" else ()):
    if columns.is_file():
      memory.check_file(columns, _MEMORY_RATIO)


def _check_geojson(path: Path, where: str) -> None:
  memory.check_file(path, memory.JSON_RATIO)
  data = path.read_bytes()
  try:
    content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique_names)
  except (ValueError, RecursionError) as error:
    raise RequestError(f"{where} cannot be read as features ({error}); download it again") from error
  if not isinstance(content, dict) or content.get("type") not in _GEOJSON_TYPES or _COMMANDS in data:
    raise RequestError(f"{where} is not GeoJSON; expected a FeatureCollection")
  system = content.get("crs")
  # GDAL would follow the other type, "link", to a host.
  if system is not None and not (isinstance(system, dict) and system.get("type") == "name"):
    raise RequestError(
      f"{where} refers to its coordinate reference system instead of naming it: {json.dumps(system)[:80]}; "
      "save it again"
    )


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
  """Rejects repeated names: GDAL and Python may each use another of the members."""
  found = dict(pairs)
  if len(found) < len(pairs):
    raise ValueError("an object has two members of the same name")
  return found

"""A check of files with features before GDAL opens them.

GDAL detects a format by the content, whatever the file ending, and some formats make it open other files or
contact hosts on the network. Only files of the supported formats may reach it. (In a GeoPackage, GDAL itself
rejects views that do so.)
"""

import json
import os
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb")

_JSON = (".geojson", ".json")
# The first bytes of each binary format.
_STARTS = {".gpkg": b"SQLite format 3\0", ".shp": b"\0\0\x27\x0a", ".fgb": b"fgb"}
_GEOJSON_TYPES = (
  *("FeatureCollection", "Feature", "GeometryCollection", "Point", "MultiPoint"),
  *("LineString", "MultiLineString", "Polygon", "MultiPolygon"),
)
# GDAL executes a file with this name at its beginning as a list of commands.
_COMMANDS = b"gdal_streamed_alg"
# The most memory, in bytes, for a byte of features: that of points in a Shapefile.
_MEMORY_RATIO = 32
# Endings of the file with the columns of a Shapefile.
_COLUMN_SUFFIXES = (".dbf", ".DBF")


def check_vector_file(path: Path) -> None:
  """Checks that a file has the format of its ending, fits into memory and refers to nothing outside itself.

  Raises:
    RequestError: one of these is not the case.
  """
  if not os.path.isfile(path):
    raise RequestError(f"no such file: {path.absolute()}")
  suffix, where = path.suffix.lower(), str(path.absolute())
  if suffix in _JSON:
    _check_geojson(path, where)
  else:
    _check_binary(path, suffix, where)


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

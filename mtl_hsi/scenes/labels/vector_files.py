"""What a file of features must be before GDAL opens it.

GDAL goes by a file's content, whatever its suffix, and takes some contents for orders to open other files or
to ask hosts on the network. Nothing but the formats that are read gets to it. (Of a GeoPackage's views it
refuses those that would by itself.)
"""

import json
import os
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb")

_JSON = (".geojson", ".json")
# How files of each format begin.
_STARTS = {".gpkg": b"SQLite format 3\0", ".shp": b"\0\0\x27\x0a", ".fgb": b"fgb"}
_GEOJSON_TYPES = (
  *("FeatureCollection", "Feature", "GeometryCollection", "Point", "MultiPoint"),
  *("LineString", "MultiLineString", "Polygon", "MultiPolygon"),
)
# GDAL takes a file with these words at its beginning for a list of commands.
_COMMANDS = b"gdal_streamed_alg"
# Bytes that a byte of features, points in a Shapefile at worst, can become.
_RATIO = 32
# Files beside a Shapefile that hold the columns.
_COLUMNS = (".dbf", ".DBF")


def check(path: Path) -> None:
  """Checks that a file is of the format that its suffix says, fits into memory and refers to nothing outside.

  Raises:
    RequestError: one of these does not hold.
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
      raise RequestError(f"{where} cannot be read as features: it is no {suffix} file; get it again")
  memory.check_file(path, _RATIO)
  for columns in map(path.with_suffix, _COLUMNS if suffix == ".shp" else ()):
    if columns.is_file():
      memory.check_file(columns, _RATIO)


def _check_geojson(path: Path, where: str) -> None:
  memory.check_file(path, memory.JSON_RATIO)
  data = path.read_bytes()
  try:
    content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
  except (ValueError, RecursionError) as error:
    raise RequestError(f"{where} cannot be read as features ({error}); get it again") from error
  if not isinstance(content, dict) or content.get("type") not in _GEOJSON_TYPES or _COMMANDS in data:
    raise RequestError(f"{where} is no GeoJSON; expected a FeatureCollection")
  system = content.get("crs")
  # Of the other type, "link", GDAL would ask a host.
  if system is not None and not (isinstance(system, dict) and system.get("type") == "name"):
    raise RequestError(
      f"{where} does not name its coordinate reference system but refers to it: {json.dumps(system)[:80]}; "
      "save it anew"
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
  """GDAL may take another one than Python of two members of one name."""
  found = dict(pairs)
  if len(found) < len(pairs):
    raise ValueError("a name stands twice in one object")
  return found

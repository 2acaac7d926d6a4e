"""Features in Shapefiles: shapes, index and columns; the reference system does not change."""

from pathlib import Path

import shapely

from fuzz import features, wrapping
from tests.scenes import formats

_PARTS = (".shp", ".shx", ".dbf")
_SHAPES = shapely.box(0, 0, 3, 3), shapely.Point(5, 5), shapely.LineString([(6, 6), (9, 9)])


def seeds(folder: Path) -> list[bytes]:
  path, found = folder / "a.shp", []
  for shape in map(formats.in_crs, _SHAPES):
    formats.save_features(path, [shape, shape], class_name=["maize", "maize"])
    found.append(wrapping.join([path.with_suffix(part).read_bytes() for part in _PARTS]))
  return found


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.shp"
  for part, content in zip(_PARTS, wrapping.split(data, len(_PARTS)), strict=True):
    path.with_suffix(part).write_bytes(content)
  features.feed_file(path)

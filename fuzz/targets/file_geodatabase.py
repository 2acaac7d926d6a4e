"""Features in FileGDBs: the tables with the features and their index; the other files do not change."""

import shutil
from pathlib import Path

import shapely

from fuzz import features, wrapping
from tests.scenes import formats

_SHAPES = shapely.box(0, 0, 3, 3), shapely.Point(5, 5)
# The catalogue, and the table of the first layer.
_PARTS = ("a00000001.gdbtable", "a00000004.gdbtable", "a00000009.gdbtable", "a00000009.gdbtablx")


def seeds(folder: Path) -> list[bytes]:
  place, found = folder / "a.gdb", []
  for shape in map(formats.in_crs, _SHAPES):
    shutil.rmtree(place, ignore_errors=True)
    formats.save_features(place, [shape, shape], driver="OpenFileGDB", class_name=["maize", "lawn"])
    found.append(wrapping.join([(place / part).read_bytes() for part in _PARTS]))
  return found


def feed(data: bytes, folder: Path) -> None:
  place = folder / "a.gdb"
  for part, content in zip(_PARTS, wrapping.split(data, len(_PARTS)), strict=True):
    (place / part).write_bytes(content)
  features.feed_file(place)

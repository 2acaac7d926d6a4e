"""Seeds and readers of all vector formats."""

from pathlib import Path

import shapely

from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.vectors import read_features
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))


def seeds(path: Path, **options: str) -> list[bytes]:
  """Returns files with a polygon, a point and a line, with classes by id and by name."""
  shapes = [shapely.box(0, 0, 3, 3), shapely.Point(5, 5), shapely.LineString([(6, 6), (9, 9)])]
  shapes = [formats.in_crs(shape) for shape in shapes]
  found = []
  for classes in ([1, 2, 3], ["maize", "lawn", None]):
    path.unlink(missing_ok=True)
    found.append(formats.save_features(path, shapes, class_id=classes, **options).read_bytes())
  return found


def feed(data: bytes, path: Path) -> None:
  """Reads labels from a file with the given content."""
  path.write_bytes(data)
  feed_file(path)


def feed_file(path: Path) -> None:
  """Reads labels from an existing file."""
  label_features(read_features(path, None, Reading()), _GRID, Reading())

"""What the families of vector formats have in common."""

from pathlib import Path

import shapely

from mtl_hsi.scenes.labels.label_set import Columns, Grid
from mtl_hsi.scenes.labels.vectors import read_features
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))


def seeds(path: Path, **options: str) -> list[bytes]:
  """Polygon, point and line of classes by id and by name, in the format of the file's ending."""
  shapes = [shapely.box(0, 0, 3, 3), shapely.Point(5, 5), shapely.LineString([(6, 6), (9, 9)])]
  shapes = [formats.in_crs(shape) for shape in shapes]
  found = []
  for classes in ([1, 2, 3], ["maize", "lawn", None]):
    path.unlink(missing_ok=True)
    found.append(formats.save_features(path, shapes, class_id=classes, **options).read_bytes())
  return found


def read(data: bytes, path: Path) -> None:
  """Reads labels from a file of these bytes."""
  path.write_bytes(data)
  labels(path)


def labels(path: Path) -> None:
  """Reads labels from a file that is there."""
  read_features(path, None, _GRID, Columns(None, None), None)

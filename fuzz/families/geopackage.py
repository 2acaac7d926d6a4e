"""Features in GeoPackages, which are SQLite databases."""

from pathlib import Path

import shapely

from mtl_hsi.scenes import label_vectors
from mtl_hsi.scenes.labels import Columns, Grid
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))


def seeds(folder: Path) -> list[bytes]:
  shapes = [shapely.box(0, 0, 3, 3), shapely.Point(5, 5), shapely.LineString([(6, 6), (9, 9)])]
  shapes = [formats.in_crs(shape) for shape in shapes]
  path = folder / "seed.gpkg"
  found = []
  for classes in ([1, 2, 3], ["maize", "lawn", None]):
    path.unlink(missing_ok=True)
    found.append(formats.save_features(path, shapes, class_id=classes).read_bytes())
  return found


def read(data: bytes, folder: Path) -> None:
  path = folder / "a.gpkg"
  path.write_bytes(data)
  label_vectors.read(path, None, _GRID, Columns(None, None), None)

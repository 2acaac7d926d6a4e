"""Features in GeoParquet."""

from pathlib import Path

import geopandas
import shapely

from fuzz import features
from tests.scenes import formats


def seeds(folder: Path) -> list[bytes]:
  shapes = [formats.in_crs(shape) for shape in (shapely.box(0, 0, 3, 3), shapely.Point(5, 5))]
  path, found = folder / "seed.parquet", []
  for classes, compression in (([1, 2], None), (["maize", "lawn"], "snappy"), (["maize", "maize"], "gzip")):
    frame = geopandas.GeoDataFrame({"class_id": classes}, geometry=shapes, crs=formats.CRS)
    frame.to_parquet(path, compression=compression)
    found.append(path.read_bytes())
  return found


def feed(data: bytes, folder: Path) -> None:
  features.feed(data, folder / "a.parquet")

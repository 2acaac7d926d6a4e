"""A simulated scene like those of users: an image, and polygons with classes."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from benchmarks.our_side import CLASSES
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public.sensors import Sensor
from mtl_hsi.scenes.simulated.simulate import simulate

IMAGE, POLYGONS, COLUMN = "image.tif", "polygons.gpkg", "class"

# Pixels of 30 m in UTM zone 33 north.
_CRS, _EAST, _NORTH, _PIXEL = "EPSG:32633", 400_000.0, 5_800_000.0, 30.0
_SHORTEST_NM, _LONGEST_NM = 450.0, 2350.0
# Without roads, which are too narrow for polygons.
_CLASSES = CLASSES[1:9]
# Side of a polygon in pixels.
_POLYGON = 4


def write(directory: Path, *, side: int, bands: int, polygons: int) -> None:
  """Writes `IMAGE` and `POLYGONS`: labelled squares, each inside a region of one class.

  Args:
    directory: where to write.
    side: rows and columns of the image.
    bands: number of bands.
    polygons: number of polygons.
  """
  import rasterio

  centres = np.linspace(_SHORTEST_NM, _LONGEST_NM, bands)
  scene = simulate(
    "simulated",
    height=side,
    width=side,
    sensor=Sensor("evenly spaced", centres, np.gradient(centres)),
    classes=_CLASSES,
    seed=0,
    labelled_fraction=1.0,
  )
  transform = rasterio.Affine(_PIXEL, 0, _EAST, 0, -_PIXEL, _NORTH)
  profile = {"driver": "GTiff", "crs": _CRS, "transform": transform, "dtype": scene.cube.dtype.name}
  with rasterio.open(directory / IMAGE, "w", height=side, width=side, count=bands, **profile) as image:
    image.write(np.moveaxis(scene.cube, 2, 0))
  _write_polygons(directory / POLYGONS, scene, polygons)


def _write_polygons(path, scene, count):
  import geopandas
  from shapely.geometry import box

  generator = np.random.default_rng(0)
  free = np.ones(scene.labels.shape, bool)
  names, shapes, classes = [], [], sorted(scene.class_names)
  while len(shapes) < count:
    before = len(shapes)
    for class_id in classes:
      inside = ndimage.binary_erosion((scene.labels == class_id) & free, np.ones((_POLYGON, _POLYGON)))
      corners = np.argwhere(inside) - _POLYGON // 2
      if not len(corners) or len(shapes) == count:
        continue
      top, left = generator.choice(corners)
      free[max(top - 1, 0) : top + _POLYGON + 1, max(left - 1, 0) : left + _POLYGON + 1] = False
      west, north = _EAST + left * _PIXEL, _NORTH - top * _PIXEL
      shapes.append(box(west, north - _POLYGON * _PIXEL, west + _POLYGON * _PIXEL, north))
      names.append(scene.class_names[class_id])
    if len(shapes) == before:
      raise RequestError(f"the simulated scene has room for only {before} of {count} polygons")
  geopandas.GeoDataFrame({COLUMN: names}, geometry=shapes, crs=_CRS).to_file(path, driver="GPKG")

"""Areas of pixels on the ground, against tables and against geodesic polygons."""

import itertools

import numpy as np
import pyproj
import pytest

from mtl_hsi.evaluation.pixel_areas import pixel_areas
from mtl_hsi.scenes.scene import Georeference

_SITE = 'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'


@pytest.mark.parametrize(
  ("crs", "transform", "hectares"),
  [
    ("EPSG:32632", (30.0, 0, 500000, 0, -30.0, 5000000), 0.09),
    # With heights.
    ("EPSG:32632+5773", (30.0, 0, 500000, 0, -30.0, 5000000), 0.09),
    # Turned by 30 degrees.
    ("EPSG:32632", (2 * 0.75**0.5, 1.0, 500000, 1.0, -2 * 0.75**0.5, 5000000), 0.0004),
    # US survey feet.
    ("EPSG:2263", (10.0, 0, 980000, 0, -10.0, 200000), (10 * 1200 / 3937) ** 2 / 10000),
  ],
)
def test_systems_that_keep_areas_are_believed(crs, transform, hectares):
  found = pixel_areas(Georeference(crs, transform), 40, 30)
  assert found.hectares.shape == (1, 1)
  assert found.hectares.item() == pytest.approx(hectares, rel=1e-12)


def test_a_pixel_in_degrees_has_the_area_that_tables_give():
  found = pixel_areas(Georeference("EPSG:4326", (0.001, 0, 7, 0, -0.001, 45.0005)), 1, 1)
  # A degree at 45 degrees north is 111.1317 km from south to north and 78.8468 km from west to east.
  assert found.hectares.item() == pytest.approx(111.1317 * 78.8468 / 10000, rel=1e-5)
  # In grads, a tenth less.
  found = pixel_areas(Georeference("EPSG:4807", (0.001, 0, 2, 0, -0.001, 50.0005)), 1, 1)
  assert found.hectares.item() == pytest.approx(0.81 * 111.1317 * 78.8468 / 10000, rel=1e-3)


@pytest.mark.parametrize(
  ("crs", "transform"),
  [
    ("EPSG:4326", (0.01, 0, 7, 0, -0.01, 47)),
    # Across the date line.
    ("EPSG:4326", (0.01, 0, 179.5, 0, -0.01, -17)),
    # Web Mercator, whose square metres are twice the true ones here.
    ("EPSG:3857", (100, 0, 800000, 0, -100, 5800000)),
    # Around the pole.
    ("EPSG:3413", (1000, 0, -100000, 0, -1000, 150000)),
  ],
)
def test_all_pixels_together_are_the_geodesic_polygon_around_them(crs, transform):
  height, width = 300, 200
  pixels = pixel_areas(Georeference(crs, transform), height, width)
  # By windows, as of a large image.
  parts = [
    pixels.by_id(np.full((100, 50), 1), slice(row, row + 100), slice(column, column + 50), 2)
    for row in range(0, height, 100)
    for column in range(0, width, 50)
  ]
  corners = np.array([(0, 0), (height, 0), (height, width), (0, width), (0, 0)], float)
  rows, columns = np.concatenate([np.linspace(*pair, 500) for pair in itertools.pairwise(corners)]).T
  a, b, c, d, e, f = transform
  system = pyproj.CRS(crs)
  to_degrees = pyproj.Transformer.from_crs(system, system.geodetic_crs, always_xy=True)
  outline = to_degrees.transform(a * columns + b * rows + c, d * columns + e * rows + f)
  area, _ = system.get_geod().polygon_area_perimeter(*outline)
  assert sum(parts) == pytest.approx([0, abs(area) / 10000], rel=1e-6)


@pytest.mark.parametrize(
  "place",
  [
    None,
    Georeference("nowhere", (1.0, 0, 0, 0, -1.0, 0)),
    Georeference(_SITE, (1.0, 0, 0, 0, -1.0, 0)),
    Georeference("EPSG:32632", (1.0, 0, 1e12, 0, -1.0, 0)),
  ],
)
def test_what_has_no_place_on_earth_has_no_area(place):
  assert pixel_areas(place, 3, 4) is None

"""Areas of pixels and of classes, against tables, geodesic polygons and counts by hand."""

import itertools
import json

import numpy as np
import pyproj
import pytest
import rasterio

from mtl_hsi.evaluation.areas import PixelAreas, class_areas, pixel_areas
from mtl_hsi.scenes.scene import Georeference
from tests import launching
from tests.scenes import formats

MAPS = np.array([[[1, 1, 4], [9, 9, 4]], [[1, 1, 1], [1, 9, 4]]])
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
def test_nominal_areas_of_equal_area_systems_are_kept(crs, transform, hectares):
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
def test_without_a_position_on_earth_there_are_no_areas(place):
  assert pixel_areas(place, 3, 4) is None


def test_pixels_are_counted_over_replicas_without_those_that_hold_nothing():
  nodata = np.array([[False, False, True], [False, False, False]])
  areas = class_areas(MAPS, [1, 4, 9], nodata, None)
  assert [area["map_pixels"]["mean"] for area in areas] == [2.5, 1, 1.5]
  assert areas[0]["map_pixels"]["std"] == 0.5
  assert all(area["map_hectares"] is None for area in areas)


def test_hectares_are_pixels_times_their_size():
  areas = class_areas(MAPS, [1, 4, 7, 9], None, PixelAreas(*np.zeros((2, 1)), np.full((1, 1), 0.09)))
  assert [area["map_pixels"]["mean"] for area in areas] == [3, 1.5, 0, 1.5]
  assert areas[0]["map_hectares"] == pytest.approx({"mean": 0.27, "std": 0.09})


def test_every_pixel_counts_with_its_own_area():
  pixels = PixelAreas(np.arange(2), np.arange(3), np.array([[1.0, 2, 4], [8, 16, 32]]))
  nodata = np.array([[False, False, False], [False, False, True]])
  areas = class_areas(MAPS, [1, 4, 9], nodata, pixels)
  assert [area["map_hectares"]["mean"] for area in areas] == [(3 + 15) / 2, 4 / 2, (24 + 16) / 2]
  assert areas[0]["map_hectares"]["std"] == 6


def test_a_run_in_degrees_reports_hectares(tmp_path):
  labels = np.repeat([[1, 2], [2, 1]], 9, axis=0).repeat(8, axis=1).astype(np.uint8)
  # Pixels of about 1.1 x 0.8 km, at 45 degrees north.
  place = {"crs": "EPSG:4326", "transform": rasterio.Affine(0.01, 0, 7, 0, -0.01, 45.09)}
  formats.save_raster(tmp_path / "cube.tif", launching.cube(labels), **place)
  formats.save_raster(tmp_path / "gt.tif", labels, **place)
  outcome = launching.launch(
    f"--config={launching.ROOT / 'configs' / 'letter.py'}:field",
    f"--workdir={tmp_path / 'run'}",
    f"--config.files.field.cube={tmp_path / 'cube.tif'}",
    f"--config.files.field.labels={tmp_path / 'gt.tif'}",
    *("--config.model.name=svm", "--config.samples_per_class=4", "--config.replicas=2"),
  )
  assert outcome.status == 0, outcome.err
  classes = json.loads((tmp_path / "run" / "metrics.json").read_text())["scenes"]["field"]["per_class"]
  assert sum(area["map_pixels"]["mean"] for area in classes) == labels.size
  # A degree is 111.132 km from south to north there, and 78.847 km from west to east.
  whole = labels.size * 1.11132 * 0.78847 * 100
  assert sum(area["map_hectares"]["mean"] for area in classes) == pytest.approx(whole, rel=1e-4)
  assert "<th>Hectares</th>" in (tmp_path / "run" / "report.html").read_text()

"""Areas of classes in maps, against counts by hand."""

import json

import numpy as np
import pytest
import rasterio

from mtl_hsi.evaluation import area
from mtl_hsi.evaluation.pixel_areas import PixelAreas
from tests import launching
from tests.scenes import formats

MAPS = np.array([[[1, 1, 4], [9, 9, 4]], [[1, 1, 1], [1, 9, 4]]])


def test_pixels_are_counted_over_replicas_without_those_that_hold_nothing():
  nodata = np.array([[False, False, True], [False, False, False]])
  areas = area.class_areas(MAPS, [1, 4, 9], nodata, None)
  assert [own["map_pixels"]["mean"] for own in areas] == [2.5, 1, 1.5]
  assert areas[0]["map_pixels"]["std"] == 0.5
  assert all(own["map_hectares"] is None for own in areas)


def test_hectares_are_pixels_times_their_size():
  areas = area.class_areas(MAPS, [1, 4, 7, 9], None, PixelAreas(*np.zeros((2, 1)), np.full((1, 1), 0.09)))
  assert [own["map_pixels"]["mean"] for own in areas] == [3, 1.5, 0, 1.5]
  assert areas[0]["map_hectares"] == pytest.approx({"mean": 0.27, "std": 0.09})


def test_every_pixel_counts_with_its_own_area():
  pixels = PixelAreas(np.arange(2), np.arange(3), np.array([[1.0, 2, 4], [8, 16, 32]]))
  nodata = np.array([[False, False, False], [False, False, True]])
  areas = area.class_areas(MAPS, [1, 4, 9], nodata, pixels)
  assert [own["map_hectares"]["mean"] for own in areas] == [(3 + 15) / 2, 4 / 2, (24 + 16) / 2]
  assert areas[0]["map_hectares"]["std"] == 6


def test_a_run_on_degrees_tells_hectares(tmp_path):
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
  assert sum(own["map_pixels"]["mean"] for own in classes) == labels.size
  # A degree is 111.132 km from south to north there, and 78.847 km from west to east.
  whole = labels.size * 1.11132 * 0.78847 * 100
  assert sum(own["map_hectares"]["mean"] for own in classes) == pytest.approx(whole, rel=1e-4)
  assert "<th>Hectares</th>" in (tmp_path / "run" / "report.html").read_text()

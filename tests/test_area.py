"""Areas of classes in maps, against counts by hand."""

import numpy as np
import pytest

from mtl_hsi import area
from mtl_hsi.scenes.scene import Georeference

MAPS = np.array([[[1, 1, 4], [9, 9, 4]], [[1, 1, 1], [1, 9, 4]]])


def test_pixels_are_counted_over_replicas_without_those_that_hold_nothing():
  nodata = np.array([[False, False, True], [False, False, False]])
  areas = area.class_areas(MAPS, [1, 4, 9], nodata, None)
  assert [own["map_pixels"]["mean"] for own in areas] == [2.5, 1, 1.5]
  assert areas[0]["map_pixels"]["std"] == 0.5
  assert all(own["map_hectares"] is None for own in areas)


def test_hectares_are_pixels_times_their_size():
  areas = area.class_areas(MAPS, [1, 4, 7, 9], None, 0.09)
  assert [own["map_pixels"]["mean"] for own in areas] == [3, 1.5, 0, 1.5]
  assert areas[0]["map_hectares"] == pytest.approx({"mean": 0.27, "std": 0.09})


@pytest.mark.parametrize(
  ("crs", "transform", "hectares"),
  [
    ("EPSG:32632", (30.0, 0, 500000, 0, -30.0, 5000000), 0.09),
    # Turned by 30 degrees.
    ("EPSG:32632", (2 * 0.75**0.5, 1.0, 0, 1.0, -2 * 0.75**0.5, 0), 0.0004),
    # US survey feet.
    ("EPSG:2263", (10.0, 0, 0, 0, -10.0, 0), (10 * 1200 / 3937) ** 2 / 10000),
    ("EPSG:4326", (0.001, 0, 7, 0, -0.001, 46), None),
    ("nowhere", (1.0, 0, 0, 0, -1.0, 0), None),
  ],
)
def test_a_pixel_has_an_area_where_the_unit_is_a_length(crs, transform, hectares):
  found = area.pixel_hectares(Georeference(crs, transform))
  assert found is None if hectares is None else found == pytest.approx(hectares)


def test_without_georeference_there_is_no_area():
  assert area.pixel_hectares(None) is None

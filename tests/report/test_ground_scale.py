import pytest

from mtl_hsi.report.ground_scale import metres_per_column
from mtl_hsi.scenes.scene import Georeference


def metres(crs, transform, height=100, width=100):
  return metres_per_column(Georeference(crs, transform), height, width)


def test_utm_has_nearly_its_nominal_length():
  found = metres("EPSG:32632", (10.0, 0, 500000, 0, -10.0, 5300000))
  assert len(found) == 9
  assert found == pytest.approx([10.0] * 9, rel=1e-3)


def test_a_degree_of_longitude_is_shorter_in_the_north():
  found = metres("EPSG:4326", (0.1, 0, 11.0, 0, -0.6, 60.0))
  # At 60 degrees a degree of longitude is 55.800 km, at the equator 111.320 km.
  assert (found[0], found[-1]) == pytest.approx((5580.0, 11132.0), rel=1e-4)
  assert found == sorted(found)


def test_web_mercator_counts_on_the_ground():
  assert metres("EPSG:3857", (10.0, 0, 1e6, 0, -10.0, 8399737.9), 1, 4) == pytest.approx([5.0126], rel=1e-3)


def test_a_rotated_image_is_measured_along_its_rows():
  turned = metres("EPSG:32632", (0.0, 10.0, 500000, 10.0, 0.0, 5300000))
  assert turned == pytest.approx([10.0] * 9, rel=1e-3)


def test_at_a_pole_the_length_is_zero():
  found = metres("EPSG:4326", (1, 0, -180, 0, -1, 90), 180, 360)
  assert found[0] == pytest.approx(0, abs=1e-6)
  assert found[4] == pytest.approx(111_320, rel=1e-3)


@pytest.mark.parametrize(
  ("crs", "transform"),
  [
    ('LOCAL_CS["Field",UNIT["metre",1]]', (1, 0, 0, 0, -1, 0)),
    (None, (1, 0, 0, 0, -1, 0)),
    ("EPSG:32632", (1e12, 0, 0, 0, -1, 0)),
  ],
)
def test_without_a_position_on_earth_there_is_no_length(crs, transform):
  assert metres(crs, transform) == []
  assert metres_per_column(None, 3, 4) == []

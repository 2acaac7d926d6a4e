"""Georeferences and dates from the metadata of products."""

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import positions

_TRANSFORM = (30.0, 0.0, 500_000.0, 0.0, -30.0, 5_400_000.0)


@pytest.mark.parametrize(
  ("texts", "date"),
  [
    (("PRS_L2D_STD_20240402102837_20240402102842_0001.he5",), "2024-04-02"),
    (("2022-09-03T16:31:29+0000",), "2022-09-03"),
    (("AV320231005t181518_000_RFL_ORT.nc",), "2023-10-05"),
    (("EMIT_L2A_RFL_001_20220903T163129_2224611_012.nc",), "2022-09-03"),
    ((None, "", "a.nc", "20230231", "20230228"), "2023-02-28"),
    (("a.nc",), None),
  ],
)
def test_the_first_date(texts, date):
  assert positions.find_date(*texts) == date


@pytest.mark.parametrize("crs", [32633, "32633", "EPSG:32633", " epsg:32633"])
def test_reference_systems(crs):
  found = positions.georeference(crs, _TRANSFORM, "here")
  assert found.crs == positions.georeference(found.crs, _TRANSFORM, "here").crs
  assert "UTM zone 33N" in found.crs
  assert found.transform == _TRANSFORM


@pytest.mark.parametrize(
  ("crs", "message"),
  [
    (1, "here: the coordinate reference system EPSG:1 is unknown"),
    ("+proj=utm +zone=33", "system '.proj=utm .zone=33' is unknown"),
    ("http://127.0.0.1/crs", "is unknown"),
  ],
)
def test_unknown_reference_systems_are_rejected(crs, message):
  with pytest.raises(RequestError, match=message):
    positions.georeference(crs, _TRANSFORM, "here")


def test_pixels_without_extent_are_rejected():
  with pytest.raises(RequestError, match="gives its pixels no extent"):
    positions.georeference(32633, (0.0, *_TRANSFORM[1:]), "here")


def test_geotransforms():
  assert positions.parse_geotransform("500000 30 0, 5400000,0 -30 ") == _TRANSFORM
  assert positions.parse_geotransform("500000 30 0") is None
  assert positions.parse_geotransform("here") is positions.parse_geotransform(None) is None
  assert positions.north_up(500_000, 5_400_000, 500_060, 5_399_910, (3, 2)) == _TRANSFORM

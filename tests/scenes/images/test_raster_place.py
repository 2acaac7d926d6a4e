"""Positions of rasters with ground control points, or without a coordinate reference system."""

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint

from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.uint16).reshape(3, 4, 5)


def _points(*, bent: float = 0.0):
  """Control points of a grid of 4 m rotated by a little; the last one is `bent` metres off."""
  transform = rasterio.Affine(4, 0.5, 500_000, 0.5, -4, 5_400_000)
  pixels = [(0, 0), (4, 0), (0, 3), (4, 3), (2, 1)]
  points = [GroundControlPoint(row, col, *(transform @ (col, row))) for col, row in pixels]
  points[-1].x += bent
  return transform, points


def _save(path, points, crs="EPSG:32633"):
  return formats.save_unplaced(path, _CUBE, gcps=points, crs=crs)


def test_control_points_of_an_affine_grid_give_its_transform(tmp_path):
  transform, points = _points()
  image = Image.open(_save(tmp_path / "a.tif", points))
  np.testing.assert_allclose(image.georeference.transform, tuple(transform)[:6], atol=1e-6)
  assert rasterio.CRS.from_user_input(image.georeference.crs).to_epsg() == 32633
  assert "5 ground control points; its geotransform is fitted" in image.remarks[0]


@pytest.mark.parametrize("points", [_points(bent=10)[1], _points()[1][:2]])
def test_other_control_points_give_no_position_and_the_remark_tells_how_to_warp(tmp_path, points):
  image = Image.open(_save(tmp_path / "a.tif", points))
  assert image.georeference is None
  assert "gdalwarp -tps" in image.remarks[0]


def test_a_transform_without_a_system_is_kept(tmp_path):
  image = Image.open(formats.save_unplaced(tmp_path / "a.tif", _CUBE, transform=formats.TRANSFORM))
  assert image.georeference.crs is None
  assert image.georeference.transform == tuple(formats.TRANSFORM)[:6]


def test_a_system_without_a_transform_is_no_position(tmp_path):
  image = Image.open(formats.save_unplaced(tmp_path / "a.tif", _CUBE, crs=formats.CRS))
  assert image.georeference is None
  assert "no geotransform" in image.remarks[0]


def test_plain_images_have_no_remark(tmp_path):
  image = Image.open(formats.save_raster(tmp_path / "a.tif", _CUBE, crs=None))
  assert (image.georeference, image.remarks) == (None, ())

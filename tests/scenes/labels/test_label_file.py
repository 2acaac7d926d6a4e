"""Labels on pixels without a measurement."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_LABELS = np.array([[0, 1, 3, 0], [1, 1, 0, 3], [3, 0, 0, 1]], np.uint8)


def test_labels_on_nodata_are_dropped(tmp_path):
  holes = _CUBE.copy()
  holes[1, 1] = holes[2, 1] = -1
  cube = formats.save_raster(tmp_path / "cube.tif", holes, nodata=-1)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", _LABELS))
  assert scene.labels[1, 1] == 0
  assert scene.remarks == ("1 label dropped because its pixel has no measurement (nodata)",)
  assert np.argwhere(scene.nodata).tolist() == [[1, 1], [2, 1]]


def test_a_scene_of_nodata_is_rejected(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", np.full_like(_CUBE, -1), nodata=-1)
  with pytest.raises(RequestError, match="has no measurement at all: every pixel is nodata"):
    formats.read(cube, formats.save_raster(tmp_path / "gt.tif", _LABELS))


def test_messages_name_bands_of_nodata(tmp_path):
  values = _CUBE.copy()
  values[..., [1, 3]] = -1
  cube = formats.save_raster(tmp_path / "cube.tif", values, nodata=-1)
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  message = r"bands 1,3 \(from 0\) have the same value everywhere; set bad_bands=1,3$"
  with pytest.raises(RequestError, match=message):
    formats.read(cube, labels)
  with pytest.raises(RequestError, match=r"bands 3 .*; set bad_bands=1,3$"):
    formats.read(cube, labels, bad_bands="1")
  assert formats.read(cube, labels, bad_bands="1,3").cube.shape[2] == _CUBE.shape[2] - 2


def test_units_on_nodata_are_dropped(tmp_path):
  holes = _CUBE.copy()
  holes[1, 1] = -1
  cube = formats.save_raster(tmp_path / "cube.tif", holes, nodata=-1)
  table = tmp_path / "gt.csv"
  table.write_text("row,column,class\n0,1,1\n1,1,1\n2,0,3")
  units = formats.read(cube, table).units
  np.testing.assert_array_equal(units, [[0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 0]])


def test_label_images_have_no_units(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE)
  assert formats.read(cube, formats.save_raster(tmp_path / "gt.tif", _LABELS)).units is None

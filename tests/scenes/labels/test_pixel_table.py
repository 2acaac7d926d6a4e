"""Labels from tables of pixels."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _csv(path, *lines):
  path.write_text("\n".join(lines))
  return path


def test_a_table_of_pixels(cube, tmp_path):
  path = _csv(tmp_path / "gt.csv", "column, row, class, by", "1,0,maize,me", "3,2,lawn,", "1,0,maize,you")
  scene = formats.read(cube, path)
  np.testing.assert_array_equal(scene.labels, [[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
  assert scene.class_names == {1: "lawn", 2: "maize"}
  path = _csv(tmp_path / "gt.csv", "row;column;crop", "0;1;5", "2;3;2.0")
  assert formats.read(cube, path, label_column="crop").class_ids.tolist() == [2, 5]


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["0,1,maize"], r"has no column 'class' \(columns: 0, 1, maize\); its first line must name"),
    (["a,b,class", "0,1,maize"], r"has no columns of places: row and column, .* \(columns: a, b, class\)"),
    (["row,column,klass", "0,1,maize"], r"has no column 'class' \(columns: row, column, klass\)"),
    (["row,column,class"], "has no rows below its header"),
    (
      ["row,column,class", "0,1,a", "0,4,b"],
      "line 3: column 4 is outside the scene; its last column is 3",
    ),
    (["row,column,class", "-1,1,a"], "line 2: row is '-1'; expected a whole number from 0 to 2"),
    (["row,column,class", "1.5,1,a"], "line 2: row is '1.5'; expected a whole number"),
    (["row,column,class", "1,1", "1,2,"], "gt.csv: no row has a class"),
    (
      ["row,column,class", "1,1,a", "1,1,b"],
      "line 3: row 1, column 1 has 'b' in the column 'class', but another value in line 2",
    ),
    ([], "has no column"),
  ],
)
def test_invalid_tables_are_rejected(cube, tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    formats.read(cube, _csv(tmp_path / "gt.csv", *lines))


def test_every_row_with_a_class_is_a_unit(cube, tmp_path):
  lines = ["row,column,class", "0,1,5", "2,3,2", "1,1,", "0,1,5", "1,2,2", "0,0,-1"]
  scene = formats.read(cube, _csv(tmp_path / "gt.csv", *lines))
  np.testing.assert_array_equal(scene.units, [[0, 4, 0, 0], [0, 0, 5, 0], [0, 0, 0, 2]])
  assert scene.remarks == ("1 row without a class left out", "1 row of negative classes left out")
  assert scene.units.dtype == np.int32

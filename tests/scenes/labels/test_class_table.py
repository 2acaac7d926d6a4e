"""Tables of classes."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.class_table import read_class_table
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_LABELS = np.array([[0, 1, 3, 0], [1, 1, 0, 3], [3, 0, 0, 1]], np.uint8)


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _csv(path, *lines):
  path.write_text("\n".join(lines))
  return path


def test_a_table_of_classes_defines_ids_names_and_colours(cube, tmp_path):
  classes = _csv(tmp_path / "c.csv", "id,name,colour", "20,maize,#FFa000", "5,lawn,", "9,roof,#000001")
  pixels = _csv(tmp_path / "gt.csv", "row,column,class", "0,1,maize", "2,3,lawn")
  scene = formats.read(cube, pixels, classes=classes)
  assert scene.labels[0, 1] == 20
  assert scene.class_names == {5: "lawn", 20: "maize"}
  assert scene.class_colours == {20: (255, 160, 0)}
  labels = formats.save_raster(tmp_path / "gt.tif", np.where(_LABELS, _LABELS * 4 + 5, 0).astype(np.uint8))
  with pytest.raises(
    RequestError, match=r"names for ids \[5, 9, 20\], but the labels in .*gt\.tif also contain \[17\]"
  ):
    formats.read(cube, labels, classes=classes)
  pixels = _csv(tmp_path / "gt.csv", "row,column,class", "0,1,maize", "2,3,wheat")
  with pytest.raises(RequestError, match="classes 'wheat' are not in the table of classes; it lists 'maize'"):
    formats.read(cube, pixels, classes=classes)


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["id;colour", "1;#000000"], "has no column 'name'"),
    (["id,name", "one,maize"], "line 2 has id 'one' and name 'maize'; expected a whole number of at most 15"),
    (["id,name", "1,"], "line 2 has id '1' and name ''; expected a whole number of at most 15"),
    (["id,name", "1,a", "1,b"], r"line 3: class 1 \('b'\) is listed twice"),
    (["id,name", "1,a", "2,a"], r"line 3: class 2 \('a'\) is listed twice"),
    (["id,name,color", "1,a,red"], "line 2: the colour is 'red'; expected #rrggbb"),
  ],
)
def test_invalid_tables_of_classes_are_rejected(tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    read_class_table(_csv(tmp_path / "c.csv", *lines))

"""Classes whose number in the labels cannot be an id of outputs."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_CODES = np.array([[0, 1, 2, 0], [1, 1, 9, 2], [2, 9, 9, 1]])


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _csv(path, *lines):
  path.write_text("\n".join(lines))
  return path


def _features(path, codes):
  shapes = [formats.in_crs(box) for box in formats.boxes(*codes.shape)]
  return formats.save_features(path, shapes, crop=codes.ravel().tolist())


def test_class_0_of_features_has_the_next_id(cube, tmp_path):
  scene = formats.read(cube, _features(tmp_path / "gt.gpkg", _CODES))
  np.testing.assert_array_equal(scene.labels, np.where(_CODES, _CODES, 10))
  assert scene.class_names == {1: "class 1", 2: "class 2", 9: "class 9", 10: "class 0"}
  assert scene.class_codes == {10: 0}
  assert scene.remarks == (
    "class number of the labels with another id in all outputs, where ids are 1 to 65535: 0 is 10 (class 0); "
    "if 0 means unlabelled in the labels, set labels_nodata=0",
  )
  unlabelled = formats.read(cube, tmp_path / "gt.gpkg", labels_nodata=(0,))
  np.testing.assert_array_equal(unlabelled.labels, _CODES)
  assert unlabelled.class_codes is None
  assert unlabelled.remarks == ("2 features of unlabelled classes (labels_nodata) left out",)


def test_class_0_of_a_table_has_the_next_id(cube, tmp_path):
  scene = formats.read(cube, _csv(tmp_path / "gt.csv", "row,column,class", "0,0,0", "0,1,1", "2,3,0.0"))
  np.testing.assert_array_equal(scene.labels, [[2, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]])
  assert scene.class_codes == {2: 0}


def test_numbers_of_many_digits_are_numbered(cube, tmp_path):
  codes = np.where(_CODES, _CODES + 33010300, 7)
  scene = formats.read(cube, _features(tmp_path / "gt.gpkg", codes))
  assert scene.class_names == {
    7: "class 7",
    8: "class 33010301",
    9: "class 33010302",
    10: "class 33010309",
  }
  assert scene.class_codes == {8: 33010301, 9: 33010302, 10: 33010309}
  raster = formats.save_raster(tmp_path / "gt.tif", codes.astype(np.int32), nodata=7)
  assert formats.read(cube, raster).class_codes == {1: 33010301, 2: 33010302, 3: 33010309}


def test_the_nodata_value_of_a_raster_decides_whether_0_is_a_class(cube, tmp_path):
  codes = np.where(_CODES == 9, 255, _CODES).astype(np.uint8)
  scene = formats.read(cube, formats.save_raster(tmp_path / "a.tif", codes, nodata=255))
  np.testing.assert_array_equal(scene.labels, np.choose(np.minimum(_CODES, 3), [3, 1, 2, 0]))
  plain = formats.save_raster(tmp_path / "b.tif", codes)
  np.testing.assert_array_equal(formats.read(cube, plain).labels, codes)
  np.testing.assert_array_equal(formats.read(cube, plain, labels_nodata=(255,)).labels, scene.labels)
  neither = formats.read(cube, plain, labels_nodata=(0, 255))
  np.testing.assert_array_equal(neither.labels, np.where(_CODES == 9, 0, _CODES))


def test_colours_and_names_of_class_0_follow_it(cube, tmp_path):
  codes = np.where(_CODES == 9, 255, _CODES).astype(np.uint8)
  header = "classes = 3\nclass lookup = {0,0,255, 255,0,0, 0,255,0}\nclass names = {water, maize, lawn}\n"
  labels = formats.save_envi(tmp_path / "gt.dat", codes, header=f"{header}data ignore value = 255\n")
  labels.write_text(labels.read_text().replace("ENVI Standard", "ENVI Classification"))
  scene = formats.read(cube, labels)
  assert scene.class_names == {1: "maize", 2: "lawn", 3: "water"}
  assert scene.class_colours == {1: (255, 0, 0), 2: (0, 255, 0), 3: (0, 0, 255)}
  labels.write_text(labels.read_text().replace("water", "Unclassified"))
  assert formats.read(cube, labels).class_names == {1: "maize", 2: "lawn"}


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_arrays_with_another_unlabelled_value(cube, tmp_path, dtype):
  np.save(tmp_path / "gt.npy", np.where(_CODES == 9, -1, _CODES).astype(dtype))
  with pytest.raises(RequestError, match=r"contains -1, .* set labels_nodata=-1 \(0 is then a class\)"):
    formats.read(cube, tmp_path / "gt.npy")
  scene = formats.read(cube, tmp_path / "gt.npy", labels_nodata=(-1,))
  np.testing.assert_array_equal(scene.labels, np.choose(np.minimum(_CODES, 3), [3, 1, 2, 0]))


def test_nan_is_unlabelled(cube, tmp_path):
  np.save(tmp_path / "gt.npy", np.where(_CODES == 9, np.nan, _CODES))
  scene = formats.read(cube, tmp_path / "gt.npy")
  np.testing.assert_array_equal(scene.labels, np.where(_CODES == 9, 0, _CODES))
  assert "0 and NaN both mean unlabelled" in scene.remarks[0]
  assert formats.read(cube, tmp_path / "gt.npy", labels_nodata=(np.nan,)).class_codes == {3: 0}


def test_a_table_of_classes_names_0_and_numbers_of_many_digits(cube, tmp_path):
  classes = _csv(tmp_path / "c.csv", "id,name,colour", "0,water,#0000ff", "1,wood,", "33010301,wheat,")
  codes = np.choose(_CODES % 3, [0, 1, 33010301])
  scene = formats.read(cube, _features(tmp_path / "gt.gpkg", codes), classes=classes)
  assert scene.class_names == {1: "wood", 2: "water", 3: "wheat"}
  assert scene.class_codes == {2: 0, 3: 33010301}
  assert scene.class_colours == {2: (0, 0, 255)}
  np.save(tmp_path / "gt.npy", codes)
  scene = formats.read(cube, tmp_path / "gt.npy", classes=classes)
  assert scene.class_names == {1: "wood", 3: "wheat"}
  assert scene.remarks[0].startswith("the table of classes names 0 ('water'), but 0 means unlabelled in the")
  scene = formats.read(cube, tmp_path / "gt.npy", classes=classes, labels_nodata=(255,))
  assert scene.class_names == {1: "wood", 2: "water", 3: "wheat"}


def test_a_table_that_names_0_unclassified_does_not_make_it_a_class(cube, tmp_path):
  classes = _csv(tmp_path / "c.csv", "id,name", "0,Unclassified", "1,wood", "2,wheat", "9,roof")
  np.save(tmp_path / "gt.npy", _CODES)
  assert formats.read(cube, tmp_path / "gt.npy", classes=classes).remarks == ()
  with pytest.raises(RequestError, match=r"names for ids \[1, 2, 9\], .* contain \[0\]; .* labels_nodata=0"):
    formats.read(cube, _features(tmp_path / "gt.gpkg", _CODES), classes=classes)


def test_further_files_have_the_same_ids(cube, tmp_path):
  labels = _csv(tmp_path / "a.csv", "row,column,class", "0,0,0", "0,1,1", "0,2,33010301")
  more = _csv(tmp_path / "b.csv", "row,column,class", "1,0,33010301", "1,1,0", "1,2,1")
  test = _csv(tmp_path / "c.csv", "row,column,class", "2,0,0", "2,1,1")
  scene = formats.read(cube, labels, more_labels=more, test=test)
  np.testing.assert_array_equal(scene.labels, [[2, 1, 3, 0], [3, 2, 1, 0], [2, 1, 0, 0]])
  assert scene.class_codes == {2: 0, 3: 33010301}
  ambiguous = _csv(tmp_path / "d.csv", "row,column,class", "1,0,2", "1,1,1")
  with pytest.raises(RequestError, match=r"class 2 is not in the other labels, where 0 has 2 as its id"):
    formats.read(cube, labels, more_labels=ambiguous)

"""Training and test labels, from two files or split by a column."""

import numpy as np
import pytest
import shapely

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_TRAIN = np.array([[1, 1, 1, 0], [4, 4, 0, 0], [0, 0, 0, 0]], np.uint8)
_TEST = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [4, 0, 9, 1]], np.uint8)


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _npz(path, labels, **arrays):
  np.savez(path, gt=labels, **arrays)
  return path


def _features(path, uses, labels=None, **columns):
  """Writes every labelled pixel as a polygon with its class and use."""
  shapes, classes = formats.squares(_TRAIN + _TEST if labels is None else labels)
  return formats.save_features(path, shapes, crop=[f"crop {i}" for i in classes], use=uses, **columns)


def _uses():
  labels = _TRAIN + _TEST
  return ["test" if tested else "train" for tested in _TEST[labels > 0]]


def _table(path, *rows, header="row,column,class,use"):
  path.write_text("\n".join([header, *rows]))
  return path


def _assert_split(scene):
  np.testing.assert_array_equal(scene.tested, _TEST > 0)
  np.testing.assert_array_equal(scene.labels > 0, (_TRAIN + _TEST) > 0)


def test_training_and_test_labels_in_two_files(cube, tmp_path):
  scene = formats.read(cube, _npz(tmp_path / "a.npz", _TRAIN), test=_npz(tmp_path / "b.npz", _TEST))
  np.testing.assert_array_equal(scene.labels, _TRAIN + _TEST)
  _assert_split(scene)
  assert scene.class_names == {1: "class 1", 4: "class 4", 9: "class 9"}
  assert "labels from a.npz (gt), test labels from b.npz (gt)" in scene.provenance
  assert formats.read(cube, tmp_path / "a.npz").tested is None


def test_a_class_in_only_one_of_two_files_keeps_its_name(cube, tmp_path):
  names = np.array(["maize", "", "", "oats", "", "", "", "", "roof"])
  train, test = _npz(tmp_path / "a.npz", _TRAIN), _npz(tmp_path / "b.npz", _TEST, class_names=names)
  with pytest.raises(
    RequestError, match="class 1 is named 'class 1' in the training labels and 'maize' in the test"
  ):
    formats.read(cube, train, test=test)
  train = _npz(tmp_path / "a.npz", _TRAIN, class_names=names[:4])
  assert formats.read(cube, train, test=test).class_names == {1: "maize", 4: "oats", 9: "roof"}


def test_a_pixel_in_both_files_is_rejected(cube, tmp_path):
  test = _TEST.copy()
  test[1, 1] = 4
  with pytest.raises(
    RequestError,
    match=r"'field': 1 pixel is labelled for both training and .* the first at row 1, column 1;",
  ):
    formats.read(cube, _npz(tmp_path / "a.npz", _TRAIN), test=_npz(tmp_path / "b.npz", test))


def test_training_and_test_labels_on_nodata_are_dropped(tmp_path):
  holes = _CUBE.copy()
  holes[0, 0] = holes[1, 3] = -1
  cube = formats.save_raster(tmp_path / "cube.tif", holes, nodata=-1)
  labels = _features(tmp_path / "a.gpkg", _uses())
  scene = formats.read(cube, labels, label_column="crop", split_column="use")
  assert (scene.tested.sum(), (scene.labels > 0).sum()) == (3, 7)
  assert scene.remarks == ("2 labels dropped because their pixels have no measurement (nodata)",)


@pytest.mark.parametrize("name", ["gt.gpkg", "gt.geojson", "gt.shp"])
def test_a_column_of_features_splits_the_labels(cube, tmp_path, name):
  scene = formats.read(cube, _features(tmp_path / name, _uses()), split_column="use")
  _assert_split(scene)
  # Ids follow the names of all features, including those for testing.
  np.testing.assert_array_equal(scene.labels, np.array([0, 1, 0, 0, 2, 0, 0, 0, 0, 3])[_TRAIN + _TEST])
  assert scene.class_names == {1: "crop 1", 2: "crop 4", 3: "crop 9"}


def test_a_column_of_a_table_splits_the_labels(cube, tmp_path):
  labels = _TRAIN + _TEST
  rows = [f"{r},{c},{labels[r, c]},{'Test' if _TEST[r, c] else ' TRAIN'}" for r, c in np.argwhere(labels)]
  # A pixel may be listed twice with the same class and use.
  scene = formats.read(cube, _table(tmp_path / "gt.csv", *rows, rows[0]), split_column="use")
  _assert_split(scene)
  np.testing.assert_array_equal(scene.labels, labels)


def test_a_pixel_under_features_for_training_and_testing_is_rejected(cube, tmp_path):
  boxes = [shapely.box(0, 0, 2, 1), shapely.box(0, 1, 2, 2), shapely.box(1, 0, 4, 1)]
  shapes = [formats.in_crs(box) for box in boxes]
  columns = {"crop": ["maize", "oats", "maize"], "use": ["train", "train", "test"]}
  labels = formats.save_features(tmp_path / "gt.gpkg", shapes, **columns)
  with pytest.raises(RequestError, match=r"1 pixel is labelled for both training and .* at row 0, column 1"):
    formats.read(cube, labels, split_column="use")


@pytest.mark.parametrize(
  ("uses", "message"),
  [
    (["train"] * 9, "gt.gpkg: no row has 'test' in the column 'use' .*; mark some rows as train and"),
    (["test"] * 9, "gt.gpkg: no row has 'train' in the column 'use'"),
    (["train"] * 8 + ["validation"], r"feature 8 \(crop 1\) has 'validation' in .*; expected train or test"),
    (["train"] * 8 + [None], r"feature 8 \(crop 1\) has '' in the column 'use' \(split_column\); expected"),
    (list(range(9)), r"feature 0 \(crop 1\) has '0' in the column 'use'"),
  ],
)
def test_invalid_columns_of_features_are_rejected(cube, tmp_path, uses, message):
  with pytest.raises(RequestError, match=message) as error:
    formats.read(cube, _features(tmp_path / "gt.gpkg", uses), split_column="use")
  assert "\n" not in str(error.value)


@pytest.mark.parametrize(
  ("rows", "message"),
  [
    (["0,0,1,train", "0,1,2,train"], "gt.csv: no row has 'test' in the column 'use'"),
    (["0,0,1,train", "0,1,2,both"], "gt.csv: line 3 has 'both' in the column 'use'"),
    (["0,0,1,train", "0,1,2"], "gt.csv: line 3 has '' in the column 'use'"),
    (
      ["0,0,1,train", "0,1,2,train", "0,1,2,test"],
      "line 4: row 0, column 1 has 'test' in the column 'use', but another value in line 3",
    ),
    (["0,0,1,train", "0,1,2,test"], "classes among the training labels is 1; at least two are needed"),
  ],
)
def test_invalid_columns_of_a_table_are_rejected(cube, tmp_path, rows, message):
  with pytest.raises(RequestError, match=message):
    formats.read(cube, _table(tmp_path / "gt.csv", *rows), split_column="use")


def test_messages_name_a_missing_column(cube, tmp_path):
  labels = _features(tmp_path / "gt.gpkg", _uses())
  with pytest.raises(RequestError, match=r"gt.gpkg has no column 'split' \(columns: crop, use\)"):
    formats.read(cube, labels, split_column="split")
  labels = _table(tmp_path / "gt.csv", "0,0,1", header="row,column,class")
  with pytest.raises(RequestError, match=r"gt.csv has no column 'use' \(columns: row, column, class\)"):
    formats.read(cube, labels, split_column="use")
  labels = formats.save_raster(tmp_path / "gt.tif", _TRAIN)
  with pytest.raises(RequestError, match=r"gt.tif has no columns; remove split_column \('use'\)"):
    formats.read(cube, labels, split_column="use")


def test_training_and_test_labels_in_two_layers_of_one_file(cube, tmp_path):
  path = tmp_path / "a.gpkg"
  for layer, part in (("field", _TRAIN), ("visited", _TEST)):
    shapes, classes = formats.squares(part)
    formats.save_features(path, shapes, layer=layer, crop=[f"crop {i}" for i in classes])
  scene = formats.read(cube, path, labels_key="field", test=path, test_key="visited")
  _assert_split(scene)
  with pytest.raises(
    RequestError, match=r"one layer \(layers: field, visited\); .* test_key for test labels"
  ):
    formats.read(cube, path, labels_key="field", test=path)


def test_label_column_does_not_apply_to_a_test_file_of_another_kind(cube, tmp_path):
  train = _table(tmp_path / "train.csv", "0,0,1", "1,1,4", header="row,column,crop")
  for test in (
    _npz(tmp_path / "b.npz", _TEST),
    formats.save_raster(tmp_path / "b.tif", _TEST.astype(np.uint8)),
  ):
    scene = formats.read(cube, train, label_column="crop", test=test)
    np.testing.assert_array_equal(scene.tested, _TEST > 0)
  other = _table(tmp_path / "other.csv", "2,2,1", header="row,column,class")
  with pytest.raises(RequestError, match=r"other.csv has no column 'crop'"):
    formats.read(cube, train, label_column="crop", test=other)


def test_more_labels_are_added_to_those_of_the_scene(cube, tmp_path):
  more = _table(tmp_path / "more.csv", "0,3,1", "1,2,9", "0,0,1", header="row,column,class")
  names = np.array(["maize", "", "", "oats", "", "", "", "", "roof"])
  labels = _npz(tmp_path / "a.npz", _TRAIN + _TEST, class_names=names)
  scene = formats.read(cube, labels, more_labels=more)
  expected = _TRAIN + _TEST
  expected[0, 3], expected[1, 2] = 1, 9
  np.testing.assert_array_equal(scene.labels, expected)
  # This includes one that was already labelled.
  assert np.argwhere(scene.trained).tolist() == [[0, 0], [0, 3], [1, 2]]
  assert "3 pixels from more_labels, all used for training" in scene.remarks
  assert scene.class_names == {1: "maize", 4: "oats", 9: "roof"}
  assert scene.tested is None
  assert "labels from a.npz (gt) and more.csv" in scene.provenance


def test_more_labels_train_beside_given_test_labels(cube, tmp_path):
  more = _table(tmp_path / "more.csv", "0,3,4", header="row,column,class")
  files = _npz(tmp_path / "a.npz", _TRAIN), {"test": _npz(tmp_path / "b.npz", _TEST)}
  scene = formats.read(cube, files[0], **files[1], more_labels=more)
  assert (scene.labels[0, 3], scene.tested[0, 3], scene.trained[0, 3]) == (4, False, True)
  np.testing.assert_array_equal(scene.tested, _TEST > 0)


def test_a_new_class_of_more_labels_must_be_in_a_table_of_classes(cube, tmp_path):
  features = _features(tmp_path / "a.gpkg", _uses())
  more = _table(tmp_path / "more.csv", "0,3,crop 9", "1,2,a new crop", header="row,column,class")
  with pytest.raises(
    RequestError,
    match=r"more.csv \(more_labels\) has the class 'a new crop', but a.gpkg has only 'crop 1'",
  ):
    formats.read(cube, features, label_column="crop", more_labels=more)
  table = _table(tmp_path / "c.csv", "1,crop 1", "2,crop 4", "3,crop 9", "4,a new crop", header="id,name")
  scene = formats.read(cube, features, label_column="crop", more_labels=more, classes=table)
  assert (scene.labels[0, 3], scene.labels[1, 2]) == (3, 4)
  assert scene.class_names == {1: "crop 1", 2: "crop 4", 3: "crop 9", 4: "a new crop"}


@pytest.mark.parametrize("known", ["1", "maize"])
def test_labels_that_are_marked_as_unsure_are_left_out(cube, tmp_path, known):
  header = "row,column,class"
  labels = _table(tmp_path / "a.csv", f"0,0,{known}", "0,1,4", header=header)
  more = _table(tmp_path / "more.csv", f"1,0,{known}", "1,1,?", "1,2,Unsure", header=header)
  scene = formats.read(cube, labels, more_labels=more)
  assert [*map(bool, scene.labels[1])] == [True, False, False, False]
  assert len(scene.class_names) == 2
  assert "more labels: 2 rows marked as unsure left out" in scene.remarks


def test_label_column_applies_to_features_of_more_labels(cube, tmp_path):
  labels = _TRAIN + _TEST
  main, more = (
    _features(tmp_path / f"{name}.gpkg", [name] * np.count_nonzero(part), labels=part)
    for name, part in (("a", _TRAIN), ("b", np.minimum(_TEST, 4)))
  )
  scene = formats.read(cube, main, label_column="crop", more_labels=more)
  np.testing.assert_array_equal(scene.labels > 0, labels > 0)


def test_training_and_test_labels_share_names(cube, tmp_path):
  train = _table(tmp_path / "a.csv", "0,0,wheat", "0,1,barley", "1,0,rye", header="row,column,class")
  test = _table(tmp_path / "b.csv", "2,0,wheat", "2,1,rye", "2,2,oats", header="row,column,class")
  scene = formats.read(cube, train, test=test)
  assert scene.class_names == {1: "barley", 2: "rye", 3: "wheat", 4: "oats"}
  np.testing.assert_array_equal(scene.labels[2, :3], [3, 2, 4])


@pytest.mark.parametrize(
  ("line", "message"),
  [
    ("0,0,9", r"1 pixel has another class in more.csv \(more_labels\) than in a.npz \(gt\), .* row 0, col"),
    ("0,9,1", "column 9 is outside the scene"),
  ],
)
def test_conflicting_labels_are_rejected(cube, tmp_path, line, message):
  more = _table(tmp_path / "more.csv", line, header="row,column,class")
  with pytest.raises(RequestError, match=message):
    formats.read(cube, _npz(tmp_path / "a.npz", _TRAIN + _TEST), more_labels=more)


def test_units_of_further_files_are_numbered_after_those_of_the_first(cube, tmp_path):
  header = "row,column,class"
  labels = _table(tmp_path / "a.csv", "0,0,1", "0,1,4", header=header)
  # The first row is labelled already and keeps its unit.
  more = _table(tmp_path / "b.csv", "0,1,4", "0,2,4", header=header)
  test = _table(tmp_path / "c.csv", "2,0,1", header=header)
  scene = formats.read(cube, labels, more_labels=more, test=test)
  np.testing.assert_array_equal(scene.units, [[1, 2, 4, 0], [0, 0, 0, 0], [5, 0, 0, 0]])


def test_labels_without_units_get_regions_beside_labels_with_units(cube, tmp_path):
  table = _table(tmp_path / "b.csv", "2,3,4", "2,1,4", header="row,column,class")
  scene = formats.read(cube, _npz(tmp_path / "a.npz", _TRAIN), more_labels=table)
  np.testing.assert_array_equal(scene.units, [[1, 1, 1, 0], [2, 2, 0, 0], [0, 4, 0, 3]])
  scene = formats.read(cube, _npz(tmp_path / "a.npz", _TRAIN), test=table)
  np.testing.assert_array_equal(scene.units, [[1, 1, 1, 0], [2, 2, 0, 0], [0, 4, 0, 3]])
  table = _table(tmp_path / "c.csv", "2,3,4", "2,1,1", header="row,column,class")
  scene = formats.read(cube, table, more_labels=tmp_path / "a.npz")
  np.testing.assert_array_equal(scene.units, [[3, 3, 3, 0], [4, 4, 0, 0], [0, 2, 0, 1]])
  assert scene.units.dtype == np.int32


def test_features_with_a_split_are_units_for_training_and_testing(cube, tmp_path):
  scene = formats.read(cube, _features(tmp_path / "gt.gpkg", _uses()), split_column="use")
  np.testing.assert_array_equal(scene.units, [[1, 2, 3, 0], [4, 5, 0, 6], [7, 0, 8, 9]])
  scene = formats.read(cube, _npz(tmp_path / "a.npz", _TRAIN), test=_npz(tmp_path / "b.npz", _TEST))
  assert scene.units is None

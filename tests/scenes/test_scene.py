"""The Scene value and its checks."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Scene

_NM = np.array([400.0, 500, 600, 700, 800])


def _scene(**changes):
  labels = np.zeros((3, 4), np.int32)
  labels[0, 0], labels[2, 3] = 2, 14
  values = {
    "name": "my_fields",
    "cube": np.arange(60, dtype=np.float32).reshape(3, 4, 5),
    "labels": labels,
    "class_names": {14: "roof", 2: "maize"},
  }
  return Scene(**(values | changes))


def _with_bad_value(value, nodata=None):
  cube = np.ones((3, 4, 5), np.float32)
  cube[1, 2, 3] = value
  return _scene(cube=cube, nodata=nodata)


def test_class_ids_keep_their_gaps_and_ascend():
  scene = _scene()
  assert scene.class_ids.tolist() == [2, 14]
  assert scene.class_ids.dtype == np.int32


def test_class_ids_may_have_any_value_that_a_raster_can_store():
  labels = np.zeros((3, 4), np.int32)
  labels[0, 0], labels[2, 3] = 2, 65535
  scene = _scene(labels=labels, class_names={65535: "roof", 2: "maize"})
  assert scene.class_ids.tolist() == [2, 65535]


def test_the_title_marks_simulated_scenes():
  assert _scene().title == "my_fields"
  assert _scene(simulated=True).title == "my_fields (simulated)"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_cubes_keep_their_dtype(dtype):
  assert _scene(cube=np.ones((3, 4, 5), dtype)).cube.dtype == dtype


@pytest.mark.parametrize("name", ["", "Fields", "my fields", "1st", "../x", "fields\n"])
def test_names_must_be_identifiers(name):
  with pytest.raises(RequestError, match="lower-case identifier"):
    _scene(name=name)


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"cube": np.ones((3, 4))}, r"shape \(3, 4\); expected rows x columns x bands"),
    ({"cube": np.ones((3, 4, 0))}, "the cube is empty"),
    ({"cube": np.ones((3, 4, 5), complex)}, "dtype complex128"),
    ({"cube": np.ones((3, 4, 5), bool)}, "dtype bool"),
    ({"labels": np.ones((4, 3), np.int32)}, r"label image is 4 x 3 and the cube is 3 x 4"),
    ({"labels": np.ones((3, 4, 1), np.int32)}, r"label image has shape \(3, 4, 1\)"),
    ({"labels": np.ones((3, 4), np.uint8)}, "labels have dtype uint8; expected int32"),
    ({"labels": np.full((3, 4), -1, np.int32)}, "label image contains -1"),
    ({"labels": np.zeros((3, 4), np.int32), "class_names": {}}, "classes in the label image is 0"),
    ({"labels": np.full((3, 4), 2, np.int32), "class_names": {2: "maize"}}, "label image is 1"),
    ({"class_colours": {3: (1, 2, 3)}}, r"class 3 has the colour \(1, 2, 3\); expected a class in"),
    (
      {"class_colours": {2: (1, 2, 256)}},
      r"class 2 has the colour .* three integers from 0 to 255",
    ),
    ({"class_colours": {2: (1, 2)}}, "class 2 has the colour"),
    ({"class_names": {2: "maize"}}, r"ids \[2\], but the label image contains \[2, 14\]"),
    (
      {"class_names": {2: "maize", 3: "lawn", 14: "roof"}},
      r"ids \[2, 3, 14\], but the label image contains \[2, 14\]",
    ),
    (
      {"class_names": {2: "maize\n", 14: "roof"}},
      r"class 2 is named 'maize\\n'; .* one line without control characters",
    ),
    ({"class_names": {2: "maize", 14: " "}}, r"class 14 is named ' '"),
    ({"wavelengths": np.linspace(0.4, 2.5, 5)}, "from 0.4 to 2.5; expected nm, from 100 to 100000"),
    ({"wavelengths": np.array([0.4, 0.5, 0.6, 700, 800])}, "from 0.4 to 800; expected nm"),
    ({"wavelengths": _NM, "widths": np.full(5, 0.01)}, "widths range from 0.01 to .*; expected both in nm"),
    ({"wavelengths": _NM, "widths": np.full(5, 450.0)}, "widths range from 450 to .*; expected both in nm"),
    ({"wavelengths": np.ones(4)}, r"wavelengths have shape \(4,\) for 5 bands"),
    ({"wavelengths": np.ones((1, 5))}, r"wavelengths have shape \(1, 5\) for 5 bands"),
    ({"wavelengths": np.array([400, 410, np.nan, 430, 440])}, "wavelengths .* positive numbers in nm"),
    ({"widths": np.array([10, 10, 10, 10, -1.0])}, "widths range from -1.0 to 10.0"),
    ({"nodata": np.zeros((3, 4), np.uint8)}, "nodata mask has dtype uint8"),
    ({"nodata": np.zeros((4, 3), bool)}, r"nodata mask has dtype bool and shape \(4, 3\)"),
  ],
)
def test_invalid_fields_are_rejected_with_the_name_of_the_scene(changes, message):
  with pytest.raises(RequestError, match=message) as error:
    _scene(**changes)
  assert "scene 'my_fields'" in str(error.value)
  assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_rejected_with_its_position(value):
  with pytest.raises(RequestError, match=f"contains {value} at row 1, column 2, band 3"):
    _with_bad_value(value)


def test_nodata_pixels_may_have_any_value():
  nodata = np.zeros((3, 4), bool)
  nodata[1, 2] = True
  assert np.isnan(_with_bad_value(np.nan, nodata).cube[1, 2, 3])
  with pytest.raises(RequestError, match="row 1, column 2"):
    _with_bad_value(np.nan, np.roll(nodata, 1, axis=1))


def test_labelled_pixels_must_have_a_measurement():
  nodata = np.zeros((3, 4), bool)
  nodata[2, 3] = True
  with pytest.raises(RequestError, match="1 labelled pixels have no measurement"):
    _scene(nodata=nodata)


@pytest.mark.parametrize("value", [-3.4e38, 1e300, -np.inf])
def test_fill_values_must_be_marked_as_nodata(value):
  cube = np.ones((3, 4, 5))
  cube[1, 2, 3] = value
  with pytest.raises(RequestError, match=r"row 1, column 2, band 3; replace the value or mark"):
    _scene(cube=cube)
  nodata = np.zeros((3, 4), bool)
  nodata[1, 2] = True
  assert _scene(cube=cube, nodata=nodata).nodata.sum() == 1


@pytest.mark.parametrize(
  ("tested", "message"),
  [
    (np.zeros((4, 3), bool), r"tested mask has dtype bool and shape \(4, 3\)"),
    (np.zeros((3, 4), np.uint8), "tested mask has dtype uint8"),
    (np.zeros((3, 4), bool), "no labelled pixel is for testing"),
    (np.ones((3, 4), bool), "unlabelled pixels are marked for testing"),
    (np.eye(3, 4, dtype=bool) & [True, False, False, False], "classes among the training labels is 1"),
  ],
)
def test_invalid_test_pixels_are_rejected(tested, message):
  with pytest.raises(RequestError, match=message):
    _scene(tested=tested)


@pytest.mark.parametrize(
  ("trained", "message"),
  [
    (np.zeros((4, 3), bool), r"trained mask has dtype bool and shape \(4, 3\)"),
    (np.ones((3, 4), bool), "pixels that are unlabelled or for testing are marked for training"),
  ],
)
def test_invalid_training_pixels_are_rejected(trained, message):
  with pytest.raises(RequestError, match=message):
    _scene(trained=trained)


def _units(values, dtype=np.int32):
  units = np.zeros((3, 4), dtype)
  units[0, 0], units[2, 3], units[1, 1] = values
  return units


@pytest.mark.parametrize(
  ("units", "message"),
  [
    (np.zeros((4, 3), np.int32), r"dtype int32 and shape \(4, 3\); expected integers and \(3, 4\)"),
    (_units((1, 2, 0), np.float32), "units have dtype float32"),
    (_units((1, 0, 0)), "1 pixels have a label without a unit .* row 2, column 3: class 14, unit 0; number"),
    (_units((1, 2, 3)), "first at row 1, column 1: class 0, unit 3"),
    (_units((1, 2, -1)), "units contain -1"),
  ],
)
def test_invalid_units_are_rejected(units, message):
  with pytest.raises(RequestError, match=message) as error:
    _scene(units=units)
  assert "\n" not in str(error.value)


def test_units_may_have_any_order():
  assert _scene(units=_units((9, 3, 0))).units.max() == 9
  assert _scene().units is None


def test_pixels_are_measured_unless_they_are_nodata():
  assert _scene().measured.all()
  nodata = np.zeros((3, 4), bool)
  nodata[1, 2] = True
  np.testing.assert_array_equal(_scene(nodata=nodata).measured, ~nodata)

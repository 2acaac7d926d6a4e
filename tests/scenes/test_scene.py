"""The Scene value and what it refuses."""

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


def test_simulated_scenes_say_so_in_their_title():
  assert _scene().title == "my_fields"
  assert _scene(simulated=True).title == "my_fields (simulated)"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_cubes_keep_their_dtype(dtype):
  assert _scene(cube=np.ones((3, 4, 5), dtype)).cube.dtype == dtype


@pytest.mark.parametrize("name", ["", "Fields", "my fields", "1st", "../x", "fields\n"])
def test_names_that_are_no_identifiers_are_refused(name):
  with pytest.raises(RequestError, match="lower-case identifier"):
    _scene(name=name)


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"cube": np.ones((3, 4))}, r"shape \(3, 4\), expected rows x columns x bands"),
    ({"cube": np.ones((3, 4, 0))}, "the cube is empty"),
    ({"cube": np.ones((3, 4, 5), complex)}, "holds complex128"),
    ({"cube": np.ones((3, 4, 5), bool)}, "holds bool"),
    ({"labels": np.ones((4, 3), np.int32)}, r"label image is 4 x 3 and the cube is 3 x 4"),
    ({"labels": np.ones((3, 4, 1), np.int32)}, r"label image has shape \(3, 4, 1\)"),
    ({"labels": np.ones((3, 4), np.uint8)}, "labels hold uint8, expected int32"),
    ({"labels": np.full((3, 4), -1, np.int32)}, "labels hold -1"),
    ({"labels": np.zeros((3, 4), np.int32), "class_names": {}}, "0 class"),
    ({"labels": np.full((3, 4), 2, np.int32), "class_names": {2: "maize"}}, "1 class"),
    ({"class_colours": {3: (1, 2, 3)}}, r"class 3 has the colour \(1, 2, 3\); expected a class that occurs"),
    (
      {"class_colours": {2: (1, 2, 256)}},
      r"class 2 has the colour .* three numbers of 0 to 255",
    ),
    ({"class_colours": {2: (1, 2)}}, "class 2 has the colour"),
    ({"class_names": {2: "maize"}}, r"ids \[2\], the label image holds \[2, 14\]"),
    (
      {"class_names": {2: "maize", 3: "lawn", 14: "roof"}},
      r"ids \[2, 3, 14\], the label image holds \[2, 14\]",
    ),
    (
      {"class_names": {2: "maize\n", 14: "roof"}},
      r"class 2 is called 'maize\\n'; .* printable text in one line",
    ),
    ({"class_names": {2: "maize", 14: " "}}, r"class 14 is called ' '"),
    ({"wavelengths": np.linspace(0.4, 2.5, 5)}, r"from 0.4 to 2.5; give all of them in nm"),
    ({"wavelengths": np.array([0.4, 0.5, 0.6, 700, 800])}, r"from 0.4 to 800; give all of them in nm"),
    ({"wavelengths": _NM, "widths": np.full(5, 0.01)}, "widths from 0.01 to 0.01 at .*; give both in nm"),
    ({"wavelengths": _NM, "widths": np.full(5, 450.0)}, "widths from 450 to 450 at .*; give both in nm"),
    ({"wavelengths": np.ones(4)}, r"wavelengths of shape \(4,\) for 5 bands"),
    ({"wavelengths": np.ones((1, 5))}, r"wavelengths of shape \(1, 5\) for 5 bands"),
    ({"wavelengths": np.array([400, 410, np.nan, 430, 440])}, "wavelengths .* positive numbers in nm"),
    ({"widths": np.array([10, 10, 10, 10, -1.0])}, "widths from -1.0 to 10.0"),
    ({"nodata": np.zeros((3, 4), np.uint8)}, "nodata mask is uint8"),
    ({"nodata": np.zeros((4, 3), bool)}, r"nodata mask is bool of \(4, 3\)"),
  ],
)
def test_what_does_not_fit_is_refused_by_name(changes, message):
  with pytest.raises(RequestError, match=message) as error:
    _scene(**changes)
  assert "scene 'my_fields'" in str(error.value)
  assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_place(value):
  with pytest.raises(RequestError, match=f"holds {value} at row 1, column 2, band 3"):
    _with_bad_value(value)


def test_nodata_pixels_may_hold_anything():
  nodata = np.zeros((3, 4), bool)
  nodata[1, 2] = True
  assert np.isnan(_with_bad_value(np.nan, nodata).cube[1, 2, 3])
  with pytest.raises(RequestError, match="row 1, column 2"):
    _with_bad_value(np.nan, np.roll(nodata, 1, axis=1))


def test_labelled_pixels_must_hold_a_measurement():
  nodata = np.zeros((3, 4), bool)
  nodata[2, 3] = True
  with pytest.raises(RequestError, match="1 labelled pixels hold no measurement"):
    _scene(nodata=nodata)


@pytest.mark.parametrize("value", [-3.4e38, 1e300, -np.inf])
def test_fill_values_are_no_measurements(value):
  cube = np.ones((3, 4, 5))
  cube[1, 2, 3] = value
  with pytest.raises(RequestError, match=r"row 1, column 2, band 3; replace it or mark the pixel as nodata"):
    _scene(cube=cube)
  nodata = np.zeros((3, 4), bool)
  nodata[1, 2] = True
  assert _scene(cube=cube, nodata=nodata).nodata.sum() == 1


@pytest.mark.parametrize(
  ("tested", "message"),
  [
    (np.zeros((4, 3), bool), r"tested mask is bool of \(4, 3\)"),
    (np.zeros((3, 4), np.uint8), "tested mask is uint8"),
    (np.zeros((3, 4), bool), "no labelled pixel is for testing"),
    (np.ones((3, 4), bool), "pixels without a label are marked for testing"),
    (np.eye(3, 4, dtype=bool) & [True, False, False, False], "1 class among the training labels"),
  ],
)
def test_test_pixels_that_cannot_be(tested, message):
  with pytest.raises(RequestError, match=message):
    _scene(tested=tested)


@pytest.mark.parametrize(
  ("trained", "message"),
  [
    (np.zeros((4, 3), bool), r"trained mask is bool of \(4, 3\)"),
    (np.ones((3, 4), bool), "pixels without a label, or for testing, are marked for training"),
  ],
)
def test_further_training_pixels_that_cannot_be(trained, message):
  with pytest.raises(RequestError, match=message):
    _scene(trained=trained)

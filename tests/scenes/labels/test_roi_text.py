"""Regions of interest that ENVI exported as text."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_HEAD = """; ENVI Output of ROIs (5.3) [Sun Feb 07 09:41:07 2021]
; Number of ROIs: 2
; File Dimension: 4 x 3
;
; ROI name: wet meadow
; ROI rgb value: {0, 0, 255}
; ROI npts: 3
;
; ROI name: roof
; ROI rgb value: {255, 0, 0}
; ROI npts: 1
"""
_PLAIN = """;   ID    X    Y   B1
     1    1    1   17

     2    2    1   18
     3    4    3   19

     1    3    2   20
"""
_ON_MAP = """;    ID     X     Y         Map X        Map Y         Lat        Lon
     1     5     5     500005.00   5399995.00   48.75   15.0
     2     6     5     500015.00   5399995.00   48.75   15.0
     3     8     7     500035.00   5399975.00   48.75   15.0

     1     7     6     500025.00   5399985.00   48.75   15.0
"""
_EXPECTED = [[2, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]]


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _save(path, text):
  path.write_text(text)
  return path


@pytest.mark.parametrize("name", ["a.txt", "a.roi"])
def test_pixels_of_regions(cube, tmp_path, name):
  scene = formats.read(cube, _save(tmp_path / name, _HEAD + _PLAIN))
  np.testing.assert_array_equal(scene.labels, _EXPECTED)
  assert scene.class_names == {1: "roof", 2: "wet meadow"}
  assert scene.class_colours == {1: (255, 0, 0), 2: (0, 0, 255)}
  # What was drawn as one is a connected region.
  assert scene.units is None


def test_regions_of_another_image_are_placed_by_map_coordinates(cube, tmp_path):
  text = _HEAD.replace("4 x 3", "20 x 10") + _ON_MAP
  np.testing.assert_array_equal(formats.read(cube, _save(tmp_path / "a.txt", text)).labels, _EXPECTED)
  with pytest.raises(
    RequestError, match=r"an image of 10 x 20 pixels \(rows x columns\), and the scene is 3 x"
  ):
    formats.read(cube, _save(tmp_path / "a.txt", _HEAD.replace("4 x 3", "20 x 10") + _PLAIN))


def test_a_header_before_each_region_and_text_in_latin_1(cube, tmp_path):
  parts = [
    f"; ROI name: {name}\r\n; ROI npts: 1\r\n; ID, X, Y\r\n1, {x}, {y}\r\n"
    for name, x, y in (("Geb\u00fcsch", 1, 1), ("Moor", 4, 3))
  ]
  (tmp_path / "a.csv").write_bytes(("; ENVI Output of ROIs\r\n" + "".join(parts)).encode("latin-1"))
  scene = formats.read(cube, tmp_path / "a.csv")
  assert scene.class_names == {1: "Geb\u00fcsch", 2: "Moor"}
  np.testing.assert_array_equal(scene.labels, [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]])


def test_pixels_of_several_regions_and_outside_label_nothing(cube, tmp_path):
  text = _HEAD + _PLAIN.replace("2    2    1", "2    9    1").replace("1    3    2", "1    1    1")
  labels = _save(tmp_path / "a.txt", text.replace("npts: 1", "npts: 2") + "2 2 2 7\n")
  scene = formats.read(cube, labels)
  np.testing.assert_array_equal(scene.labels, [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 2]])
  assert scene.remarks == (
    "1 of 5 points outside the scene left out",
    "1 pixels in regions of several classes left unlabelled",
  )


@pytest.mark.parametrize(
  ("text", "message"),
  [
    (
      _HEAD + _PLAIN.replace("     3    4    3   19\n", ""),
      "2 regions with 4 points .*, and 3 lines of points",
    ),
    (_HEAD + _PLAIN.replace(";   ID    X    Y   B1", ";   B1   B2"), "has no columns X and Y; export"),
    (_HEAD + _PLAIN.replace("1    1    1   17", "1    one    1   17"), "'1    one    1   17' is no point"),
    (_HEAD, "and 0 lines of points"),
    (_HEAD + _PLAIN.replace("1    1", "9 99").replace("2    1", "99 9").replace("4    3", "99 9"), "."),
  ],
)
def test_damaged_exports_are_rejected(cube, tmp_path, text, message):
  with pytest.raises(RequestError, match=message):
    formats.read(cube, _save(tmp_path / "a.txt", text))


def test_regions_in_binary_form_are_rejected(cube, tmp_path):
  (tmp_path / "a.roi").write_bytes(b"\x01\x02ROI\0\0")
  with pytest.raises(
    RequestError, match=r"a\.roi is not text; open the regions in ENVI and export them as XML"
  ):
    formats.read(cube, tmp_path / "a.roi")

"""Names of classes as people write them."""

import numpy as np
import pytest
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import summary
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def read(tmp_path):
  """Returns a function that reads features with some classes, one for every pixel of the first row."""
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE)

  def made(*classes, **options):
    shapes = [formats.in_crs(shapely.Point(column + 0.5, 0.5)) for column in range(len(classes))]
    return formats.read(
      cube, formats.save_features(tmp_path / "a.gpkg", shapes, crop=list(classes)), **options
    )

  return made


def _notes(scene):
  return summary.summary(scene, "", None)


def test_features_without_a_class_are_left_out(read):
  scene = read("maize", "", None, "lawn")
  assert scene.labels[0].tolist() == [2, 0, 0, 1]
  assert scene.remarks == ("2 features without a class left out",)
  scene = read(3.0, np.nan, -9.0, 5.0)
  assert scene.labels[0].tolist() == [3, 0, 0, 5]
  assert scene.remarks == ("1 feature without a class left out", "1 feature of negative classes left out")


def test_codes_with_leading_zeros_are_kept_apart_from_those_without(read):
  scene = read("01", "1", "2", "2")
  assert scene.class_names == {1: "01", 2: "1", 3: "2"}
  assert "classes '01' and '1' count as 2, because" in _notes(scene)
  assert read("01", "02", "3", "3").class_ids.tolist() == [1, 2, 3]


def test_spellings_are_pointed_out(read):
  scene = read("Forest", "forest", "Moor", "Moor ")
  assert scene.class_names == {1: "Forest", 2: "Moor", 3: "forest"}
  assert scene.remarks == ("names that differ only in blanks at their ends count as one class: 'Moor'",)
  assert "classes 'Forest' and 'forest' count as 2, because their names are spelled" in _notes(scene)


def test_unusual_characters_are_kept(read):
  names = ["Gr\u00fcnland\u00a0nass", "soft\u00adhyphen", "\u6797\u5730", "two\nlines"]
  assert sorted(read(*names).class_names.values()) == sorted([*names[:3], "two lines"])


@pytest.mark.parametrize("name", ["a\x01b", "a\x7f"])
def test_control_characters_are_rejected(read, name):
  with pytest.raises(RequestError, match="a class name must be one line without control characters"):
    read(name, "b")

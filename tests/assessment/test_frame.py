"""Units of a map, their strata, and what is left out."""

import contextlib

import numpy as np
import pytest

from mtl_hsi.assessment import frame as frames
from mtl_hsi.assessment.class_map import open_class_map
from mtl_hsi.assessment.frame import OUTSIDE, TRAINING, Frame, Group, count
from tests.assessment.maps import DEGREES, MAP, UTM, write_map

_NONE = np.zeros(0, np.int64)


@contextlib.contextmanager
def frame(path, ids=MAP, place=UTM, side=1, strata=None, stratified=True, training=_NONE, keeps=False):
  with open_class_map(write_map(path / "map.tif", ids, place)) as class_map:
    yield Frame(class_map, side, strata, stratified, np.asarray(training, np.int64), keeps)


def joined(of_frame: Frame, what: str) -> np.ndarray:
  return np.concatenate([getattr(strip, what) for strip in of_frame.strips()])


def test_pixels_with_a_class_are_counted_by_class(tmp_path):
  with frame(tmp_path) as units:
    counted = count(units)
  assert {i: group.units for i, group in counted.strata.items()} == {1: 380, 2: 152, 5: 38}
  assert counted.strata == counted.classes
  # 16 square metres each.
  assert counted.strata[5].area == pytest.approx(38 * 0.0016, rel=1e-3)
  assert (counted.trained_pixels, counted.other_pixels) == (0, 0)


def test_areas_of_degrees_shrink_towards_the_pole(tmp_path):
  with frame(tmp_path, place=DEGREES) as units:
    areas = joined(units, "areas")
  assert (areas[0] == 0).all()
  assert areas[1, 0] < areas[10, 0] < areas[19, 0]


def test_squares_have_the_prevailing_class_and_can_be_smaller_at_the_border(tmp_path):
  ids = np.array([[1, 2, 2, 0, 5], [1, 0, 2, 0, 5], [5, 5, 1, 1, 2]])
  with frame(tmp_path, ids, place=None, side=2) as units:
    assert joined(units, "classes").tolist() == [[1, 2, 5], [5, 1, 2]]
    assert joined(units, "pixels").tolist() == [[3, 2, 2], [2, 2, 1]]
    assert count(units).strata == {1: Group(2, 5, 5.0), 2: Group(2, 3, 3.0), 5: Group(2, 4, 4.0)}


def test_of_two_classes_as_frequent_the_smaller_id_prevails(tmp_path):
  with frame(tmp_path, np.array([[5, 2], [2, 5]]), place=None, side=2) as units:
    assert joined(units, "classes").tolist() == [[2]]


def test_units_that_trained_are_left_out_or_a_stratum(tmp_path):
  training = [31, 59, 5 * 30 + 22]
  with frame(tmp_path, training=training) as units:
    assert np.flatnonzero(joined(units, "strata").ravel() == OUTSIDE).tolist() == [*range(30), *training]
    assert count(units).trained_pixels == 3
  with frame(tmp_path, training=training, keeps=True) as units:
    assert np.flatnonzero(joined(units, "strata").ravel() == TRAINING).tolist() == training
    assert count(units).trained_pixels == 0


def test_a_square_with_one_training_pixel_is_left_out_whole(tmp_path):
  with frame(tmp_path, side=5, training=[31]) as units:
    assert count(units).trained_pixels == 20


def test_strata_of_another_raster(tmp_path):
  regions = np.zeros_like(MAP)
  regions[:10, :], regions[10:18, :] = 1, 2
  with (
    open_class_map(write_map(tmp_path / "regions.tif", regions)) as strata,
    frame(tmp_path, strata=strata) as units,
  ):
    counted = count(units)
  assert {i: group.units for i, group in counted.strata.items()} == {1: 270, 2: 240}
  assert sum(group.units for group in counted.classes.values()) == 510
  assert counted.other_pixels == 60


def test_strips_do_not_change_the_result(tmp_path, monkeypatch):
  with frame(tmp_path, side=3, training=[100, 400]) as units:
    whole = joined(units, "strata"), joined(units, "areas")
    monkeypatch.setattr(frames, "_ROWS", 4)
    assert len(list(units.strips())) == 4
    np.testing.assert_array_equal(joined(units, "strata"), whole[0])
    np.testing.assert_allclose(joined(units, "areas"), whole[1])

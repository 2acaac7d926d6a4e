"""Units of labels: features, regions and blocks, and how those of small classes are cut."""

import numpy as np

from mtl_hsi.splits.units import number_by_blocks, number_by_class

NAMES = {1: "maize", 2: "grass", 3: "roof"}


def by_class(labels, units=None, folds=2, block_size=4):
  return number_by_class(labels, units, folds=folds, block_size=block_size, class_names=NAMES)


def row(*values):
  return np.array([values], np.int32)


def test_units_are_the_connected_regions_of_each_class():
  unit, kind, notes = by_class(row(1, 1, 0, 1, 2, 2, 0, 2))
  np.testing.assert_array_equal(unit, row(0, 0, -1, 1, 2, 2, -1, 3))
  assert (unit.dtype, kind, notes) == (np.int32, "regions", [])


def test_units_are_pairs_of_class_and_feature():
  # Feature 7 has pixels of two classes. It is a unit of each.
  unit, kind, notes = by_class(row(1, 1, 0, 1, 2, 2, 0, 2), row(7, 9, 0, 7, 7, 5, 0, 5))
  np.testing.assert_array_equal(unit, row(0, 1, -1, 0, 3, 2, -1, 2))
  assert (kind, notes) == ("features", [])


def test_units_of_pixels_without_a_label_do_not_count():
  unit, _, notes = by_class(row(1, 0, 1, 2, 2), row(1, 2, 3, 4, 5))
  np.testing.assert_array_equal(unit, row(0, -1, 1, 2, 3))
  assert not notes


def test_a_class_with_fewer_units_than_folds_is_cut_along_blocks():
  # Class 1 has one region in two blocks and another one within a block; class 2 has enough regions.
  labels = row(0, 0, 1, 1, 1, 0, 1, 0, 2, 0, 2, 0, 2, 2, 2)
  unit, _, notes = by_class(labels, folds=3)
  np.testing.assert_array_equal(unit, row(-1, -1, 0, 0, 1, -1, 2, -1, 3, -1, 4, -1, 5, 5, 5))
  assert notes == [
    "class 1 (maize) has 2 regions for 3 folds; they are cut along blocks of 4 x 4 pixels into 3 parts"
  ]


def test_a_single_unit_over_several_blocks_is_cut_along_them():
  unit, _, notes = by_class(row(1, 0, 1, 2, 2, 2, 0, 2), row(1, 0, 2, 3, 3, 3, 0, 3))
  np.testing.assert_array_equal(unit, row(0, -1, 1, 2, 3, 3, -1, 3))
  assert notes == [
    "class 2 (grass) has 1 feature for 2 folds; it is cut along blocks of 4 x 4 pixels into 2 parts"
  ]


def test_a_single_unit_within_a_block_is_cut_in_two_across_its_longer_extent():
  labels = np.zeros((8, 8), np.int32)
  labels[0, [0, 2]] = 1
  labels[1:6, 4:6] = 2
  unit, _, notes = by_class(labels, block_size=8)
  np.testing.assert_array_equal(unit[1:6, 4:6], np.repeat([2, 2, 3, 3, 3], 2).reshape(5, 2))
  assert notes == [
    "class 2 (grass) has a single region, which is cut in two, so its accuracy is too optimistic"
  ]


def test_a_class_of_one_pixel_stays_whole():
  unit, _, notes = by_class(row(1, 0, 1, 2), folds=2)
  np.testing.assert_array_equal(unit, row(0, -1, 1, 2))
  assert notes == ["class 2 (grass) has a single pixel, which is never both trained and tested"]


def test_blocks_are_units_over_all_classes():
  unit, kind, notes = number_by_blocks(row(1, 2, 0, 0, 0, 0, 1, 0, 0, 2, 2), 3, NAMES)
  np.testing.assert_array_equal(unit, row(0, 0, -1, -1, -1, -1, 1, -1, -1, 2, 2))
  assert (unit.dtype, kind, notes) == (np.int32, "blocks", [])


def test_blocks_with_a_whole_class_are_cut_and_noted():
  labels = row(1, 0, 0, 2, 2, 2, 1, 3, 0)
  unit, _, notes = number_by_blocks(labels, 3, NAMES)
  assert unit[0, 3] != unit[0, 4] == unit[0, 5]
  assert unit[0, 6] == unit[0, 7]
  assert notes == [
    "class 2 (grass) has a single block, which is cut in two, so its accuracy is too optimistic",
    "class 3 (roof) has a single pixel, which is never both trained and tested",
  ]


def test_many_notes_are_only_counted():
  labels = np.arange(1, 31, dtype=np.int32).reshape(1, 30)
  names = {class_id: "x" for class_id in range(1, 31)}
  _, _, notes = number_by_class(labels, None, folds=2, block_size=4, class_names=names)
  assert len(notes) == 5
  assert notes[-1].startswith("26 more notes like these; check the column with the classes")

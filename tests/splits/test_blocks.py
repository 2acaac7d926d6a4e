"""Splits by blocks, on label images made by hand and on real ones."""

import itertools

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.splits import blocks
from mtl_hsi.splits.leakage import leaked_share, patch_overlap
from mtl_hsi.splits.split import pixels_of

GENERATOR = np.random.default_rng(0)
# Fields of 10 x 10 pixels of four classes with gaps between their ids, some of it unlabelled.
FIELDS = np.kron(GENERATOR.choice([1, 2, 5, 9], (8, 9)), np.ones((10, 10), int)).astype(np.int32)
FIELDS[GENERATOR.random(FIELDS.shape) < 0.3] = 0


def draw(labels=FIELDS, samples_per_class=5, *, block_size=12, patch=5, seed=0, replicas=1, name="fields"):
  return blocks.block_split(
    labels,
    samples_per_class,
    block_size=block_size,
    min_separation=patch,
    seed=seed,
    replicas=replicas,
    name=name,
  )


def classes_of(labels, rows):
  ids, counts = np.unique(labels[tuple(pixels_of(rows).T)], return_counts=True)
  return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def distance(split):
  """Smallest distance of a test pixel from a training pixel, in rows or columns."""
  train, test = (pixels_of(rows[0]) for rows in split)
  return np.abs(train[:, None] - test[None]).max(axis=2).min()


@pytest.mark.parametrize("patch", [1, 5, 9])
@pytest.mark.parametrize("seed", range(5))
def test_no_test_patch_overlaps_a_training_patch(patch, seed):
  split = draw(patch=patch, seed=seed)
  assert distance(split) >= patch
  assert patch_overlap(split, FIELDS.shape, patch) == 0
  assert leaked_share(split, FIELDS.shape, patch) == 0


def test_no_block_has_training_and_test_pixels():
  split = draw(patch=1, replicas=4)
  assert split.train.dtype == split.test.dtype == np.int32
  for train, test in zip(*split, strict=True):
    of = [{(row // 12, column // 12) for row, column in pixels_of(rows)} for rows in (train, test)]
    assert not of[0] & of[1]


def test_every_class_has_its_training_pixels_and_about_half_of_the_rest_in_test_blocks():
  split = draw(patch=1, replicas=4)
  counts = classes_of(FIELDS, np.argwhere(FIELDS > 0))
  for train, test in zip(*split, strict=True):
    assert classes_of(FIELDS, train) == {1: 5, 2: 5, 5: 5, 9: 5}
    for class_id, count in classes_of(FIELDS, test).items():
      assert 0.35 < count / counts[class_id] < 0.65


def test_replica_r_is_the_draw_of_seed_plus_r():
  many = draw(seed=4, replicas=3)
  for replica in range(3):
    one = draw(seed=4 + replica)
    for part in ("train", "test"):
      np.testing.assert_array_equal(pixels_of(getattr(many, part)[replica]), pixels_of(getattr(one, part)[0]))
  assert len({rows.tobytes() for rows in many.train}) == 3
  assert (draw(name="town").train != draw().train).any()


def test_a_class_within_one_block_is_cut_in_two():
  labels = np.zeros((20, 40), np.int32)
  labels[2:6, :20] = 1
  labels[10:14, 20:] = 2
  split = draw(labels, 4, block_size=40, patch=3, replicas=5)
  for train, test in zip(*split, strict=True):
    assert classes_of(labels, train) == {1: 4, 2: 4}
    assert classes_of(labels, test).keys() == {1, 2}
    for class_id, middle in ((1, 10), (2, 30)):
      halves = [pixels[labels[tuple(pixels.T)] == class_id][:, 1] for pixels in (train, pixels_of(test))]
      assert (halves[0].max() < middle <= halves[1].min()) or (halves[1].max() < middle <= halves[0].min())


def test_a_class_too_small_to_be_tested_is_trained_only():
  labels = FIELDS.copy()
  labels[40:43, 40:43] = 7
  labels[0, 0] = 8
  split = draw(labels, patch=9, replicas=3)
  for train, test in zip(*split, strict=True):
    assert {7, 8} <= classes_of(labels, train).keys()
    assert not {7, 8} & classes_of(labels, test).keys()
    assert {1, 2, 5, 9} <= classes_of(labels, test).keys()


def test_small_classes_are_tested_where_some_division_of_the_blocks_lets_them_be():
  labels = FIELDS.copy()
  for class_id, corners in ((7, [(5, 5), (60, 70)]), (8, [(5, 60), (60, 5)])):
    for row, column in corners:
      labels[row : row + 3, column : column + 3] = class_id
  # In about every third division the training pixels of other fields are too near to one of them.
  for seed in range(12):
    test = draw(labels, 8, patch=9, seed=seed).test[0]
    assert classes_of(labels, test).keys() == {1, 2, 5, 7, 8, 9}


def test_nothing_left_to_test_is_refused():
  labels = np.repeat([[1, 1, 1, 2, 2, 2]], 3, axis=0).astype(np.int32)
  with pytest.raises(RequestError, match=r"'fields': no test pixel is left in replica 0.*buffer of 8"):
    draw(labels, patch=9)


def test_scenes_whose_classes_cannot_all_be_trained_are_refused():
  # Every two of six blocks have a class that no other block has, so some classes are only on the test side.
  labels = np.zeros((10, 60), np.int32)
  for class_id, pair in enumerate(itertools.combinations(range(6), 2), start=1):
    labels[class_id % 10, np.array(pair) * 10 + class_id // 10] = class_id
  with pytest.raises(
    RequestError, match=r"no pixel in the training blocks of replica 0.*a smaller block_size"
  ):
    draw(labels, block_size=10, patch=1)


@pytest.mark.parametrize(
  ("name", "tested"), [("pavia_university_crop", 8), ("salinas_a", 6), ("pavia_centre_crop", 3)]
)
def test_real_scenes_keep_all_classes_and_a_fair_part_of_their_test_pixels(real_data, name, tested):
  labels = np.load(real_data / f"{name}.npz")["label"].astype(np.int32)
  split = draw(labels, 10, block_size=24, patch=9, replicas=3)
  for train, test in zip(*split, strict=True):
    assert set(classes_of(labels, train).values()) == {10}
    assert len(classes_of(labels, test)) == tested
    assert len(pixels_of(test)) > 0.15 * (labels > 0).sum()


def test_grid_cells_are_numbered_row_by_row():
  cells = blocks.grid_cells((3, 5), 2)
  np.testing.assert_array_equal(cells, [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5]])


@pytest.mark.parametrize(
  ("columns", "cut"), [([0, 1, 2, 3], 1.5), ([4, 4, 4, 9], 5), ([2, 7, 7, 7], 7), ([3, 8], 5.5)]
)
def test_the_median_cut_leaves_pixels_on_both_sides(columns, cut):
  pixels = np.array([(5, column) for column in columns])
  assert blocks.median_cut(pixels) == (1, cut)
  assert blocks.median_cut(pixels[:, ::-1]) == (0, cut)

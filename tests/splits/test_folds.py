"""Folds of whole units, their training pixels, and folds within training pixels."""

import itertools

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.folds import draw_folds, pixel_folds, training_pixels

GENERATOR = np.random.default_rng(1)
# Polygons of 2 x 3 pixels, apart from each other: 30, 12 and 7 of three classes with gaps between their ids.
CLASSES = GENERATOR.permutation(np.repeat([1, 4, 5], [30, 12, 7])).reshape(7, 7)
POLYGONS = np.kron(CLASSES, np.pad(np.ones((2, 3), int), ((0, 1), (0, 1)))).astype(np.int32)
NAMES = dict(enumerate(["maize", "grass", "roof", "oats", "lawn", "water", "soil", "rock"], start=1))


def draw(labels=POLYGONS, units=None, *, folds=5, block_size=6, by_blocks=False, seed=0, name="fields"):
  return draw_folds(
    labels,
    units,
    folds=folds,
    block_size=block_size,
    by_blocks=by_blocks,
    seed=seed,
    name=name,
    class_names=NAMES,
  )


def pixels_per_fold(labels, found, folds=5):
  """Pixels of every class in every fold, `[C, folds]`."""
  ids = np.unique(labels[labels > 0])
  return np.array([np.bincount(found.fold[labels == i], minlength=folds) for i in ids])


@pytest.mark.parametrize("by_blocks", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_units_stay_whole_and_all_labelled_pixels_are_in_a_fold(by_blocks, seed):
  found = draw(by_blocks=by_blocks, seed=seed)
  np.testing.assert_array_equal(found.fold >= 0, POLYGONS > 0)
  np.testing.assert_array_equal(found.unit >= 0, POLYGONS > 0)
  assert found.fold.dtype == found.unit.dtype == np.int32
  for unit in range(found.unit.max() + 1):
    assert len(np.unique(found.fold[found.unit == unit])) == 1
  assert found.kind == ("blocks" if by_blocks else "regions")
  assert found.notes == ()


@pytest.mark.parametrize("seed", range(5))
def test_folds_have_about_the_same_number_of_pixels_of_every_class(seed):
  counts = pixels_per_fold(POLYGONS, draw(seed=seed))
  # Units of 6 pixels: 30, 12 and 7 of them.
  assert (counts[0] == 36).all()
  assert sorted(counts[1]) == [12, 12, 12, 18, 18]
  assert sorted(counts[2]) == [6, 6, 6, 12, 12]


@pytest.mark.parametrize("seed", range(10))
def test_large_units_are_balanced_by_small_ones(seed):
  labels = np.array([[1] * 6 + [0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0] + [2, 0, 2]], np.int32)
  counts = pixels_per_fold(labels, draw(labels, folds=2, block_size=40, seed=seed), 2)
  assert counts.tolist() == [[6, 6], [1, 1]]


def test_features_are_the_units_if_the_scene_has_them():
  # Two features per polygon, one a column and the other two columns.
  units = np.zeros(POLYGONS.shape, np.int32)
  units[POLYGONS > 0] = (
    1 + np.arange((POLYGONS > 0).sum()) // 3 * 2 + (np.arange((POLYGONS > 0).sum()) % 3 > 0)
  )
  found = draw(units=units)
  assert found.kind == "features"
  assert found.unit.max() + 1 == len(np.unique(units)) - 1
  for unit in np.unique(units[units > 0]):
    assert len(np.unique(found.fold[units == unit])) == 1


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("by_blocks", [False, True])
def test_every_fold_has_a_unit_and_every_class_is_in_two_folds(seed, by_blocks):
  # Three classes of two units each, so that five folds have one or two units.
  labels = np.array([[1, 0, 1, 0, 2, 0, 2, 0, 3, 0, 3]], np.int32)
  found = draw(labels, block_size=1, by_blocks=by_blocks, seed=seed)
  assert set(found.fold[labels > 0]) == set(range(5))
  assert (np.count_nonzero(pixels_per_fold(labels, found), axis=1) == 2).all()


@pytest.mark.parametrize("seed", range(20))
def test_classes_that_share_blocks_are_in_two_folds_each(seed):
  # A ring of eight blocks, each with pixels of two classes: neighbours must be in different folds. Often the
  # first deal is wrong.
  labels = np.roll(np.repeat(np.arange(1, 9), 2), 1)[None].astype(np.int32)
  found = draw(labels, folds=2, block_size=2, by_blocks=True, seed=seed)
  assert (np.count_nonzero(pixels_per_fold(labels, found, 2), axis=1) == 2).all()


def test_small_classes_are_cut_and_noted():
  labels = np.zeros((6, 20), np.int32)
  labels[0, ::2] = 1
  labels[3:5, :3], labels[5, 19] = 2, 3
  found = draw(labels, folds=3)
  assert len(np.unique(found.fold[labels == 2])) == 2
  assert found.notes == (
    "class 2 (grass) has a single region, which is cut in two, so its accuracy is too optimistic",
    "class 3 (roof) has a single pixel, which is never both trained and tested",
  )


def test_folds_depend_on_the_seed_and_the_name_alone():
  first = draw()
  draw(name="town")
  again = draw()
  np.testing.assert_array_equal(first.fold, again.fold)
  assert (draw(seed=1).fold != first.fold).any()
  assert (draw(name="town").fold != first.fold).any()


@pytest.mark.parametrize(
  ("by_blocks", "message"),
  [
    (
      False,
      "the number of regions is 4, .* for 5 folds; lower --config.folds, .* --config.fold_units=blocks$",
    ),
    (True, "the number of blocks is 3, .* or use a smaller --config.block_size than 9$"),
  ],
)
def test_fewer_units_than_folds_are_refused(by_blocks, message):
  labels = np.array([[1, 0, 1, 0, 2, 2, 0, 2]], np.int32)
  with pytest.raises(RequestError, match=f"scene 'fields': {message}") as error:
    draw(labels, block_size=9, by_blocks=by_blocks)
  assert "\n" not in str(error.value)


def test_blocks_that_cannot_be_dealt_are_refused():
  # Every two of three blocks have a class that the third one lacks, so two folds cannot divide all classes.
  labels = np.zeros((3, 9), np.int32)
  for class_id, pair in enumerate(itertools.combinations(range(3), 2), start=1):
    labels[class_id - 1, np.array(pair) * 3] = class_id
  with pytest.raises(
    RequestError, match=r"scene 'fields': all blocks of class \d are in one fold.*than 3, or more"
  ):
    draw(labels, folds=2, block_size=3, by_blocks=True)


def test_training_pixels_are_all_others_without_a_buffer():
  found = draw()
  for fold in range(5):
    pixels = training_pixels(found, fold, 0)
    assert pixels.dtype == np.int32
    np.testing.assert_array_equal(pixels, np.argwhere((found.fold >= 0) & (found.fold != fold)))


@pytest.mark.parametrize("buffer", [1, 2, 5])
def test_training_pixels_keep_the_buffer(buffer):
  labels = np.kron(np.array([[1, 2] * 3, [2, 1] * 3]), np.ones((6, 6), int)).astype(np.int32)
  found = draw(labels, folds=3, block_size=12, by_blocks=True)
  for fold in range(3):
    pixels = training_pixels(found, fold, buffer)
    others, left_out = (
      np.argwhere(mask) for mask in ((found.fold >= 0) & (found.fold != fold), found.fold == fold)
    )
    distances = np.abs(others[:, None] - left_out[None]).max(axis=2).min(axis=1)
    np.testing.assert_array_equal(pixels, others[distances >= buffer + 1])
    assert len(pixels) < len(others)


def test_a_buffer_that_removes_a_class_is_refused():
  labels = np.array([[1, 0, 0, 0, 0, 1, 0, 2, 2, 2]], np.int32)
  found = draw(labels, folds=2, block_size=12)
  for fold in range(2):
    assert len(training_pixels(found, fold, 0))
    with pytest.raises(
      RequestError,
      match=f"'fields': class 2 has no training pixel left when fold {fold} is left out with a buffer of 2",
    ):
      training_pixels(found, fold, 2)


def test_a_class_in_the_left_out_fold_alone_is_no_error():
  labels = np.array([[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]], np.int32)
  found = draw(labels, folds=2, block_size=20)
  fold = int(found.fold[0, 12])
  assert training_pixels(found, fold, 1).shape == (1, 2)


def deal(train, labels, *, folds=3, block_size=None, seed=0):
  generator = np.random.default_rng(seed)
  return pixel_folds(train, labels, folds=folds, block_size=block_size, generator=generator)


@pytest.mark.parametrize("seed", range(5))
def test_pixels_of_every_class_are_dealt_evenly(seed):
  labels = np.repeat([[1], [4], [5]], [7, 3, 1], axis=0).astype(np.int32)
  train = np.argwhere(labels > 0).astype(np.int32)
  fold = deal(train, labels, seed=seed)
  assert fold.shape == (11,)
  assert fold.dtype == np.int32
  for class_id, expected in ((1, [2, 2, 3]), (4, [1, 1, 1]), (5, [0, 0, 1])):
    assert sorted(np.bincount(fold[labels[:, 0] == class_id], minlength=3)) == expected


def test_classes_begin_at_random_folds():
  labels = np.array([[1, 2]], np.int32)
  found = {tuple(deal(np.argwhere(labels > 0), labels, seed=seed)) for seed in range(60)}
  assert len(found) == 9


@pytest.mark.parametrize("seed", range(5))
def test_pixels_of_a_block_stay_in_one_fold(seed):
  labels = np.kron(CLASSES, np.ones((4, 4), int)).astype(np.int32)
  train = np.argwhere(labels > 0)[::3]
  fold = deal(train, labels, block_size=4, seed=seed)
  blocks = train // 4 @ [7, 1]
  for block in np.unique(blocks):
    assert len(np.unique(fold[blocks == block])) == 1
  for class_id in (1, 4, 5):
    counts = np.bincount(fold[labels[tuple(train.T)] == class_id], minlength=3)
    assert np.ptp(counts) <= 6


@pytest.mark.parametrize("seed", range(5))
def test_a_class_within_a_block_is_dealt_pixel_by_pixel(seed):
  labels = np.zeros((4, 12), np.int32)
  labels[0, ::4], labels[1, 4:10], labels[2, :3] = 1, 4, 5
  train = np.argwhere(labels > 0)
  fold = deal(train, labels, block_size=4, seed=seed)
  classes = labels[tuple(train.T)]
  assert sorted(fold[classes == 5]) == [0, 1, 2]
  assert sorted(fold[classes == 1]) == [0, 1, 2]
  # The six pixels of class 4 lie in two blocks.
  assert len(np.unique(fold[classes == 4])) == 2
  np.testing.assert_array_equal(fold[classes == 4][:4], fold[classes == 4][0])


def test_pixel_folds_of_equal_generators_are_equal():
  train = np.argwhere(POLYGONS > 0)[::2]
  for block_size in (None, 6):
    first, again = (deal(train, POLYGONS, block_size=block_size, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (deal(train, POLYGONS, block_size=block_size, seed=4) != first).any()

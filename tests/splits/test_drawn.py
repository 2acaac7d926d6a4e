"""Random splits of hand-made label images, and splits with a given test set."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.drawn import ALL, given_split, random_split, with_training_pixels
from mtl_hsi.splits.leakage import leaked_share, patch_overlap
from mtl_hsi.splits.split import Split, pixels_of

# Ids with gaps: six pixels of 2, three of 5, one of 9, two unlabelled.
LABELS = np.array([[2, 2, 2, 5], [2, 2, 2, 5], [0, 9, 0, 5]], np.int32)


def draw(labels=LABELS, samples_per_class=3, *, seed=0, replicas=1, name="fields") -> Split:
  return random_split(labels, samples_per_class, seed=seed, replicas=replicas, name=name)


def classes_of(pixels):
  ids, counts = np.unique(LABELS[tuple(pixels.T)], return_counts=True)
  return dict(zip(ids.tolist(), counts.tolist()))


def test_small_classes_give_all_their_pixels_to_training():
  split = draw()
  assert split.train.dtype == split.test.dtype == np.int32
  assert classes_of(split.train[0]) == {2: 3, 5: 3, 9: 1}
  assert classes_of(split.test[0]) == {2: 3}


@pytest.mark.parametrize("samples_per_class", [1, 2, 5])
def test_every_labelled_pixel_is_either_for_training_or_for_testing(samples_per_class):
  split = draw(samples_per_class=samples_per_class, replicas=3)
  for train, test in zip(split.train, split.test):
    pixels = np.concatenate([train, test])
    assert sorted(map(tuple, pixels)) == sorted(map(tuple, np.argwhere(LABELS > 0)))


def test_replica_r_is_the_draw_of_seed_plus_r():
  many = draw(samples_per_class=2, seed=4, replicas=3)
  for replica in range(3):
    one = draw(samples_per_class=2, seed=4 + replica)
    np.testing.assert_array_equal(many.train[replica], one.train[0])
    np.testing.assert_array_equal(many.test[replica], one.test[0])
  assert len({train.tobytes() for train in draw(samples_per_class=2, replicas=5).train}) > 1


def test_scenes_with_the_same_seed_have_different_draws():
  assert (
    draw(samples_per_class=2, replicas=5).train != draw(samples_per_class=2, replicas=5, name="town").train
  ).any()


def test_every_pixel_of_a_class_is_as_likely_as_the_others():
  drawn = draw(samples_per_class=1, replicas=600).train
  pixels, counts = np.unique(drawn.reshape(-1, 2), axis=0, return_counts=True)
  of_class_2 = counts[LABELS[tuple(pixels.T)] == 2]
  assert len(of_class_2) == 6
  assert of_class_2.min() > 60
  assert of_class_2.max() < 140


@pytest.mark.parametrize("samples_per_class", [6, 7])
def test_more_samples_than_any_class_has_are_refused(samples_per_class):
  with pytest.raises(
    RequestError, match=f"'fields': samples_per_class is {samples_per_class} and the largest class has 6"
  ):
    draw(samples_per_class=samples_per_class)


def test_all_labels_can_train():
  labels = np.array([[1, 0, 2], [2, 2, 0]], np.int32)
  split = random_split(labels, ALL, seed=3, replicas=2, name="f")
  assert (split.train.shape, split.test.shape) == ((2, 4, 2), (2, 0, 2))
  for rows in split.train:
    assert (labels[tuple(rows.T)] > 0).all()
  assert leaked_share(split, labels.shape, 3) is None
  assert patch_overlap(split, labels.shape, 3) is None


def test_further_training_pixels_are_in_every_replica_and_none_is_tested():
  labels = np.tile(np.array([1, 2], np.int32), (6, 6))
  more = np.zeros(labels.shape, bool)
  more[0, 0] = more[5, 7] = True
  drawn = random_split(np.where(more, 0, labels), 2, seed=3, replicas=2, name="f")
  split = with_training_pixels(drawn, more, min_separation=1, name="f")
  for replica in range(2):
    train, test = (pixels_of(part[replica]) for part in split)
    np.testing.assert_array_equal(train[:-2], drawn.train[replica])
    np.testing.assert_array_equal(train[-2:], [[0, 0], [5, 7]])
    assert len(train) + len(test) == labels.size
    assert not more[tuple(test.T)].any()


def test_test_pixels_keep_away_from_further_training_pixels():
  labels = np.tile(np.array([1, 2], np.int32), (6, 6))
  more = np.zeros(labels.shape, bool)
  more[0, 0] = True
  drawn = random_split(np.where(more, 0, labels), 2, seed=3, replicas=2, name="f")
  split = with_training_pixels(drawn, more, min_separation=4, name="f")
  for rows in split.test:
    test = pixels_of(rows)
    assert len(test) > 20
    assert test.max(axis=1).min() == 4
  with pytest.raises(RequestError, match="no test pixel is 12 or more pixels away from all of more_labels"):
    with_training_pixels(drawn, more, min_separation=12, name="f")


TRAIN = np.array([[1, 1, 1, 1], [4, 4, 0, 0], [0, 0, 0, 0]], np.int32)
TEST = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [4, 0, 9, 1]], np.int32)


def draw_given(samples_per_class, **changes):
  return given_split(
    TRAIN + TEST, TEST > 0, samples_per_class, **{"seed": 3, "replicas": 2, "name": "f"} | changes
  )


def test_all_pixels_given_are_used_in_every_replica():
  made = draw_given(ALL)
  assert made.train.dtype == made.test.dtype == np.int32
  for train, test in zip(*made, strict=True):
    assert sorted(map(tuple, train.tolist())) == [tuple(pixel) for pixel in np.argwhere(TRAIN).tolist()]
    assert test.tolist() == np.argwhere(TEST).tolist()


def test_n_pixels_a_class_are_drawn_from_those_for_training():
  made = draw_given(3, replicas=5)
  for train, test in zip(*made, strict=True):
    assert np.bincount(TRAIN[tuple(train.T)]).tolist() == [0, 3, 0, 0, 2]
    assert len(test) == 4
  assert len({rows.tobytes() for rows in made.train}) > 1
  np.testing.assert_array_equal(draw_given(3, seed=4, replicas=1).train[0], draw_given(3).train[1])

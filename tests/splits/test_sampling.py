"""Few-shot splits of hand-made label images, splits from files, leakage."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.splits import sampling
from mtl_hsi.splits.sampling import Split

# Ids with gaps: six pixels of 2, three of 5, one of 9, two unlabelled.
LABELS = np.array([[2, 2, 2, 5], [2, 2, 2, 5], [0, 9, 0, 5]], np.int32)


def draw(labels=LABELS, samples_per_class=3, *, seed=0, replicas=1, name="fields") -> Split:
  return sampling.random_split(labels, samples_per_class, seed=seed, replicas=replicas, name=name)


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


def test_scenes_of_one_seed_are_drawn_apart():
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


def write(path, splits):
  np.savez(path, **sampling.split_arrays(splits))
  return path


def read(path, replicas=1):
  return sampling.read_splits(path, {"fields": LABELS}, replicas)


def test_a_written_split_reads_back(tmp_path):
  splits = {"fields": draw(replicas=2), "town": draw(replicas=2, name="town")}
  path = write(tmp_path / "split.npz", splits)
  with np.load(path) as archive:
    assert set(archive) == {"fields/train", "fields/test", "town/train", "town/test"}
  back = read(path, replicas=2)
  assert back.keys() == {"fields"}
  np.testing.assert_array_equal(back["fields"].train, splits["fields"].train)
  np.testing.assert_array_equal(back["fields"].test, splits["fields"].test)


def test_replicas_of_unequal_length_read_back_without_their_padding(tmp_path):
  train = np.array([[[0, 0], [0, 3]], [[0, 1], [-1, -1]]], np.int32)
  test = np.array([[[2, 1]], [[2, 1]]], np.int32)
  split = read(write(tmp_path / "split.npz", {"fields": Split(train, test)}), replicas=2)["fields"]
  assert sampling.pixels_of(split.train[0]).tolist() == [[0, 0], [0, 3]]
  assert sampling.pixels_of(split.train[1]).tolist() == [[0, 1]]


@pytest.mark.parametrize(
  ("train", "test", "message"),
  [
    ([[[0, 0]]], [[[3, 0]]], "has test pixels outside the scene of 3 x 4 pixels"),
    ([[[0, -2]]], [[[0, 1]]], "has train pixels outside the scene"),
    ([[[2, 0]]], [[[0, 1]]], "has unlabelled train pixels in replica 0"),
    ([[[0, 0]]], [[[0, 0]]], "has pixels that are training and test pixels at once in replica 0"),
    ([[[-1, -1]]], [[[0, 0]]], "has no train pixel in replica 0"),
    ([[[0, 0]]], [[[-1, -1]]], "has no test pixel in replica 0"),
    ([[[0, 0]]] * 2, [[[0, 1]]] * 2, r"holds 2 replicas and 1 are asked for \(config key 'replicas'\)"),
    ([[0, 0]], [[[0, 1]]], r"has train pixels of shape \(1, 2\)"),
    (
      [[[0.0, 0.0]]],
      [[[0, 1]]],
      r"has train pixels of shape \(1, 1, 2\) and type float64, expected integers",
    ),
  ],
)
def test_a_split_that_does_not_fit_is_refused(tmp_path, train, test, message):
  path = write(tmp_path / "split.npz", {"fields": Split(np.array(train), np.array(test))})
  with pytest.raises(RequestError, match=f"the split given for scene 'fields' {message}"):
    read(path)


def test_a_split_without_the_scene_is_refused(tmp_path):
  path = write(tmp_path / "split.npz", {"town": draw()})
  with pytest.raises(RequestError, match="holds no 'fields/train'; it holds town/test, town/train"):
    read(path)


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 torn"])
def test_a_file_that_is_no_split_is_refused(tmp_path, content):
  path = tmp_path / "split.npz"
  if content is not None:
    path.write_bytes(content)
  with pytest.raises(
    RequestError, match=f"cannot read a split from {path}.*expected 'random', 'blocks' or the split.npz"
  ):
    read(path)


def test_a_single_array_is_no_split(tmp_path):
  with (tmp_path / "split.npz").open("wb") as file:
    np.save(file, LABELS)
  with pytest.raises(RequestError, match="cannot read a split from"):
    read(tmp_path / "split.npz")


def test_leakage_is_the_share_of_test_pixels_near_training_pixels():
  # Training pixel (3, 3); of the test pixels one touches it, one is two columns away, two are far.
  train = [[3, 3], [-1, -1]]
  test = [[2, 2], [3, 5], [0, 0], [6, 6]]
  first = Split(np.array([train]), np.array([test]))
  assert sampling.leakage(first, (7, 7), patch=3) == pytest.approx(1 / 4)
  assert sampling.leakage(first, (7, 7), patch=5) == pytest.approx(2 / 4)
  assert sampling.leakage(first, (7, 7), patch=7) == pytest.approx(4 / 4)


def test_leakage_is_the_mean_over_replicas_and_does_not_reach_around_the_scene():
  train = np.array([[[0, 0]], [[0, 5]]])
  test = np.array([[[0, 6], [6, 0]], [[0, 6], [-1, -1]]])
  assert sampling.leakage(Split(train, test), (7, 7), patch=3) == pytest.approx((0 / 2 + 1 / 1) / 2)


@pytest.mark.parametrize(("patch", "share"), [(1, 0), (3, 0.25), (5, 0.5), (9, 1)])
def test_overlap_is_the_share_of_test_pixels_whose_patch_overlaps_a_training_patch(patch, share):
  # Test pixels 2, 3, 6 and 8 columns from the training pixel, the first one in another row.
  split = Split(np.array([[[0, 0]]]), np.array([[[1, 2], [0, 3], [0, 6], [0, 8]]]))
  assert sampling.patch_overlap(split, (2, 9), patch) == share


def test_overlap_is_the_mean_over_replicas_without_their_padding():
  train = np.array([[[0, 0], [-1, -1]], [[0, 0], [0, 8]]])
  test = np.array([[[0, 4], [0, 7]], [[0, 7], [-1, -1]]])
  assert sampling.patch_overlap(Split(train, test), (1, 9), 3) == 0.5


def test_all_labels_can_train():
  labels = np.array([[1, 0, 2], [2, 2, 0]], np.int32)
  split = sampling.random_split(labels, sampling.ALL, seed=3, replicas=2, name="f")
  assert (split.train.shape, split.test.shape) == ((2, 4, 2), (2, 0, 2))
  for rows in split.train:
    assert (labels[tuple(rows.T)] > 0).all()
  assert sampling.leakage(split, labels.shape, 3) is None
  assert sampling.patch_overlap(split, labels.shape, 3) is None


def test_further_training_pixels_are_in_every_replica_and_none_is_tested():
  labels = np.tile(np.array([1, 2], np.int32), (6, 6))
  more = np.zeros(labels.shape, bool)
  more[0, 0] = more[5, 7] = True
  drawn = sampling.random_split(np.where(more, 0, labels), 2, seed=3, replicas=2, name="f")
  split = sampling.with_training_pixels(drawn, more, apart=1, name="f")
  for replica in range(2):
    train, test = (sampling.pixels_of(part[replica]) for part in split)
    np.testing.assert_array_equal(train[:-2], drawn.train[replica])
    np.testing.assert_array_equal(train[-2:], [[0, 0], [5, 7]])
    assert len(train) + len(test) == labels.size
    assert not more[tuple(test.T)].any()


def test_test_pixels_keep_away_from_further_training_pixels():
  labels = np.tile(np.array([1, 2], np.int32), (6, 6))
  more = np.zeros(labels.shape, bool)
  more[0, 0] = True
  drawn = sampling.random_split(np.where(more, 0, labels), 2, seed=3, replicas=2, name="f")
  split = sampling.with_training_pixels(drawn, more, apart=4, name="f")
  for rows in split.test:
    test = sampling.pixels_of(rows)
    assert len(test) > 20
    assert test.max(axis=1).min() == 4
  with pytest.raises(RequestError, match="no test pixel lies 12 or more pixels away from all of more_labels"):
    sampling.with_training_pixels(drawn, more, apart=12, name="f")

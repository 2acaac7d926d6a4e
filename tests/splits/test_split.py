"""Splits written to `split.npz` and read back."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.drawn import random_split
from mtl_hsi.splits.split import Split, pixels_of, read_splits, split_arrays

# Ids with gaps: six pixels of 2, three of 5, one of 9, two unlabelled.
LABELS = np.array([[2, 2, 2, 5], [2, 2, 2, 5], [0, 9, 0, 5]], np.int32)


def draw(labels=LABELS, samples_per_class=3, *, seed=0, replicas=1, name="fields") -> Split:
  return random_split(labels, samples_per_class, seed=seed, replicas=replicas, name=name)


def write(path, splits):
  np.savez(path, **split_arrays(splits))
  return path


def read(path, replicas=1):
  return read_splits(path, {"fields": LABELS}, replicas)


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
  assert pixels_of(split.train[0]).tolist() == [[0, 0], [0, 3]]
  assert pixels_of(split.train[1]).tolist() == [[0, 1]]


@pytest.mark.parametrize(
  ("train", "test", "message"),
  [
    ([[[0, 0]]], [[[3, 0]]], "has test pixels outside the scene of 3 x 4 pixels"),
    ([[[0, -2]]], [[[0, 1]]], "has train pixels outside the scene"),
    ([[[2, 0]]], [[[0, 1]]], "has unlabelled train pixels in replica 0"),
    ([[[0, 0]]], [[[0, 0]]], "uses a pixel for both training and testing in replica 0"),
    ([[[-1, -1]]], [[[0, 0]]], "has no train pixel in replica 0"),
    ([[[0, 0]]], [[[-1, -1]]], "has no test pixel in replica 0"),
    ([[[0, 0]]] * 2, [[[0, 1]]] * 2, r"has 2 replicas; expected 1 \(config key 'replicas'\)"),
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
  with pytest.raises(RequestError, match=f"the given split of scene 'fields' {message}"):
    read(path)


def test_a_split_without_the_scene_is_refused(tmp_path):
  path = write(tmp_path / "split.npz", {"town": draw()})
  with pytest.raises(RequestError, match=r"has no array 'fields/train' \(arrays: town/test, town/train\)"):
    read(path)


def test_a_missing_file_is_refused(tmp_path):
  path = tmp_path / "block"
  message = f"no file {path}; expected 'random', 'blocks', 'folds', 'scenes' or the path"
  with pytest.raises(RequestError, match=message):
    read(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 torn"])
def test_a_file_that_is_no_split_is_refused(tmp_path, content):
  path = tmp_path / "split.npz"
  path.write_bytes(content)
  expected = "expected 'random', 'blocks', 'folds', 'scenes' or the path of the split.npz"
  with pytest.raises(RequestError, match=f"cannot read a split from {path}.*{expected}"):
    read(path)


def test_a_single_array_is_no_split(tmp_path):
  with (tmp_path / "split.npz").open("wb") as file:
    np.save(file, LABELS)
  with pytest.raises(RequestError, match="cannot read a split from"):
    read(tmp_path / "split.npz")

"""Training and test pixels that the user gives."""

import dataclasses

import numpy as np
import pytest

from mtl_hsi import given
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Scene

TRAIN = np.array([[1, 1, 1, 1], [4, 4, 0, 0], [0, 0, 0, 0]], np.int32)
TEST = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [4, 0, 9, 1]], np.int32)


def scene(labels, **names):
  titles = {int(i): names.get(f"class_{i}", f"class {i}") for i in np.unique(labels[labels > 0])}
  return Scene("fields", np.ones((3, 4, 2)), labels, titles)


def split(samples_per_class, **changes):
  return given.given_split(
    TRAIN, TEST, samples_per_class, **{"seed": 3, "replicas": 2, "name": "f"} | changes
  )


def test_the_scene_has_the_labels_of_both():
  joined = given.joined_labels(scene(TRAIN), scene(TEST))
  np.testing.assert_array_equal(joined.labels, [[1, 1, 1, 1], [4, 4, 0, 1], [4, 0, 9, 1]])
  assert joined.class_names == {1: "class 1", 4: "class 4", 9: "class 9"}


def test_a_pixel_for_both_is_refused():
  test = TEST.copy()
  test[1, 1] = 4
  with pytest.raises(RequestError, match=r"'fields': 1 pixels are labelled.*the first at row 1, column 1"):
    given.joined_labels(scene(TRAIN), scene(test))


def test_two_names_for_one_class_are_refused():
  with pytest.raises(RequestError, match="class 4 is called 'class 4' among the training labels and 'corn'"):
    given.joined_labels(scene(TRAIN), scene(TEST, class_4="corn"))


def test_all_pixels_given_are_used_in_every_replica():
  made = split(given.ALL)
  assert made.train.dtype == made.test.dtype == np.int32
  for train, test in zip(*made, strict=True):
    assert sorted(map(tuple, train.tolist())) == [tuple(pixel) for pixel in np.argwhere(TRAIN).tolist()]
    assert test.tolist() == np.argwhere(TEST).tolist()


def test_n_pixels_a_class_are_drawn_from_those_for_training():
  made = split(3, replicas=5)
  for train, test in zip(*made, strict=True):
    assert np.bincount(TRAIN[tuple(train.T)]).tolist() == [0, 3, 0, 0, 2]
    assert len(test) == 4
  assert len({rows.tobytes() for rows in made.train}) > 1
  np.testing.assert_array_equal(split(3, seed=4, replicas=1).train[0], split(3).train[1])


def test_other_things_of_the_scene_stay():
  train = dataclasses.replace(scene(TRAIN), sensor="camera", provenance="made up")
  joined = given.joined_labels(train, scene(TEST))
  assert (joined.sensor, joined.provenance) == ("camera", "made up")
  assert joined.cube is train.cube

"""Training and test pixels that the user gives."""

import numpy as np

from mtl_hsi.splits import given, sampling

TRAIN = np.array([[1, 1, 1, 1], [4, 4, 0, 0], [0, 0, 0, 0]], np.int32)
TEST = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [4, 0, 9, 1]], np.int32)


def split(samples_per_class, **changes):
  return given.given_split(
    TRAIN + TEST, TEST > 0, samples_per_class, **{"seed": 3, "replicas": 2, "name": "f"} | changes
  )


def test_all_pixels_given_are_used_in_every_replica():
  made = split(sampling.ALL)
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

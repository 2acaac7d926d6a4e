"""The majority vote and its confidence."""

import numpy as np

from mtl_hsi.classification import voting


def decided(ballots, classes, probabilities=None):
  tally = voting.start((*ballots.shape[1:], classes))
  for index, labels in enumerate(ballots):
    scores = np.zeros((*labels.shape, classes), np.float32) if probabilities is None else probabilities[index]
    tally = voting.count(tally, labels, scores)
  return voting.decide(tally, len(ballots))


def test_the_majority_wins_and_ties_go_to_the_smallest_class():
  ballots = np.array(
    [
      # a majority, a tie of two, a tie of all, unanimous, a tie below a majority
      [2, 3, 4, 1, 0],
      [2, 3, 3, 1, 1],
      [0, 1, 2, 1, 4],
      [1, 1, 1, 1, 4],
      [2, 4, 0, 1, 4],
    ]
  )
  votes = decided(ballots, 5)
  assert votes.labels.tolist() == [2, 1, 0, 1, 4]
  np.testing.assert_allclose(votes.share, [0.6, 0.4, 0.2, 1, 0.6])
  assert (votes.labels.dtype, votes.share.dtype) == (np.uint16, np.float32)


def test_every_pixel_of_every_replica_has_its_own_vote():
  ballots = np.random.default_rng(0).integers(0, 3, (5, 2, 4, 3))
  labels = decided(ballots, 3).labels
  for place in np.ndindex(2, 4, 3):
    assert labels[place] == np.bincount(ballots[(slice(None), *place)], minlength=3).argmax()


def test_snapshots_that_lost_the_vote_count_in_the_probability():
  probabilities = np.array([[[0.1, 0.9]], [[0.2, 0.8]], [[0.6, 0.4]]], np.float32)
  votes = decided(probabilities.argmax(-1), 2, probabilities)
  assert votes.labels.tolist() == [1]
  np.testing.assert_allclose(votes.probability, [0.7], atol=5e-4)


def test_probability_is_at_most_one():
  probabilities = np.full((7, 100, 2), [1.0000001, 0], np.float32)
  assert decided(np.zeros((7, 100), int), 2, probabilities).probability.max() == 1


def test_one_snapshot_decides_alone():
  votes = decided(np.array([[0, 2, 1]]), 3)
  assert votes.labels.tolist() == [0, 2, 1]
  assert votes.share.tolist() == [1, 1, 1]


def test_more_snapshots_than_a_byte_can_count():
  assert decided(np.ones((256, 2), int), 2).labels.tolist() == [1, 1]


def test_arrays_are_named_after_their_scene():
  arrays = voting.confidence_arrays({"fields": decided(np.zeros((1, 2, 3), int), 2)})
  assert arrays.keys() == {"fields/vote_share", "fields/probability"}
  assert {array.shape for array in arrays.values()} == {(2, 3)}

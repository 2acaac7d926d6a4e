"""The choice of a mixture by labels that its members did not train on."""

import numpy as np
import pytest
from scipy import special

from mtl_hsi.classification import choice

GENERATOR = np.random.default_rng(0)
WEIGHTS = choice.weight_grid(2)
SMOOTHINGS = 2
# The folds of six pixels.
FOLD = np.array([0, 0, 0, 1, 1, 1])


def log_p(n=6, classes=3):
  """Random log-probabilities of all candidates `[W, S, n, C]`."""
  shape = (len(WEIGHTS), SMOOTHINGS, n, classes)
  return special.log_softmax(GENERATOR.normal(0, 1, shape), axis=-1)


def test_weights_are_all_quarters_with_sum_1():
  assert choice.weight_grid(1).tolist() == [[1]]
  assert WEIGHTS.tolist() == [[1, 0], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0, 1]]
  three = choice.weight_grid(3)
  assert three.dtype == np.float32
  assert len(np.unique(three, axis=0)) == len(three) == 15
  np.testing.assert_array_equal(three.sum(axis=1), 1)
  assert three[0].tolist() == [1, 0, 0]


def scores(candidates, classes, fold=FOLD):
  return choice.scores(candidates, classes, fold, 2)


def test_scores_are_likelihoods_of_the_true_class_and_a_bonus_for_correct_pixels_summed_over_folds():
  candidates, classes = log_p(), np.array([0, 1, 2, 2, 1, 0])
  found = scores(candidates, classes)
  assert (found.shape[:2], found.shape[3]) == ((5, 2), 2)
  # One of the temperatures is 1, where the probabilities are as they are.
  true = np.take_along_axis(candidates, classes.reshape(1, 1, -1, 1), axis=-1)[..., 0]
  correct = candidates.argmax(axis=-1) == classes
  sums = (true + 3 * correct).reshape(5, 2, 2, 3).sum(axis=-1)
  assert any(np.allclose(found[:, :, row], sums) for row in range(found.shape[2]))


def test_a_certain_error_does_not_outweigh_two_pixels_that_smoothing_corrects():
  """Smoothing is right in five pixels and very sure in the sixth; without it, three are barely wrong."""
  classes = np.zeros(6, int)
  candidates = np.full((5, 2, 6, 2), -np.inf)
  wrong = np.array([False, False, False, True, True, True])
  candidates[:, 0] = np.where(wrong.reshape(-1, 1), np.log([0.45, 0.55]), np.log([0.9, 0.1]))
  candidates[:, 1] = np.log([0.9, 0.1])
  candidates[:, 1, 5] = np.log([0.02, 0.98])
  assert choice.choose(scores(candidates, classes).sum(axis=-1)).smoothing == 1


def test_pixels_without_a_fold_are_left_out():
  candidates, classes = log_p(), np.array([0, 1, 2, 2, 1, 0])
  some = scores(candidates, classes, np.array([0, -1, -1, 1, 1, -1]))
  kept = [0, 3, 4]
  np.testing.assert_allclose(some, scores(candidates[:, :, kept], classes[kept], FOLD[kept]))


def test_an_absent_class_gets_no_probability_at_any_temperature():
  candidates, classes = log_p(), np.array([0, 1, 1, 0, 1, 0])
  without = special.log_softmax(candidates[..., :2], axis=-1)
  padded = np.concatenate([without, np.full_like(without[..., :1], -np.inf)], axis=-1)
  np.testing.assert_allclose(scores(padded, classes), scores(without, classes), rtol=1e-6)


@pytest.mark.parametrize("best", [(0, 0), (2, 1), (4, 0)])
def test_the_best_candidate_is_chosen(best):
  classes = np.array([0, 1, 2, 2, 1, 0])
  candidates = log_p()
  candidates[best] = special.log_softmax(2.0 * np.eye(3)[classes], axis=-1)
  assert choice.choose(scores(candidates, classes).sum(axis=-1)) == best


def test_a_candidate_that_is_only_too_sure_of_itself_is_not_discarded():
  """Right in five of six pixels with far too much confidence, against one that says nothing."""
  classes = np.zeros(6, int)
  # Right in five pixels as well.
  candidates = np.full((5, 2, 6, 2), np.log(0.5))
  candidates[:, :, 5] = np.log([0.49, 0.51])
  sure = np.array([[0.0, -13.0]] * 5 + [[-13.0, 0.0]])
  candidates[3, 1] = special.log_softmax(sure, axis=-1)
  assert choice.choose(scores(candidates, classes).sum(axis=-1)) == (3, 1)


def test_each_fold_may_choose_differently():
  classes = np.zeros(6, int)
  candidates = np.full((5, 2, 6, 2), np.log(0.5))
  candidates[1, 0, :3] = np.log([0.9, 0.1])
  candidates[2, 1, 3:] = np.log([0.9, 0.1])
  sums = scores(candidates, classes)
  assert choice.choose(sums[..., 0]) == (1, 0)
  assert choice.choose(sums[..., 1]) == (2, 1)

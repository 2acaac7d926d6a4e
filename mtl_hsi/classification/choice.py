"""Chooses a mixture of experts for a scene by labels that its members did not train on.

The score of a mixture is the log-likelihood of these labels plus a bonus for every label that is classified
correctly. Likelihood alone chooses too little smoothing: far smoothing corrects many pixels and is sure of
the few that it gets wrong. Accuracy alone wastes what the probabilities tell about a handful of labels.
"""

import itertools
from typing import NamedTuple

import numpy as np
from scipy import special

# Temperatures in which a candidate is judged, so that one that is only too sure of itself is not discarded.
_TEMPERATURES = 2.0 ** np.arange(-2.5, 2.1, 0.5)
# Nats for a pixel of the correct class. Found on the seeds 100 to 103 of four scenes (docs/recipe.md).
_BONUS = 3.0
# Weights of the members are multiples of 1 / _PARTS.
_PARTS = 4


class Choice(NamedTuple):
  """Positions of the chosen mixture among the candidates."""

  weights: int
  smoothing: int


def weight_grid(members: int) -> np.ndarray:
  """Returns all weights of M members in steps of 1/4 with sum 1, float32 `[W, M]`."""
  cuts = itertools.combinations_with_replacement(range(members), _PARTS)
  counts = sorted((np.bincount(cut, minlength=members).tolist() for cut in cuts), reverse=True)
  return np.array(counts, np.float32) / _PARTS


def scores(candidates: np.ndarray, classes: np.ndarray, fold: np.ndarray, folds: int) -> np.ndarray:
  """Returns the score of every candidate at every temperature, summed over each fold, `[W, S, T, k]`.

  Args:
    candidates: log-probabilities of the mixtures, float `[W, S, n, C]`.
    classes: positions of the true classes, int `[n]`.
    fold: fold of every pixel, int `[n]`; -1 leaves a pixel out.
    folds: k.
  """
  kept = fold >= 0
  rows = np.arange(np.count_nonzero(kept)), classes[kept]
  sums = np.empty((*candidates.shape[:2], len(_TEMPERATURES), folds))
  for place in np.ndindex(candidates.shape[:2]):
    log_p = candidates[place][kept]
    bonus = _BONUS * (log_p.argmax(axis=-1) == classes[kept])
    for row, temperature in zip(sums[place], _TEMPERATURES, strict=True):
      likelihood = special.log_softmax(log_p / temperature, axis=-1)[rows]
      row[:] = np.bincount(fold[kept], likelihood + bonus, folds)
  return sums


def choose(sums: np.ndarray) -> Choice:
  """Returns the mixture of the best score, each at its best temperature; the first one of equals.

  Args:
    sums: scores `[W, S, T]`.
  """
  best = sums.max(axis=-1)
  weights, smoothing = np.unravel_index(int(best.argmax()), best.shape)
  return Choice(int(weights), int(smoothing))

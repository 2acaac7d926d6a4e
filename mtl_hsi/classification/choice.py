"""Chooses a mixture of experts for a scene by the likelihood of labels that its members did not train on."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

# Temperatures in which a candidate is judged, so that one that is only too sure of itself is not discarded.
_TEMPERATURES = 2.0 ** np.arange(-2.5, 2.1, 0.25)
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


def log_likelihoods(candidates: np.ndarray, classes: np.ndarray) -> np.ndarray:
  """Returns the log-likelihood of every pixel at every temperature, `[W, S, temperatures, n]`.

  Args:
    candidates: log-probabilities of the mixtures, float `[W, S, n, C]`.
    classes: positions of the true classes, int `[n]`.
  """
  true = np.take_along_axis(candidates, classes.reshape(1, 1, -1, 1), axis=-1)[..., 0]
  found = [true / t - special.logsumexp(candidates / t, axis=-1) for t in _TEMPERATURES]
  return np.stack(found, axis=2)


def choose(likelihoods: np.ndarray, pixels: np.ndarray, prior: np.ndarray, units: int) -> Choice:
  """Returns the mixture with the largest posterior: units x mean log-likelihood + log prior.

  Every candidate is judged at its best temperature. Pixels of a unit are alike, so the number of units and
  not that of pixels says how much the labels weigh against the prior.

  Args:
    likelihoods: from `log_likelihoods`.
    pixels: which pixels to use, bool `[n]`.
    prior: logarithm of the prior of every candidate `[W, S]`.
    units: number of units of these pixels.
  """
  if not pixels.any():
    return Choice(*np.unravel_index(int(prior.argmax()), prior.shape))
  best = likelihoods[..., pixels].mean(axis=-1).max(axis=-1)
  weights, smoothing = np.unravel_index(int((units * best + prior).argmax()), prior.shape)
  return Choice(int(weights), int(smoothing))


def log_prior(weights: np.ndarray, steps: Sequence[int]) -> np.ndarray:
  """Returns the logarithm of the prior of every candidate `[W, S]`."""
  return np.zeros((len(weights), len(steps)))

"""Scores of pixels that may be of no training class: larger ones for pixels that are less like any class."""

from typing import NamedTuple

import numpy as np
from scipy import linalg, special

# Share of the mean variance that is added to every direction of a covariance.
_RIDGE = 0.1


class Gaussian(NamedTuple):
  """Classes as Gaussians of one covariance.

  Attributes:
    means: of the classes, `[C, D]`.
    whitening: from differences to those of unit covariance within classes, `[D, D]`.
  """

  means: np.ndarray
  whitening: np.ndarray


def fit_gaussian(values: np.ndarray, classes: np.ndarray) -> Gaussian:
  """Fits class means and the covariance within classes to values `[n, D]` of classes `[n]`."""
  ids = np.unique(classes)
  means = np.stack([values[classes == i].mean(axis=0) for i in ids])
  within = values - means[np.searchsorted(ids, classes)]
  covariance = within.T @ within / max(1, len(values) - len(ids))
  covariance += _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
  return Gaussian(means, linalg.cholesky(np.linalg.inv(covariance), lower=True))


def mahalanobis(fitted: Gaussian, values: np.ndarray) -> np.ndarray:
  """Returns the squared distance to the nearest class, `[n]`."""
  return _nearest(values @ fitted.whitening, fitted.means @ fitted.whitening)


def relative(fitted: Gaussian, everything: Gaussian, values: np.ndarray) -> np.ndarray:
  """Returns the squared distance to the nearest class, less that to all pixels as one class, `[n]`."""
  return mahalanobis(fitted, values) - mahalanobis(everything, values)


def _nearest(values, places):
  found = np.full(len(values), np.inf)
  for place in places:
    np.minimum(found, ((values - place) ** 2).sum(axis=1), out=found)
  return found


def energy(logits: np.ndarray) -> np.ndarray:
  """Returns -log sum exp of logits `[n, C]` (Liu et al., "Energy-based out-of-distribution detection")."""
  return -special.logsumexp(logits, axis=1)


def unsure(log_probabilities: np.ndarray) -> np.ndarray:
  """Returns 1 - the largest probability; `[n, C]`."""
  return 1 - np.exp(log_probabilities.max(axis=1))


def compare(known: np.ndarray, unknown: np.ndarray, alarms: float = 0.05) -> dict[str, float]:
  """Returns the area under the ROC curve, and the share of unknown pixels above that limit of known ones."""
  below = np.searchsorted(np.sort(known), unknown, "left") + np.searchsorted(np.sort(known), unknown, "right")
  limit = np.quantile(known, 1 - alarms)
  return {"auroc": float(below.mean() / (2 * len(known))), "found": float((unknown > limit).mean())}

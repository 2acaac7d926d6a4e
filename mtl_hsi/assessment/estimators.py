"""Stratified estimators of accuracy and area, from the labels of a probability sample.

Estimates and standard errors are those of Olofsson et al., "Good practices for estimating area and assessing
accuracy of land change", Remote Sensing of Environment 148 (2014), and of Stehman, "Estimating area and map
accuracy for stratified random sampling when the strata are different from the map classes", International
Journal of Remote Sensing 35 (2014). The latter contain the former.

The intervals are not estimate ± 1.96 standard errors: where a large stratum has few errors or none, that
misses the area of a rare class far too often. They combine the limits of every stratum (see `share_of`).
"""

from typing import NamedTuple

import numpy as np
from scipy import special

# Quantiles of a 95% interval.
_TAILS = (0.025, 0.975)


class Strata(NamedTuple):
  """The strata of a sample, H of them.

  Attributes:
    weights: share of each stratum in the target area; they sum to 1 `[H]`.
    units: number of units in each stratum `[H]`.
  """

  weights: np.ndarray
  units: np.ndarray


class Labels(NamedTuple):
  """The labelled units of a sample, n of them.

  Attributes:
    stratum: index of the stratum of each unit, every stratum has two units or all that exist `[n]`.
    mapped: index of the class in the map `[n]`.
    reference: index of the class on the ground `[n]`.
    size: area of each unit, in any unit `[n]`.
  """

  stratum: np.ndarray
  mapped: np.ndarray
  reference: np.ndarray
  size: np.ndarray


class Estimate(NamedTuple):
  """An estimate as a fraction of 1, with its standard error and its 95% interval."""

  value: float
  standard_error: float
  lower: float
  upper: float


class Estimates(NamedTuple):
  """All estimates for C classes.

  Attributes:
    matrix: error matrix in shares of the target area; rows are the map's classes `[C, C]`.
    overall: overall accuracy.
    users: user's accuracy of every class; None if no unit of the sample is mapped as the class.
    producers: producer's accuracy of every class; None if no unit of the sample has the class.
    areas: share of every class in the target area.
  """

  matrix: np.ndarray
  overall: Estimate
  users: list[Estimate | None]
  producers: list[Estimate | None]
  areas: list[Estimate]


def estimate(labels: Labels, strata: Strata, classes: int) -> Estimates:
  """Estimates accuracies and areas.

  Args:
    labels: the sample.
    strata: its strata.
    classes: number of classes C.
  """
  mapped, reference = labels.mapped, labels.reference
  right, everything = mapped == reference, np.ones(len(mapped), bool)
  matrix = np.zeros((classes, classes))
  inclusion = _weights(labels, strata)
  np.add.at(matrix, (mapped, reference), inclusion)

  def of(part, whole, known=False):
    return share_of(part, whole, labels, strata, whole_is_known=known) if whole.any() else None

  each = range(classes)
  return Estimates(
    matrix=matrix,
    overall=of(right, everything, True),
    users=[of(right & (mapped == k), mapped == k, True) for k in each],
    producers=[of(right & (reference == k), reference == k) for k in each],
    areas=[of(reference == k, everything, True) for k in each],
  )


def share_of(
  part: np.ndarray, whole: np.ndarray, labels: Labels, strata: Strata, *, whole_is_known: bool = False
) -> Estimate:
  """Estimates which share of the area of some units (`whole`) is that of others among them (`part`).

  With weights W_h, means of indicators y_h (part) and x_h (whole) in stratum h, f_h = n_h / N_h:
    R = sum W_h y_h / sum W_h x_h
    V = sum W_h^2 (1 - f_h) s_h^2 / n_h / (sum W_h x_h)^2, with s_h^2 the variance of y - R x
  (Stehman 2014, eqs. 27 and 28; Olofsson et al. 2014, eqs. 5 to 10). Means are weighted by the sizes of the
  units.

  The interval is that of the ratio of two sums over strata, `part` and `whole` without it, from Jeffreys'
  limits in every stratum (Brown, Cai and DasGupta, Statistical Science 16, 2001) by the method of variance
  estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008; Donner and Zou, Statistical Methods in
  Medical Research 21, 2012).

  Args:
    part: units that count in the numerator; a subset of `whole`, bool `[n]`.
    whole: units that count in the denominator, bool `[n]`.
    labels: the sample.
    strata: its strata.
    whole_is_known: whether the map, not the reference, decides what belongs to the whole. Strata without
      such a unit then contribute nothing to the uncertainty.
  """
  inside = _means(part, labels, strata)
  outside = _means(whole & ~part, labels, strata)
  share = strata.weights @ inside
  total = share + strata.weights @ outside
  value = share / total
  error = _standard_error(part - value * whole, labels, strata) / total
  spared = (inside + outside == 0) & whole_is_known
  return Estimate(float(value), float(error), *_interval(inside, outside, spared, labels, strata))


def sample_sizes(labels: Labels, strata: Strata) -> np.ndarray:
  """Returns the number of units in each stratum of a sample, `[H]`."""
  return np.bincount(labels.stratum, minlength=len(strata.units))


def _sums(values: np.ndarray, labels: Labels, strata: Strata) -> np.ndarray:
  return np.bincount(labels.stratum, values, len(strata.units))


def _weights(labels: Labels, strata: Strata) -> np.ndarray:
  """Returns the share of the target area for which each unit stands, `[n]`."""
  return labels.size * (strata.weights / _sums(labels.size, labels, strata))[labels.stratum]


def _means(indicator: np.ndarray, labels: Labels, strata: Strata) -> np.ndarray:
  """Returns the mean of an indicator in each stratum, weighted by size `[H]`."""
  return _sums(indicator * labels.size, labels, strata) / _sums(labels.size, labels, strata)


def _standard_error(values: np.ndarray, labels: Labels, strata: Strata) -> float:
  """Returns the standard error of the weighted sum over strata of the means of values `[n]`."""
  number = sample_sizes(labels, strata)
  means = _means(values, labels, strata)
  relative = labels.size / (_sums(labels.size, labels, strata) / number)[labels.stratum]
  squares = _sums((relative * (values - means[labels.stratum])) ** 2, labels, strata)
  variances = squares / np.maximum(number - 1, 1) * (1 - number / strata.units) / number
  return np.sqrt(strata.weights**2 @ variances)


def _interval(inside, outside, spared, labels, strata) -> tuple[float, float]:
  """Returns both limits of the ratio of `inside` to `inside` and `outside`, each means by stratum `[H]`."""
  number = _effective_sizes(labels, strata)
  down, up = _distances(inside, number, spared)
  opposite_down, opposite_up = _distances(outside, number, spared)
  variances = strata.weights**2 / number
  product = (variances @ (inside * (1 - inside))) * (variances @ (outside * (1 - outside)))
  covariance = variances @ (inside * outside)
  correlation = -covariance / np.sqrt(product) if product > 0 else 0.0
  if (spared | np.isclose(inside + outside, 1)).all():
    # What is not inside is outside.
    correlation = -1.0
  first, second = strata.weights @ inside, strata.weights @ outside
  lower = _odds(first, second, *_norms(strata, down, opposite_up), correlation)
  # The upper limit of the odds is the inverse of the lower limit of the inverse odds.
  upper = _odds(second, first, *_norms(strata, opposite_down, up), correlation)
  return float(lower / (1 + lower)), float(1 / (1 + upper))


def _effective_sizes(labels: Labels, strata: Strata) -> np.ndarray:
  """Returns the size of a sample with replacement and of equal units that is as precise, by stratum `[H]`."""
  number = _sums(labels.size, labels, strata) ** 2 / _sums(labels.size**2, labels, strata)
  left = 1 - sample_sizes(labels, strata) / strata.units
  return number / np.maximum(left, 1e-12)


def _distances(means: np.ndarray, number: np.ndarray, spared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the distances of Jeffreys' limits from the mean of each stratum, below and above it, `[H]`."""
  count = means * number
  lower, upper = (special.betaincinv(count + 0.5, number - count + 0.5, tail) for tail in _TAILS)
  lower, upper = np.where(means > 0, lower, 0), np.where(means < 1, upper, 1)
  # Rounding must not turn a distance negative.
  return tuple(np.where(spared, 0, np.maximum(away, 0)) for away in (means - lower, upper - means))


def _norms(strata: Strata, *distances: np.ndarray) -> tuple[float, ...]:
  return tuple(np.sqrt(strata.weights**2 @ away**2) for away in distances)


def _odds(first: float, second: float, below: float, above: float, correlation: float) -> float:
  """Returns the lower limit of first / second.

  It is the smaller root o of (first - o second)^2 = below^2 + o^2 above^2 - 2 correlation below o above,
  written so that nothing is divided by second.
  """
  constant = max(first**2 - below**2, 0.0)
  middle = first * second - correlation * below * above
  root = np.sqrt(max(middle**2 - constant * (second**2 - above**2), 0.0))
  return constant / (middle + root) if middle + root > 0 else np.inf if constant else 0.0

"""Statistical tests of whether two accuracies differ by more than chance.

Accuracies are percentages, differences are percentage points, and intervals cover 95%.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

_UPPER = 0.975  # quantile at the upper end of a two-sided 95% interval


@dataclasses.dataclass(frozen=True)
class Difference:
  """The difference of our mean and a published mean.

  Attributes:
    mean: our mean minus the published one.
    standard_error: standard error of the difference; None if one of the means comes from a single run.
    interval: lower and upper end; None in the same case.
  """

  mean: float
  standard_error: float | None
  interval: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Paired:
  """The differences of two series of runs, run by run.

  Attributes:
    mean: the mean difference.
    interval: lower and upper end by Student's t; None if there are fewer than two pairs.
    p: two-sided p value of Wilcoxon's signed-rank test; None in the same case.
    up: number of pairs in which the first accuracy is higher.
    pairs: number of pairs.
  """

  mean: float
  interval: tuple[float, float] | None
  p: float | None
  up: int
  pairs: int


def welch(ours: Sequence[float], mean: float, std: float, runs: int) -> Difference:
  """Compares our replicas with a published `mean ± std` over `runs` independent runs.

  The standard error is `sqrt(s1^2 / n1 + s2^2 / n2)`; the degrees of freedom of the interval are Welch and
  Satterthwaite's. The published deviation is assumed to be that of the population, NumPy's default
  ([inferred] from the author's code), so `s2^2 = std^2 n2 / (n2 - 1)`.

  Args:
    ours: accuracy of every replica `[R]`.
    mean: the published mean.
    std: the published standard deviation.
    runs: number of published runs.

  Raises:
    ValueError: `ours` is empty.
  """
  ours = np.asarray(ours, float)
  if not ours.size:
    raise ValueError("no replica to compare with the published mean")
  difference = float(ours.mean()) - mean
  if ours.size < 2 or runs < 2:
    return Difference(difference, None, None)
  # SciPy has this interval for raw samples only, not for a mean and a deviation.
  first, second = float(ours.var(ddof=1)) / ours.size, std**2 / (runs - 1)
  error = math.sqrt(first + second)
  weights = first**2 / (ours.size - 1) + second**2 / (runs - 1)
  freedom = (first + second) ** 2 / weights if weights else 1
  return Difference(difference, error, _around(difference, error, freedom))


def paired(one: Sequence[float], other: Sequence[float]) -> Paired:
  """Compares two series of accuracies with the same seeds; differences are `one - other`.

  Wilcoxon's test leaves out pairs without a difference. It is exact for up to 50 pairs, and with ties for up
  to 13.

  Args:
    one: accuracy of every run `[R]`.
    other: accuracy of the runs with the same seeds `[R]`.

  Raises:
    ValueError: the series are empty or of unequal length.
  """
  if len(one) != len(other) or not len(one):
    raise ValueError(f"{len(one)} and {len(other)} runs cannot be paired")
  # Rounding makes differences of the same number of pixels tie, whatever the last bits of percentages are.
  differences = np.round(np.subtract(one, other), 9)
  mean, up = float(differences.mean()), int((differences > 0).sum())
  if len(differences) < 2:
    return Paired(mean, None, None, up, len(differences))
  interval = _around(mean, float(stats.sem(differences)), len(differences) - 1)
  p = float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
  return Paired(mean, interval, p, up, len(differences))


def discordant(truth: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
  """Counts the test pixels that only the first, and only the second, prediction gets right.

  Args:
    truth: class ids of the test pixels, of any shape.
    first: class ids predicted for them, of the same shape.
    second: the other prediction, of the same shape.

  Raises:
    ValueError: the shapes differ.
  """
  if not truth.shape == first.shape == second.shape:
    raise ValueError(f"labels {truth.shape} and predictions {first.shape}, {second.shape} differ in shape")
  first_right, second_right = first == truth, second == truth
  return int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())


def mcnemar(only_first: int, only_second: int) -> float:
  """Returns the two-sided p value of McNemar's exact test on the counts of `discordant`; 1 if both are 0."""
  total = only_first + only_second
  return float(stats.binomtest(only_first, total).pvalue) if total else 1.0


def unit_difference(
  first_right: np.ndarray, second_right: np.ndarray, unit: np.ndarray, seed: int = 0, resamples: int = 2000
) -> tuple[float, float] | None:
  """Returns the 95% percentile bootstrap interval of the difference of two accuracies on the same pixels.

  A resample draws as many units as there are, with replacement, each with all its pixels, as
  `unit_intervals` does.

  Args:
    first_right: which pixels the first prediction gets right, bool `[n]`.
    second_right: the same of the second prediction.
    unit: number of the unit of each pixel, in any order, `[n]`.
    seed: seed of the resampling.
    resamples: number of resamples.

  Returns:
    Lower and upper end of the first accuracy minus the second; None with fewer than two units.
  """
  names, position = np.unique(unit, return_inverse=True)
  if len(names) < 2:
    return None
  pixels = np.bincount(position)
  gained = np.bincount(position, first_right.astype(float) - second_right)
  drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
  low, high = np.percentile(100 * (drawn @ gained) / (drawn @ pixels), (2.5, 97.5))
  return float(low), float(high)


def pixel_difference(only_first: int, only_second: int, pixels: int) -> tuple[float, float]:
  """Returns the normal 95% interval of the difference of two accuracies on the same independent pixels.

    (b - c) / n -+ z sqrt(b + c - (b - c)^2 / n) / n    for the counts b and c of `discordant`

  Source: Agresti, "Categorical data analysis" (2013), section 11.1.
  """
  change = only_first - only_second
  error = math.sqrt(only_first + only_second - change**2 / pixels)
  half = float(stats.norm.ppf(_UPPER)) * error
  return 100 * (change - half) / pixels, 100 * (change + half) / pixels


def _around(centre: float, error: float, freedom: float) -> tuple[float, float]:
  half = float(stats.t.ppf(_UPPER, freedom)) * error
  return centre - half, centre + half

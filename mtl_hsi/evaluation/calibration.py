"""Calibration of the confidence: temperature, expected calibration error and reliability diagram."""

import numpy as np

_LOWEST, _HIGHEST = 0.2, 5.0
# Log probability, 2e-9; lower ones count as this, so that a few wrong labels do not decide.
_FLOOR = -20.0
# Weight of the prior, in pixels; see `fit_temperature`.
_PRIOR_PIXELS = 4.0
# Fewer pixels or units of a class say nothing of its calibration: ten bins of a few differ by chance.
LEAST_PIXELS, LEAST_UNITS = 50, 5


def fit_temperature(log_probabilities: np.ndarray, classes: np.ndarray) -> float:
  """Returns the temperature `T` that minimises the negative log-likelihood of `softmax(log p / T)`.

  Guo et al., "On calibration of modern neural networks" (2017), section 4.2. A normal prior of `log T` with
  mean 0 and standard deviation 1/2 is worth about four pixels; it keeps `T` near 1 if there are only a few
  pixels. Without pixels, `T` is 1. `T` above 1 lowers the confidence.

  Args:
    log_probabilities: of pixels that the network did not train on `[n, C]`; -inf for a class that is absent
      or impossible. The value of the true class is at least `_FLOOR` in the fit.
    classes: positions of the true classes, from 0, `[n]`.

  Returns:
    A number from 0.2 to 5.
  """
  if not len(classes):
    return 1.0
  from scipy import optimize

  log_p = np.array(log_probabilities, float)
  true = np.arange(len(log_p)), np.asarray(classes)
  log_p[true] = np.maximum(log_p[true], _FLOOR)

  def cost(log_t):
    return _PRIOR_PIXELS * log_t**2 / 2 - with_temperature(log_p, np.exp(log_t))[true].sum()

  bounds = np.log(_LOWEST), np.log(_HIGHEST)
  return float(np.exp(optimize.minimize_scalar(cost, bounds=bounds, method="bounded").x))


def with_temperature(log_probabilities: np.ndarray, temperature: float) -> np.ndarray:
  """Returns `log softmax(log p / T)` of log probabilities `[..., C]`; -inf stays -inf."""
  from scipy import special

  return special.log_softmax(np.asarray(log_probabilities) / temperature, axis=-1)


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
  """Returns `sum_b n_b / n |accuracy_b - confidence_b|` over bins of equal width; nan without pixels.

  Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015).

  Args:
    confidence: probability of the predicted class `[n]`, 0 to 1.
    correct: whether it is the true class, bool `[n]`.
    bins: number of bins of equal width from 0 to 1.
  """
  found = reliability(confidence, correct, bins)
  if not found:
    return float("nan")
  gaps = [abs(entry["accuracy"] - entry["confidence"]) for entry in found]
  return float(np.average(gaps, weights=[entry["pixels"] for entry in found]))


def reduces_error(before: np.ndarray, after: np.ndarray, classes: np.ndarray) -> bool:
  """Returns whether log-probabilities after a temperature have a lower calibration error than before.

  Args:
    before: log-probabilities `[n, C]`.
    after: the same, after a temperature that was chosen on other pixels.
    classes: positions of the true classes `[n]`.
  """
  errors = [
    expected_calibration_error(np.exp(log_p).max(axis=-1), log_p.argmax(axis=-1) == classes)
    for log_p in (before, after)
  ]
  return errors[1] < errors[0]


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> list[dict]:
  """Returns mean `confidence`, `accuracy` and `pixels` of every bin that has pixels, in ascending order.

  Arguments are those of `expected_calibration_error`. Every bin includes its lower end; the last one includes
  1 as well.
  """
  confidence, correct = np.asarray(confidence, float), np.asarray(correct, float)
  position = np.minimum((confidence * bins).astype(int), bins - 1)
  pixels = np.bincount(position, minlength=bins)
  full = np.flatnonzero(pixels)
  sums = [np.bincount(position, values, bins)[full] / pixels[full] for values in (confidence, correct)]
  return [
    {"confidence": mean, "accuracy": accuracy, "pixels": count}
    for mean, accuracy, count in zip(*(s.tolist() for s in sums), pixels[full].tolist(), strict=True)
  ]


def reliability_of_class(confidence: np.ndarray, correct: np.ndarray, unit: np.ndarray) -> dict:
  """Returns the calibration on pixels that are mapped as one class.

  That of the confidence in the predicted class, class by class: Gupta and Ramdas, "Top-label calibration and
  multiclass-to-binary reductions" (2022).

  Args:
    confidence: probability of the class `[n]`, 0 to 1.
    correct: whether it is the true class, bool `[n]`.
    unit: number of the unit (polygon, region, block) of each pixel `[n]`.

  Returns:
    `pixels`, `units`, mean `confidence` and `accuracy`, None without pixels, and the expected calibration
    `error`, None with fewer than `LEAST_PIXELS` pixels or `LEAST_UNITS` units.
  """
  pixels, units = len(confidence), len(np.unique(unit))
  enough = pixels >= LEAST_PIXELS and units >= LEAST_UNITS
  return {
    "pixels": pixels,
    "units": units,
    "confidence": float(np.mean(confidence)) if pixels else None,
    "accuracy": float(np.mean(correct)) if pixels else None,
    "error": expected_calibration_error(confidence, correct) if enough else None,
  }

"""Accuracies of predicted labels against the ground truth, with confidence intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

# Level of the confidence intervals.
_LEVEL = 0.95
# The measures of a whole scene, and the lowest value that each can have.
_LOWEST = {"overall_accuracy": 0.0, "average_accuracy": 0.0, "kappa": -1.0}


def confusion(truth: np.ndarray, predicted: np.ndarray, class_ids: Sequence[int]) -> np.ndarray:
  """Counts test pixels by true class (rows) and predicted class (columns).

  Args:
    truth: class ids of the test pixels `[N]`.
    predicted: class ids predicted for them `[N]`.
    class_ids: the scene's class ids, ascending `[C]`.

  Returns:
    int64 `[C, C]`.

  Raises:
    ValueError: `truth` or `predicted` contains an id that is not in `class_ids`.
  """
  classes = len(class_ids)
  cells = classes * _positions(truth, class_ids) + _positions(predicted, class_ids)
  return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def score(confusion: np.ndarray) -> dict:
  """Computes the usual measures from one confusion matrix `[C, C]`, rows truth.

  For a class without test pixels, accuracy, user's accuracy and F1 are nan, and the average accuracy does not
  include it. Kappa is `(OA - e) / (1 - e)`, where `e` is the agreement expected of independent labels with
  the same counts.

  Returns:
    `overall_accuracy`, `average_accuracy`, `kappa`: floats, fractions of 1;
    `accuracy` (producer's accuracy, recall), `users_accuracy` (precision; nan if no pixel was predicted as
    the class), `f1`: per class `[C]`.
  """
  hits = np.diag(confusion).astype(float)
  true, predicted, total = confusion.sum(1), confusion.sum(0), confusion.sum()
  overall = _ratio(hits.sum(), total)
  expected = _ratio(true.astype(float) @ predicted, float(total) ** 2)
  accuracy = _ratio(hits, true)
  f1 = np.where(true > 0, _ratio(2 * hits, true + predicted), np.nan)
  average = accuracy[true > 0].mean() if total else np.nan
  return {
    "overall_accuracy": float(overall),
    "average_accuracy": float(average),
    "kappa": float(_ratio(overall - expected, 1 - expected)),
    "accuracy": accuracy,
    "users_accuracy": np.where(true > 0, _ratio(hits, predicted), np.nan),
    "f1": f1,
  }


def summarise(confusions: np.ndarray, class_ids: Sequence[int], class_names: Mapping[int, str]) -> dict:
  """Summarises one scene over replicas, ready for `metrics.json`.

  Args:
    confusions: one matrix per replica `[R, C, C]`, rows truth.
    class_ids: class ids in the order of the matrices `[C]`.
    class_names: name of each class id.

  Returns:
    `overall_accuracy`, `average_accuracy`, `kappa`: `mean`, `std` (population), `replicas` and `interval`
    (95%, see `mean_interval` and, for a single replica, `single_intervals`), fractions of 1;
    `per_class`: list of `id`, `name`, `accuracy`, `users_accuracy`, `f1`, `test_pixels` (per replica; the
    mean if replicas differ); `class_ids`; and `confusion`, summed over replicas. Undefined values are None.
  """
  scores = [score(matrix) for matrix in confusions]
  summary = {}
  for key, lowest in _LOWEST.items():
    values = np.array([s[key] for s in scores])
    summary[key] = _mean_std(values) | {"replicas": [_defined(value) for value in values]}
    summary[key]["interval"] = mean_interval(values, lowest)
  if len(confusions) == 1:
    for key, interval in single_intervals(confusions[0]).items():
      summary[key]["interval"] = interval
  of_classes = {key: np.array([s[key] for s in scores]) for key in ("accuracy", "users_accuracy", "f1")}
  pixels = np.asarray(confusions).sum(2).mean(0)
  summary["per_class"] = [
    {
      "id": int(class_id),
      "name": class_names[int(class_id)],
      **{key: _mean_std(values[:, c]) for key, values in of_classes.items()},
      "test_pixels": int(pixels[c]) if pixels[c].is_integer() else float(pixels[c]),
    }
    for c, class_id in enumerate(class_ids)
  ]
  summary["class_ids"] = [int(class_id) for class_id in class_ids]
  summary["confusion"] = np.asarray(confusions).sum(0).tolist()
  return summary


def mean_interval(values: np.ndarray, lowest: float) -> list[float] | None:
  """Returns the 95% interval of the mean of normal values, by Student's t: m -+ t s / sqrt(R).

  Args:
    values: of every replica `[R]`; nan is left out.
    lowest: smallest possible value; the interval is clipped to it and to 1.

  Returns:
    Lower and upper end, or None if there are fewer than two values.
  """
  values = np.asarray(values)[~np.isnan(values)]
  if len(values) < 2:
    return None
  half = special.stdtrit(len(values) - 1, (1 + _LEVEL) / 2) * values.std(ddof=1) / np.sqrt(len(values))
  return [float(max(values.mean() - half, lowest)), float(min(values.mean() + half, 1.0))]


def single_intervals(confusion: np.ndarray) -> dict[str, list[float] | None]:
  """Returns 95% intervals of one replica's measures, for independent test pixels; None where undefined.

  The interval of the overall accuracy is Wilson's. The others are normal. For the average accuracy, the
  variances of the classes follow Agresti & Coull ("Approximate is better than 'exact' for interval estimation
  of binomial proportions", 1998). For kappa, the variance is that of the delta method (Fleiss, Cohen &
  Everitt, "Large sample standard errors of kappa and weighted kappa", 1969).

  Args:
    confusion: `[C, C]`, rows truth.
  """
  found = score(confusion)
  errors = {"average_accuracy": _average_error(confusion), "kappa": _kappa_error(confusion)}
  intervals = {"overall_accuracy": wilson_interval(np.trace(confusion), np.sum(confusion))}
  for key, error in errors.items():
    half = special.ndtri((1 + _LEVEL) / 2) * error
    ends = [float(max(found[key] - half, _LOWEST[key])), float(min(found[key] + half, 1.0))]
    intervals[key] = None if np.isnan(ends).any() else ends
  return intervals


def _average_error(confusion):
  """Returns the standard error of the average accuracy."""
  total = confusion.sum(1)
  hits, total = np.diag(confusion)[total > 0], total[total > 0]
  share = (hits + 2) / (total + 4)
  return np.sqrt(np.sum(share * (1 - share) / (total + 4))) / len(total) if len(total) else np.nan


def _kappa_error(confusion):
  """Returns the standard error of kappa."""
  count = confusion.sum()
  if not count:
    return np.nan
  shares = confusion / count
  true, predicted = shares.sum(1), shares.sum(0)
  agreed, expected = np.trace(shares), true @ predicted
  # If all predictions are correct, the variance is 0, which no number of pixels justifies.
  if 1 in (expected, agreed):
    return np.nan
  of_hits = np.diag(shares) @ (true + predicted)
  of_all = np.sum(shares * (true.reshape(1, -1) + predicted.reshape(-1, 1)) ** 2)
  missed, left = 1 - agreed, 1 - expected
  variance = agreed * missed / left**2
  variance += 2 * missed * (2 * agreed * expected - of_hits) / left**3
  variance += missed**2 * (of_all - 4 * expected**2) / left**4
  # Rounding may give a negative variance if nearly all predictions are correct.
  return np.sqrt(max(variance, 0.0) / count)


def wilson_interval(hits: int, total: int) -> list[float] | None:
  """Returns the 95% interval of a proportion (Wilson 1927); too narrow for correlated neighbouring pixels.

  Returns:
    Lower and upper end, or None without trials.
  """
  if not total:
    return None
  # Slow to import, and runs of several replicas do not need it.
  from scipy import stats

  interval = stats.binomtest(int(hits), int(total)).proportion_ci(_LEVEL, method="wilson")
  return [float(interval.low), float(interval.high)]


def _positions(labels, class_ids):
  """Returns the positions of class ids in the ascending `class_ids`."""
  class_ids, labels = np.asarray(class_ids), np.asarray(labels)
  positions = np.searchsorted(class_ids, labels).clip(max=len(class_ids) - 1)
  unknown = labels[class_ids[positions] != labels]
  if unknown.size:
    raise ValueError(f"label {unknown[0]} is not one of the class ids {class_ids.tolist()}")
  return positions


def _ratio(numerator, denominator):
  """Divides; the result is nan where the denominator is 0."""
  with np.errstate(divide="ignore", invalid="ignore"):
    return np.where(np.equal(denominator, 0), np.nan, np.divide(numerator, denominator))


def _mean_std(values: np.ndarray) -> dict:
  """Returns mean and standard deviation over the replicas in which the value is defined."""
  values = values[~np.isnan(values)]
  if not values.size:
    return {"mean": None, "std": None}
  return {"mean": float(values.mean()), "std": float(values.std())}


def _defined(value) -> float | None:
  return None if np.isnan(value) else float(value)

"""Confidence intervals that resample polygons or other units, because the pixels of a unit are alike."""

from collections.abc import Sequence

import numpy as np

from mtl_hsi.evaluation import metrics

_PERCENTILES = (2.5, 97.5)
_MEASURES = ("overall_accuracy", "average_accuracy", "kappa")


def unit_intervals(
  truth: np.ndarray,
  predicted: np.ndarray,
  unit: np.ndarray,
  class_ids: Sequence[int],
  seed: int = 0,
  resamples: int = 2000,
) -> dict[str, list[float] | None]:
  """Returns 95% percentile bootstrap intervals of the measures of `metrics.score`, by cluster resampling.

  A resample draws as many units as there are, with replacement, each with all its pixels. Its average
  accuracy does not include classes that it lacks. Davison & Hinkley, "Bootstrap methods and their
  application" (1997), sections 3.8 and 5.3.

  Args:
    truth: class ids of the test pixels `[n]`.
    predicted: class ids predicted for them `[n]`.
    unit: number of the unit of each pixel, in any order, `[n]`.
    class_ids: the scene's class ids, ascending `[C]`.
    seed: seed of the resampling.
    resamples: number of resamples.

  Returns:
    Lower and upper end of `overall_accuracy`, `average_accuracy` and `kappa`, fractions of 1; None with fewer
    than two units, or if the measure is undefined.

  Raises:
    ValueError: `truth` or `predicted` contains an id that is not in `class_ids`.
  """
  confusions = _confusions(truth, predicted, unit, class_ids)
  units, classes = len(confusions), len(class_ids)
  if units < 2:
    return dict.fromkeys(_MEASURES)
  drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), resamples)
  # Products of floats use BLAS; these counts are exact.
  sums = drawn.astype(float) @ confusions.reshape(units, classes**2).astype(float)
  scores = [metrics.score(matrix) for matrix in sums.reshape(resamples, classes, classes)]
  return {key: _percentiles(np.array([score[key] for score in scores])) for key in _MEASURES}


def _confusions(truth, predicted, unit, class_ids) -> np.ndarray:
  """Returns the confusion matrix of each unit, `[units, C, C]`."""
  order = np.argsort(unit, kind="stable")
  starts = np.unique(unit[order], return_index=True)[1]
  pixels = np.split(order, starts[1:])
  return np.stack([metrics.confusion(truth[rows], predicted[rows], class_ids) for rows in pixels])


def _percentiles(values: np.ndarray) -> list[float] | None:
  values = values[~np.isnan(values)]
  return np.percentile(values, _PERCENTILES).tolist() if values.size else None

"""The difference of two runs on one scene, paired by replica or by pixel where both have the same pixels."""

import contextlib
import dataclasses

import numpy as np
from ml_collections import config_dict

from mtl_hsi.comparison.finished_run import LEFT_OUT, FinishedRun
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation import significance
from mtl_hsi.settings import scene_settings
from mtl_hsi.splits.split import pixels_of

# Largest difference of an accuracy that rounding explains, in percentage points.
_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class Pair:
  """One run compared with the reference on one scene, in percentage points of overall accuracy.

  Attributes:
    difference: accuracy of the run minus that of the reference; None if they cannot be paired.
    interval: its 95% interval, or None.
    p: p value of the test, or None.
    note: the test, or the reason why there is no pair.
  """

  difference: float | None
  interval: tuple[float, float] | None
  p: float | None
  note: str


def pair(run: FinishedRun, reference: FinishedRun, scene: str) -> Pair:
  """Compares a run with the reference on a scene.

  Raises:
    RequestError: an array of a run is damaged.
  """
  for one in (reference, run):
    if scene not in one.metrics["scenes"]:
      return _unpaired(f"{one.directory.name} does not have this scene")
  kinds = run.tested_on(scene), reference.tested_on(scene)
  if None in kinds:
    return _unpaired("all labels were used for training in one of the runs")
  if kinds[0] != kinds[1]:
    return _unpaired(f"measured on {kinds[0]}, the reference on {kinds[1]}")
  return (_by_left_out if kinds[0] == LEFT_OUT else _by_test)(run, reference, scene)


def _unpaired(reason: str) -> Pair:
  return Pair(None, None, None, f"not paired: {reason}")


def _by_left_out(run, reference, scene):
  one, other = run.left_out(scene), reference.left_out(scene)
  same = np.array_equal(one.pixels, other.pixels) and np.array_equal(one.classes, other.classes)
  if not same:
    return _unpaired("other labels were left out")
  right, right_there = one.predicted == one.classes, other.predicted == other.classes
  counts = significance.discordant(one.classes, one.predicted, other.predicted)
  # Units can be resampled for both runs together only if they have the same units in the same folds.
  alike = np.array_equal(_groups(one.unit), _groups(other.unit))
  interval = significance.unit_difference(right, right_there, one.unit) if alike else None
  units = f", interval by resampling {len(np.unique(one.unit))} units" if interval else ""
  difference = 100 * (counts[0] - counts[1]) / len(right)
  return Pair(difference, interval, significance.mcnemar(*counts), f"McNemar on {_counts(counts)}{units}")


def _groups(unit: np.ndarray) -> np.ndarray:
  """Returns for every pixel the first pixel of its unit, which does not depend on how units are numbered."""
  _, first, position = np.unique(unit, return_index=True, return_inverse=True)
  return first[position]


def _by_test(run, reference, scene):
  pixels = run.test_pixels(scene)
  if not np.array_equal(pixels, reference.test_pixels(scene)):
    return _unpaired("other test pixels")
  one, other = run.accuracies(scene), reference.accuracies(scene)
  if len(one) > 1:
    found = significance.paired(one, other)
    return Pair(found.mean, found.interval, found.p, f"Wilcoxon over {found.pairs} replicas")
  found = Pair(one[0] - other[0], None, None, "one map each; their test labels could not be read again")
  labels = _labels(run, scene)
  tests = tuple(pixels_of(pixels[0]).T)
  if labels is None or labels.shape != run.predictions(scene).shape[1:]:
    return found
  truth, here, there = labels[tests], *(each.predictions(scene)[0][tests] for each in (run, reference))
  accuracy = 100 * np.mean(here == truth)
  if abs(accuracy - one[0]) > _ROUNDING or abs(100 * np.mean(there == truth) - other[0]) > _ROUNDING:
    return dataclasses.replace(found, note="one map each; the labels have changed since the runs")
  counts = significance.discordant(truth, here, there)
  interval = significance.pixel_difference(*counts, len(truth))
  note = f"McNemar on {_counts(counts)}, as if pixels were independent"
  return Pair(found.difference, interval, significance.mcnemar(*counts), note)


def _counts(counts: tuple[int, int]) -> str:
  return f"{counts[0]} pixels that only this run gets right and {counts[1]} that only the reference does"


def _labels(run: FinishedRun, scene: str) -> np.ndarray | None:
  """Returns the labels of a scene, read from its files again; None if they cannot be read."""
  place = contextlib.chdir(run.place) if run.place.is_dir() else contextlib.nullcontext()
  # A damaged config raises various errors.
  with place, contextlib.suppress(RequestError, OSError, AttributeError, LookupError, TypeError, ValueError):
    config = config_dict.ConfigDict(run.config)
    return scene_settings.read(config, {}).loaders[scene]().labels
  return None

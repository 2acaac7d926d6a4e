"""What a run found: accuracies, mixtures and areas of every scene, for `metrics.json`."""

import numpy as np

from mtl_hsi.evaluation import metrics
from mtl_hsi.evaluation.areas import class_areas, pixel_areas
from mtl_hsi.experiment import unknown_maps
from mtl_hsi.experiment.execution import Outcome
from mtl_hsi.experiment.left_out_results import describe_mixtures, left_out_accuracies, split_of_folds
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.splits.leakage import leaked_share, patch_overlap
from mtl_hsi.splits.split import pixels_of


def results_of(settings: Settings, problem: Problem, done: Outcome) -> dict:
  """Returns `scenes`, `leakage` and `patch_overlap` of `metrics.json`: what follows from maps and splits."""
  results, leakage, overlap = {}, {}, {}
  for name, scene in problem.scenes.items():
    mixtures = done.mixtures.get(name)
    # Test labels take precedence over left-out labels.
    by_folds = settings.split.by_folds and scene.tested is None and problem.folds[name][0].tests
    if by_folds:
      # A scene that was left out as a whole may have any class of the legend.
      names = problem.legend.class_names(name) if settings.split.by_scenes else scene.class_names
      folds, ids = problem.folds[name][0], problem.legend.class_ids(name)
      results[name] = left_out_accuracies(mixtures[0], ids, names, folds)
      split = split_of_folds(problem.folds[name][0])
    else:
      split = problem.splits[name]
      results[name] = _accuracies(scene, done.predictions[name], split)
    if mixtures:
      results[name]["mixture"] = describe_mixtures(
        mixtures, settings.mixture.members, problem.legend.class_names(name)
      )
    _add_areas(settings, problem, name, done, results[name])
    leakage[name] = leaked_share(split, scene.labels.shape, problem.patch)
    overlap[name] = patch_overlap(split, scene.labels.shape, problem.min_separation)
  return {"scenes": results, "leakage": leakage, "patch_overlap": overlap}


def _add_areas(settings, problem, name, done, results):
  """Adds the area of every class in the maps and, if they are marked, of unknown pixels."""
  scene, unknown = problem.scenes[name], done.unknown.get(name)
  if unknown is not None:
    results["unknown"] = unknown_maps.describe(settings.unknown, scene, unknown)
  pixels = pixel_areas(scene.georeference, *scene.labels.shape)
  without = _without_class(scene, unknown)
  areas = class_areas(done.predictions[name], results["class_ids"], without, pixels)
  codes = scene.class_codes or {}
  for row, area in zip(results["per_class"], areas, strict=True):
    row |= area
    if row["id"] in codes:
      row["code"] = codes[row["id"]]


def _without_class(scene, unknown):
  """Returns which pixels were not measured or are marked as unknown, bool `[H, W]`, or None if none are."""
  if unknown is None or unknown.marked is None:
    return scene.nodata
  return unknown.marked if scene.nodata is None else unknown.marked | scene.nodata


def _accuracies(scene, predictions, split):
  """Returns the accuracies of all maps on the test pixels."""
  confusions = []
  for predicted, rows in zip(predictions, split.test, strict=True):
    test = tuple(pixels_of(rows).T)
    confusions.append(metrics.confusion(scene.labels[test], predicted[test], scene.class_ids))
  return metrics.summarise(np.stack(confusions), scene.class_ids, scene.class_names)

"""Makes the table of the suite from the scores of its cells."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments import simple_models, suite_plot, suite_runs, suite_scenes, tables
from mtl_hsi.evaluation import significance
from mtl_hsi.storage import atomic_files

# Scores of the seeds of a cell, by seed.
Cell = Mapping[str, Mapping]

DEFAULT, FIELDS = suite_runs.METHODS
_METHODS = (*suite_runs.METHODS, *simple_models.MODELS)
# Points that the default may lie below the others.
_MARGIN = 0.5
SCORES = ("overall_accuracy", "average_accuracy", "kappa")
_TITLES = {FIELDS: "context network", simple_models.SMOOTHED: "regression on bands, smoothed"} | {
  f"{model}_{channels}": f"{title} on {channels.upper() if channels == 'mnf' else channels}"
  for model, title in (("svm", "SVM"), ("forest", "forest"), ("regression", "regression"))
  for channels in (simple_models.BANDS, simple_models.COMPONENTS)
}
_NOTES = """
Overall accuracy in %, mean ± standard deviation over the seeds; the best simple model of a row is bold. n5
and n10 train on 5 or 10 random pixels per class and test on all other labelled pixels; folds trains on all
labels outside a fold of blocks of 16 x 16 pixels and pools the accuracy of five folds. The context network
is the first expert of the same runs, alone, with the smoothing of configs/fields.py. Differences are in
percentage points, paired by seed, with their 95% interval (Student's t). The default reaches the goal if it
is at most 0.5 points below the context network and at most 0.5 points below the best simple model. The
calibration error is that of the default's confidence on left-out labels, before and after the temperature,
and on the test pixels. A handful of left-out labels gives a calibration error above 0 even if the
confidence is exact.
"""


def cell(scene: str, protocol: str, method: str) -> str:
  """Name of the JSON file of a cell."""
  return f"{scene}-{protocol}-{method}.json"


def read(path: Path) -> dict[str, dict]:
  """The scores of a cell by seed; empty if it was not measured."""
  return json.loads(path.read_text()) if path.exists() else {}


def write(cells: Path) -> None:
  """Writes table, numbers and plot beside the directory of the cells, and prints the table."""
  rows = [
    row
    for scene in suite_scenes.SCENES
    for protocol in suite_scenes.PROTOCOLS
    if (row := _summary(cells, scene, protocol))
  ]
  if not rows:
    sys.exit(f"{cells} has no scores, so there is no table; run experiments/suite.py without --table")
  atomic_files.write_json(cells.with_suffix(".json"), rows)
  titles = {method: _TITLES.get(method, method) for method in _METHODS}
  atomic_files.write_bytes(cells.with_suffix(".png"), suite_plot.draw(rows, titles))
  lines = [*_accuracies(rows, titles), "", *_comparisons(rows, titles), _NOTES]
  tables.write(cells.with_suffix(".md"), lines)


def _summary(cells, scene, protocol):
  """Returns the means of all methods in a row, and the differences of the default; None without cells."""
  found = {method: read(cells / cell(scene, protocol, method)) for method in _METHODS}
  found = {method: scores for method, scores in found.items() if scores}
  if not found:
    return None
  _check_pixels(cells, scene, protocol, found)
  row = {"scene": scene, "protocol": protocol, "methods": {m: _means(c) for m, c in found.items()}}
  row["best_simple_model"] = best = _best_simple_model(found)
  row["against_fields"] = _difference(found, FIELDS)
  row["against_best_simple_model"] = _difference(found, best)
  differences = [row["against_fields"], row["against_best_simple_model"]]
  row["goal"] = all(one["mean"] >= -_MARGIN for one in differences) if all(differences) else None
  return row


def _check_pixels(cells, scene, protocol, found):
  """Refuses cells that were not measured on the same pixels."""
  known = {}
  for method, scores in found.items():
    for seed, score in scores.items():
      other, pixels = known.setdefault(seed, (method, score["pixels"]))
      if pixels != score["pixels"]:
        names = " and ".join(cell(scene, protocol, which) for which in (other, method))
        sys.exit(f"{names} in {cells} differ in the pixels of seed {seed}; remove the older one")


def _means(scores: Cell) -> dict:
  means = {"seeds": len(scores)}
  for key in SCORES:
    values = [score[key] for score in scores.values()]
    means[key] = {"mean": float(np.mean(values)), "std": float(np.std(values))}
  means["seconds"] = float(np.mean([score["seconds"] for score in scores.values()]))
  errors = [score["calibration"] for score in scores.values() if "calibration" in score]
  if errors:
    means["calibration"] = {when: float(np.mean([error[when] for error in errors])) for when in errors[0]}
  return means


def _best_simple_model(found):
  """Returns the simple model with the best mean over the seeds of all of them and of the default, or None."""
  simple = {method: scores for method, scores in found.items() if method in simple_models.MODELS}
  if not simple:
    return None
  measured = [scores for method, scores in found.items() if method in simple or method == DEFAULT]
  seeds = set.intersection(*map(set, measured))
  if not seeds:
    return None
  return max(simple, key=lambda method: np.mean(_accuracies_of(simple[method], seeds)))


def _accuracies_of(scores: Cell, seeds) -> list[float]:
  return [100 * scores[seed]["overall_accuracy"] for seed in sorted(seeds, key=int)]


def _difference(found, other):
  """Returns the paired difference of the default and another method, or None without common seeds."""
  seeds = found.get(DEFAULT, {}).keys() & found.get(other, {}).keys()
  if not seeds:
    return None
  series = (_accuracies_of(found[method], seeds) for method in (DEFAULT, other))
  return dataclasses.asdict(significance.paired(*series))


def _accuracies(rows, titles: Mapping[str, str]) -> Sequence[str]:
  yield tables.row("scene", "labels", *titles.values(), "seeds")
  yield f"|{'---|' * (len(titles) + 3)}"
  for row in rows:
    counts = sorted({means["seeds"] for means in row["methods"].values()})
    seeds = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    yield tables.row(row["scene"], row["protocol"], *(_accuracy(row, method) for method in titles), seeds)


def _accuracy(row, method):
  if method not in row["methods"]:
    return ""
  accuracy = row["methods"][method]["overall_accuracy"]
  text = f"{100 * accuracy['mean']:.2f} ± {100 * accuracy['std']:.2f}"
  return f"**{text}**" if method == row["best_simple_model"] else text


def _comparisons(rows, titles: Mapping[str, str]) -> Sequence[str]:
  heads = (
    "default - context network [95%]",
    "best simple model",
    "default - best simple model [95%]",
    "goal",
  )
  yield tables.row("scene", "labels", *heads, "calibration error", "on test pixels")
  yield f"|{'---|' * 8}"
  for row in rows:
    first, second = (_text(row[f"against_{other}"]) for other in ("fields", "best_simple_model"))
    goal = {None: "", True: "yes", False: "no"}[row["goal"]]
    best = titles.get(row["best_simple_model"], "")
    yield tables.row(row["scene"], row["protocol"], first, best, second, goal, *_calibration(row))


def _calibration(row):
  errors = row["methods"].get(DEFAULT, {}).get("calibration")
  if not errors:
    return "", ""
  test = f"{errors['test']:.3f}" if "test" in errors else ""
  return f"{errors['before']:.3f} -> {errors['after']:.3f}", test


def _text(difference):
  if difference is None:
    return ""
  interval = difference["interval"]
  ends = f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else ""
  return f"{difference['mean']:+.2f}{ends}, {difference['up']} of {difference['pairs']} up"

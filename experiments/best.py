"""Makes results/best.md and best.png: what each part of the recommended recipe is worth, and what it reaches.

  .venv/bin/python experiments/best.py

Needs the runs of experiments/best.sh in results/best.
"""

import functools
import itertools
import json
import sys
from pathlib import Path

import matplotlib

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables
from mtl_hsi.evaluation import significance
from mtl_hsi.models.multitask import make_network
from mtl_hsi.reproduction import cost

matplotlib.use("agg")
from matplotlib import pyplot

_TARGET, _BANDS = "indian_pines", 200
# The forerunner at 5 and at 10 samples per class, with which changes are compared; by the start of names.
_STARTS = {"indian_pines": "indian_pines-start", "indian_pines_n10": "indian_pines_n10-start"}
_SAMPLES = {"indian_pines": 5, "indian_pines_n10": 10}
_SCENES = ("indian_pines", "salinas_a", "pavia_university_crop")
# What a run's networks say without smoothing stands beside it under this ending.
_PLAIN = "-plain"
# Changes of the recipe that have a baseline of their own.
_BASELINES = {"indian_pines+salinas_a-160_bands": "indian_pines-160_bands"}
_CHANGES_HEAD = (
  "| n | changed | OA | AA | difference in OA [95 %] | up | Wilcoxon p "
  "| OA, not smoothed | difference [95 %] | training |",
  "|---|---|---|---|---|---|---|---|---|---|",
)
_REPORT_HEAD = (
  "| recipe | scene | n | split | trained | OA | AA | kappa | OA, not smoothed "
  "| gain in OA [95 %] | up | Wilcoxon p | overlap |",
  "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)
_FRACTIONS_HEAD = (
  "| scene | n | split | noise fractions bring, in OA [95 %] | up | Wilcoxon p "
  "| in AA | not smoothed, in OA | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|---|---|---|",
)
# The start of the names of its runs.
_RECIPES = {"report": "recommended", "bands": "bands alone", "forerunner": "forerunner"}
_NOTES = """
Accuracies in %, mean ± standard deviation over seeds. Differences in percentage points, seed by seed, with
their 95 % interval after Student; p by Wilcoxon's signed-rank test, not corrected for the number of
comparisons. Changes are made one at a time of the recipe's forerunner (patches of 13 x 13 pixels, 1,500
steps), on Indian Pines with n samples per class and seeds 100-104, which are not those of the report;
"training" is the arithmetic of its products beside the forerunner's. "Bands alone" is the recipe without
noise fractions. The gain is that of all scenes together, each with a first convolution of its own, over the
scene alone; "overlap" is the share of test pixels whose patch overlaps a training patch.
"""
# Okabe & Ito's, for colour-blind readers.
_SMOOTHED, _UNSMOOTHED = "#0072b2", "#e69f00"


def main() -> None:
  """Writes tables and plot and prints the tables."""
  results = tables.results_directory(__doc__)
  runs = _Runs(results / "best")
  tables.write(results / "best.md", [*_changes(runs), *_report(runs), *_fractions(runs), _NOTES])
  _plot(runs, results / "best.png")


class _Runs:
  """The kept runs in results/best; `read` gives the metrics of one by its name, None if it was not run."""

  def __init__(self, directory: Path):
    self._directory = directory
    self.read = functools.cache(lambda name: tables.read_metrics(directory / name))

  def names(self, pattern):
    return [path.parent.name for path in self._directory.glob(f"{pattern}/metrics.json")]

  def accuracy(self, name, scene, kind):
    return tables.mean_std(tables.percent(self.read(name), scene, kind))

  def accuracies(self, name):
    """Overall and average accuracy of the target."""
    return [self.accuracy(name, _TARGET, kind) for kind in ("overall", "average")]

  def plain(self, name, scene):
    """Overall accuracy without smoothing; empty if that was not run."""
    return self.accuracy(name + _PLAIN, scene, "overall") if self.read(name + _PLAIN) else ""

  def difference(self, name, base, scene, kind="overall"):
    """Cells of the difference between two runs."""
    return tables.difference(*(tables.percent(self.read(run), scene, kind) for run in (name, base)))

  def paired(self, name, base):
    return significance.paired(*(tables.percent(self.read(run), _TARGET) for run in (name, base)))

  def arithmetic(self, name):
    """Floating-point operations of training one network of a run."""
    config = json.loads((self._directory / name / "config.json").read_text())
    model, scenes = config["model"], config["scenes"]
    network = make_network(
      model["name"],
      bands=(config["bands"] or _BANDS) + config["mnf_components"],
      class_counts=[len(self.read(name)["scenes"][scene]["class_ids"]) for scene in scenes],
      spectral_knowledge=config["spectral_knowledge"],
      norm_per_scene=model["norm"] == "per_scene",
      glorot=False,
      **{key: model[key] for key in ("blocks", "pool", "convolution", "patch", "width")},
    )
    return cost.training(
      network,
      [1] * len(scenes),
      batch_size=config["batch_size"],
      mixed=False,
      drop_last=False,
      epochs=sum(phase["epochs"] for phase in config["phases"].values()),
      steps=config["steps_per_epoch"],
    )


def _changed(runs, start):
  """Name, run and baseline of every change, by difference in overall accuracy."""
  found = []
  for name in runs.names(f"{start}[-+]*"):
    base = _BASELINES.get(name, _STARTS[start])
    if name in (_STARTS[start], *_BASELINES.values()) or name.endswith(_PLAIN) or not runs.read(base):
      continue
    found.append((name.removeprefix(start).lstrip("-"), name, base))
  return sorted(found, key=lambda change: -runs.paired(*change[1:]).mean)


def _changes(runs):
  """A row for every run of seeds 100-104, the recipe's own first."""
  lines = []
  for start, default in _STARTS.items():
    if runs.read(default):
      n, accuracies, plain = _SAMPLES[start], runs.accuracies(default), runs.plain(default, _TARGET)
      lines.append(tables.row(n, "nothing", *accuracies, "", "", "", plain, "", ""))
      lines += [_change(runs, n, *own) for own in _changed(runs, start)]
  return [*_CHANGES_HEAD, *lines, ""] if lines else []


def _change(runs, samples, change, name, base):
  plain = runs.plain(name, _TARGET)
  difference = runs.difference(name + _PLAIN, base + _PLAIN, _TARGET)[0] if plain else ""
  training = f"x {runs.arithmetic(name) / runs.arithmetic(base):.2g}" if plain else ""
  paired = runs.difference(name, base, _TARGET)
  return tables.row(samples, change, *runs.accuracies(name), *paired, plain, difference, training)


def _report(runs):
  """A row for every recipe, scene, number of samples and split, alone and together with the others."""
  lines = list(_REPORT_HEAD)
  for start, recipe in _RECIPES.items():
    for scene, n, split in itertools.product(_SCENES, (5, 10), ("random", "blocks")):
      alone, together = (f"{start}-{name}-n{n}-{split}" for name in (scene, "together"))
      if runs.read(alone):
        lines.append(_reported(runs, recipe, scene, n, split, "alone", alone, ("", "", "")))
      if runs.read(together):
        gain = runs.difference(together, alone, scene) if runs.read(alone) else ("", "", "")
        lines.append(_reported(runs, recipe, scene, n, split, "together", together, gain))
      letters = f"letter-on-{start}-n{n}-{split}"
      if scene == _TARGET and runs.read(letters):
        lines.append(_reported(runs, "the letter's", scene, n, split, "alone", letters, ("", "", "")))
  return lines


def _fractions(runs):
  """A row for every run that there is with noise fractions and without, seed by seed."""
  lines = []
  for scene, n, split in itertools.product(_SCENES, (5, 10), ("random", "blocks")):
    own, base = (f"{start}-{scene}-n{n}-{split}" for start in ("report", "bands"))
    if runs.read(own) and runs.read(base):
      average = runs.difference(own, base, scene, "average")[0]
      plain = runs.difference(own + _PLAIN, base + _PLAIN, scene)
      lines.append(tables.row(scene, n, split, *runs.difference(own, base, scene), average, *plain))
  return ["", *_FRACTIONS_HEAD, *lines] if lines else []


def _reported(runs, recipe, scene, n, split, how, name, gain):
  run = runs.read(name)
  accuracies = (runs.accuracy(name, scene, kind) for kind in ("overall", "average"))
  overlap = f"{100 * run['patch_overlap'][scene]:.0f} %"
  kappa = tables.mean_std([100 * kappa for kappa in run["scenes"][scene]["kappa"]["replicas"]])
  plain = runs.plain(name, scene)
  return tables.row(recipe, scene, n, split, how, *accuracies, kappa, plain, *gain, overlap)


def _plot(runs, path):
  """Differences in overall accuracy of every change, smoothed and not, with their intervals."""
  changes = _changed(runs, _TARGET)
  if not changes:
    return
  figure, axes = pyplot.subplots(figsize=(8, 0.34 * len(changes) + 1.4), layout="constrained")
  for place, (_, name, base) in enumerate(changes):
    for ending, colour, up in (("", _SMOOTHED, -0.13), (_PLAIN, _UNSMOOTHED, 0.13)):
      if runs.read(name + ending) and runs.read(base + ending):
        found = runs.paired(name + ending, base + ending)
        axes.plot(found.interval, [place + up] * 2, color=colour, linewidth=1.5)
        axes.plot(found.mean, place + up, "o", color=colour, markersize=5)
  axes.axvline(0, color="#333333", linewidth=0.8)
  axes.set_yticks(range(len(changes)), [change for change, _, _ in changes])
  axes.invert_yaxis()
  axes.grid(axis="x", color="#dddddd")
  axes.set_xlabel("difference in overall accuracy, percentage points, with its 95 % interval")
  handles = [pyplot.Line2D([], [], color=colour, marker="o") for colour in (_SMOOTHED, _UNSMOOTHED)]
  names = ["the map as the recipe has it", "the same networks, not smoothed"]
  figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
  figure.savefig(path, dpi=150)
  pyplot.close(figure)


if __name__ == "__main__":
  main()

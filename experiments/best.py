"""Writes tables and plots of the runs of experiments/best.sh: each change beside the recipe, and the report.

.venv/bin/python experiments/best.py
"""

import itertools
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np

_RESULTS = Path(__file__).parent
sys.path.insert(0, str(_RESULTS.parent))

from mtl_hsi.evaluation import significance  # noqa: E402
from mtl_hsi.models.multitask import make_network  # noqa: E402
from mtl_hsi.reproduction import cost  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402

_RUNS = _RESULTS / "best"
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
  text = "\n".join([*_changes(), *_report(), *_fractions(), _NOTES])
  atomic_files.write_bytes(_RESULTS / "best.md", text.encode())
  print(text, end="")
  _plot(_RESULTS / "best.png")


def _changed(start):
  """Name, run and baseline of every change, by difference in overall accuracy."""
  found = []
  for path in _RUNS.glob(f"{start}[-+]*/metrics.json"):
    name = path.parent.name
    base = _BASELINES.get(name, _STARTS[start])
    if name in (_STARTS[start], *_BASELINES.values()) or name.endswith(_PLAIN) or not _read(base):
      continue
    found.append((name.removeprefix(start).lstrip("-"), name, base))
  return sorted(found, key=lambda own: -_paired(*own[1:]).mean)


def _changes():
  """A row for every run of seeds 100-104, the recipe's own first."""
  lines = []
  for start, default in _STARTS.items():
    if _read(default):
      n, accuracies, plain = _SAMPLES[start], _accuracies(default), _plain(default, _TARGET)
      lines.append(_row(n, "nothing", *accuracies, "", "", "", plain, "", ""))
      lines += [_change(n, *own) for own in _changed(start)]
  return [*_CHANGES_HEAD, *lines, ""] if lines else []


def _change(samples, change, name, base):
  plain = _plain(name, _TARGET)
  difference = _difference(name + _PLAIN, base + _PLAIN, _TARGET)[0] if plain else ""
  training = f"x {_arithmetic(name) / _arithmetic(base):.2g}" if plain else ""
  paired = _difference(name, base, _TARGET)
  return _row(samples, change, *_accuracies(name), *paired, plain, difference, training)


def _arithmetic(name):
  """Floating-point operations of training a network of a run."""
  config = json.loads((_RUNS / name / "config.json").read_text())
  model, scenes = config["model"], config["scenes"]
  network = make_network(
    model["name"],
    # The first runs were made before there were such components.
    bands=(config["bands"] or _BANDS) + config.get("mnf_components", 0),
    class_counts=[len(_read(name)[scene]["class_ids"]) for scene in scenes],
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


def _accuracies(name):
  return [_accuracy(_read(name), _TARGET, kind) for kind in ("overall", "average")]


def _report():
  """A row for every recipe, scene, number of samples and split, alone and together with the others."""
  lines = list(_REPORT_HEAD)
  for start, recipe in _RECIPES.items():
    for scene, n, split in itertools.product(_SCENES, (5, 10), ("random", "blocks")):
      alone, together = (f"{start}-{name}-n{n}-{split}" for name in (scene, "together"))
      if _read(alone):
        lines.append(_reported(recipe, scene, n, split, "alone", alone, ("", "", "")))
      if _read(together):
        gain = _difference(together, alone, scene) if _read(alone) else ("", "", "")
        lines.append(_reported(recipe, scene, n, split, "together", together, gain))
      letters = f"letter-on-{start}-n{n}-{split}"
      if scene == _TARGET and _read(letters):
        lines.append(_reported("the letter's", scene, n, split, "alone", letters, ("", "", "")))
  return lines


def _fractions():
  """A row for every run that there is with noise fractions and without, seed by seed."""
  lines = []
  for scene, n, split in itertools.product(_SCENES, (5, 10), ("random", "blocks")):
    own, base = (f"{start}-{scene}-n{n}-{split}" for start in ("report", "bands"))
    if _read(own) and _read(base):
      average = _difference(own, base, scene, "average")[0]
      plain = _difference(own + _PLAIN, base + _PLAIN, scene)
      lines.append(_row(scene, n, split, *_difference(own, base, scene), average, *plain))
  return ["", *_FRACTIONS_HEAD, *lines] if lines else []


def _reported(recipe, scene, n, split, how, name, gain):
  run = _read(name)
  accuracies = (_accuracy(run, scene, kind) for kind in ("overall", "average"))
  overlap = f"{100 * run['patch_overlap'][scene]:.0f} %"
  kappa, plain = _percent(run[scene]["kappa"]), _plain(name, scene)
  return _row(recipe, scene, n, split, how, *accuracies, kappa, plain, *gain, overlap)


def _plot(path):
  """Differences in overall accuracy of every change, smoothed and not, with their intervals."""
  changes = _changed(_TARGET)
  if not changes:
    return
  figure, axes = pyplot.subplots(figsize=(8, 0.34 * len(changes) + 1.4), layout="constrained")
  for place, (_, name, base) in enumerate(changes):
    for ending, colour, up in (("", _SMOOTHED, -0.13), (_PLAIN, _UNSMOOTHED, 0.13)):
      if _read(name + ending) and _read(base + ending):
        found = _paired(name + ending, base + ending)
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


def _read(name):
  """The metrics of a run, None where there was no such run."""
  file = _RUNS / name / "metrics.json"
  return json.loads(file.read_text()) if file.exists() else None


def _plain(name, scene):
  run = _read(name + _PLAIN)
  return _accuracy(run, scene, "overall") if run else ""


def _accuracy(run, scene, kind):
  return _percent(run[scene][f"{kind}_accuracy"])


def _percent(entry):
  values = [100 * x for x in entry["replicas"]]
  return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


def _paired(own, base, scene=_TARGET, kind="overall"):
  accuracies = (_read(name)[scene][f"{kind}_accuracy"]["replicas"] for name in (own, base))
  return significance.paired(*([100 * x for x in values] for values in accuracies))


def _difference(own, base, scene, kind="overall"):
  """Difference with interval, how often it is up, and p."""
  change = _paired(own, base, scene, kind)
  low, high = change.interval
  return f"{change.mean:+.2f} [{low:+.2f}, {high:+.2f}]", f"{change.up} of {change.pairs}", f"{change.p:.3f}"


def _row(*cells):
  return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
  main()

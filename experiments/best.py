"""Makes results/best.md: the accuracy of the recipe of configs/fields.py, and the gain by MNF components.

  .venv/bin/python experiments/best.py

Needs the runs of experiments/best.sh in results/best.
"""

import functools
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables

_TARGET = "indian_pines"
_SCENES = ("indian_pines", "salinas_a", "pavia_university_crop")
_CELLS = tuple(itertools.product(_SCENES, (5, 10), ("random", "blocks")))
# Start of the names of the runs, and name of the recipe.
_RECIPES = {"recommended": "recommended", "without_mnf": "without MNF components", "letter": "the letter's"}
# Ending of the runs without smoothing.
_PLAIN = "-plain"
_ACCURACY_HEAD = (
  "| recipe | scene | n | split | trained | OA | AA | kappa | OA without smoothing "
  "| gain in OA [95%] | up | Wilcoxon p | overlap |",
  "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)
_MNF_HEAD = (
  "| scene | n | split | gain in OA by MNF components [95%] | up | Wilcoxon p "
  "| gain in AA | gain in OA without smoothing | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|---|---|---|",
)
_NOTES = """
Accuracies in %, mean ± standard deviation over seeds 0-9. Gains in percentage points, paired by seed, with
their 95% interval (Student's t); p by Wilcoxon's signed-rank test, not corrected for the number of
comparisons. The gain in the first table is that of all scenes together, each with a separate first layer,
over the scene alone. The overlap is the share of test pixels whose patch overlaps a training patch.
"""


def main() -> None:
  """Writes the tables and prints them."""
  results = tables.results_directory(__doc__)
  runs = _Runs(results / "best")
  rows = [_accuracy_rows(runs, recipe, *cell) for recipe in _RECIPES for cell in _CELLS]
  accuracies = list(itertools.chain(*rows))
  gains = [line for cell in _CELLS for line in _mnf_rows(runs, *cell)]
  tables.write(results / "best.md", [*_ACCURACY_HEAD, *accuracies, "", *_MNF_HEAD, *gains, _NOTES])


class _Runs:
  """The kept runs in results/best. `read` returns the metrics of a run, or None if it is missing."""

  def __init__(self, directory: Path):
    self.read = functools.cache(lambda name: tables.read_metrics(directory / name))

  def accuracy(self, name, scene, kind):
    return tables.mean_std(tables.percent(self.read(name), scene, kind)) if self.read(name) else ""

  def difference(self, name, base, scene, kind="overall"):
    return tables.difference(*(tables.percent(self.read(run), scene, kind) for run in (name, base)))


def _accuracy_rows(runs, recipe, scene, n, split):
  """Yields a row for the scene alone and one for all scenes together, as far as these were run."""
  alone, together = (f"{recipe}-{name}-n{n}-{split}" for name in (scene, "together"))
  if runs.read(alone):
    yield _accuracy_row(runs, recipe, scene, n, split, "alone", alone, ("", "", ""))
  if runs.read(together):
    gain = runs.difference(together, alone, scene) if runs.read(alone) else ("", "", "")
    yield _accuracy_row(runs, recipe, scene, n, split, "together", together, gain)


def _accuracy_row(runs, recipe, scene, n, split, trained, name, gain):
  metrics = runs.read(name)
  kappa = tables.mean_std([100 * value for value in metrics["scenes"][scene]["kappa"]["replicas"]])
  return tables.row(
    *(_RECIPES[recipe], scene, n, split, trained),
    *(runs.accuracy(name, scene, kind) for kind in ("overall", "average")),
    *(kappa, runs.accuracy(name + _PLAIN, scene, "overall"), *gain),
    f"{100 * metrics['patch_overlap'][scene]:.0f}%",
  )


def _mnf_rows(runs, scene, n, split):
  """Yields a row if the recipe was run with and without MNF components."""
  name, base = (f"{recipe}-{scene}-n{n}-{split}" for recipe in ("recommended", "without_mnf"))
  if runs.read(name) and runs.read(base):
    average = runs.difference(name, base, scene, "average")[0]
    plain = runs.difference(name + _PLAIN, base + _PLAIN, scene)
    yield tables.row(scene, n, split, *runs.difference(name, base, scene), average, *plain)


if __name__ == "__main__":
  main()

"""Makes results/multitask_crops.md: scenes trained alone and together.

  .venv/bin/python experiments/multitask_crops.py

Needs the runs of experiments/multitask_crops.sh in results/multitask_crops and results/table3.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables

_WITH, _WITHOUT, _REVERSED = "with spectral knowledge", "without", "with, partner's bands reversed"
_AVIRIS = {
  _WITH: "indian_pines+salinas_a-with",
  _WITHOUT: "indian_pines+salinas_a-without",
  _REVERSED: "indian_pines+salinas_a-inverse",
  "with, and both Pavia crops": "indian_pines+all-with",
}
_ROSIS = {_WITH: "pavia_crops-with", _WITHOUT: "pavia_crops-without"}
# For each scene: the run of the scene alone and the runs with partners.
_RUNS_OF = {
  "indian_pines": ("../table3/hresnet-in-160", _AVIRIS),
  "salinas_a": ("salinas_a", {key: _AVIRIS[key] for key in (_WITH, _WITHOUT)}),
  "pavia_university_crop": ("pavia_university_crop", _ROSIS),
  "pavia_centre_crop": ("pavia_centre_crop", _ROSIS),
}
_HEAD = (
  "| scene | n | trained | OA | gain [95%] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_NOTES = """
Overall accuracy in %, mean ± standard deviation over seeds 0-9. The gain over the scene alone is in
percentage points, paired by seed, with its 95% interval (Student's t); p by Wilcoxon's signed-rank test
over the seeds, not corrected for the number of comparisons. "Spectral knowledge" compares a shared first
layer with separate ones, "reversed bands" the partner's bands in reverse order with their original order.
The grids of configs/paper.py also have McNemar's test; it needs the predictions, which were not kept for
these runs.
"""


# Two ways to train that are compared with each other.
_COMPARED = {"spectral knowledge": (_WITH, _WITHOUT), "reversed bands": (_REVERSED, _WITH)}


def main() -> None:
  """Writes the table and prints it."""
  results = tables.results_directory(__doc__)
  runs, lines = results / "multitask_crops", list(_HEAD)
  for scene, (single, together) in _RUNS_OF.items():
    for n in (5, 10, 20):
      alone = tables.accuracies(runs / f"{single}-n{n}", scene)
      if alone:
        found = {how: tables.accuracies(runs / f"{run}-n{n}", scene) for how, run in together.items()}
        lines += _rows(scene, n, alone, found)
  tables.write(results / "multitask_crops.md", [*lines, _NOTES])


def _rows(scene, n, alone, found):
  yield tables.row(scene, n, "alone", tables.mean_std(alone), "", "", "")
  for how, accuracies in found.items():
    if accuracies:
      gain = tables.difference(accuracies, alone)
      yield tables.row(scene, n, how, tables.mean_std(accuracies), *gain)
  for what, (one, base) in _COMPARED.items():
    if found.get(one) and found.get(base):
      yield tables.row(scene, n, what, "", *tables.difference(found[one], found[base]))


if __name__ == "__main__":
  main()

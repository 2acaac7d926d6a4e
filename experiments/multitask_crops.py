"""Writes the table of the runs of experiments/multitask_crops.sh: scenes trained alone and together.

.venv/bin/python experiments/multitask_crops.py
"""

import json
import sys
from pathlib import Path

import numpy as np

_RESULTS = Path(__file__).parent
sys.path.insert(0, str(_RESULTS.parent))

from mtl_hsi.evaluation import significance  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

_TABLE = Path(__file__).with_suffix(".md")
_WITH, _WITHOUT, _REVERSED = "with spectral knowledge", "without", "with, partner's bands reversed"
_AVIRIS = {
  _WITH: "indian_pines+salinas_a-with",
  _WITHOUT: "indian_pines+salinas_a-without",
  _REVERSED: "indian_pines+salinas_a-inverse",
  "with, and both Pavia crops": "indian_pines+all-with",
}
_ROSIS = {_WITH: "pavia_crops-with", _WITHOUT: "pavia_crops-without"}
# Per scene the run of the scene alone, and those with partners.
_RUNS_OF = {
  "indian_pines": ("table3/hresnet-in-160", _AVIRIS),
  "salinas_a": ("salinas_a", {key: _AVIRIS[key] for key in (_WITH, _WITHOUT)}),
  "pavia_university_crop": ("pavia_university_crop", _ROSIS),
  "pavia_centre_crop": ("pavia_centre_crop", _ROSIS),
}
_HEAD = (
  "| scene | n | trained | OA | gain [95 %] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_NOTES = """
Overall accuracy in %, mean ± standard deviation over seeds 0-9. The gain is over the scene alone, seed by
seed, in percentage points, with its 95 % interval after Student; p by Wilcoxon's signed-rank test over the
seeds, not corrected for the number of comparisons. "Spectral knowledge" compares the runs with a shared first
convolution to those without, "reversed bands" the runs with the partner's bands reversed to those with them
in order. McNemar's test, which the paper's grid (configs/paper.py) has, is not here: it takes every pixel's
prediction, and those of these runs were not kept.
"""


def main() -> None:
  lines = list(_HEAD)
  for scene, (single, together) in _RUNS_OF.items():
    for n in (5, 10, 20):
      alone = _accuracies(f"{single}-n{n}", scene)
      if alone is None:
        continue
      lines.append(_row(scene, n, "alone", alone, None))
      found = {how: _accuracies(f"{run}-n{n}", scene) for how, run in together.items()}
      lines += [_row(scene, n, how, own, alone) for how, own in found.items() if own]
      for what, one, base in (
        ("spectral knowledge", _WITH, _WITHOUT),
        ("reversed bands", _REVERSED, _WITH),
      ):
        if found.get(one) and found.get(base):
          lines.append(_row(scene, n, what, found[one], found[base], gain_only=True))
  atomic_files.write_bytes(_TABLE, "\n".join([*lines, _NOTES]).encode())
  print(_TABLE.read_text())


def _accuracies(run, scene):
  """Overall accuracies in % by replica; None where there is no such run."""
  file = _RESULTS / run / "metrics.json"
  if not file.exists():
    return None
  return [100 * own for own in json.loads(file.read_text())[scene]["overall_accuracy"]["replicas"]]


def _row(scene, n, how, accuracies, base, gain_only=False):
  mean_std = "" if gain_only else f"{np.mean(accuracies):.2f} ± {np.std(accuracies):.2f}"
  cells = [scene, str(n), how, mean_std]
  if base is None:
    return f"| {' | '.join([*cells, '', '', ''])} |"
  gain = significance.paired(accuracies, base)
  low, high = gain.interval
  cells += [
    f"{gain.mean:+.2f} [{low:+.2f}, {high:+.2f}]",
    f"{gain.up} of {gain.pairs}",
    f"{gain.p:.3f}",
  ]
  return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
  main()

"""Writes the table of the runs of experiments/adapt.sh: new scenes on a trained backbone and from scratch.

.venv/bin/python experiments/adapt.py
"""

import json
import sys
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT))

from mtl_hsi.evaluation import significance  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

_TABLE = Path(__file__).with_suffix(".md")
_SCENE = "indian_pines"
_WAYS = {"scratch": "from scratch", "frozen": "frozen backbone", "tuned": "fine-tuned in phase 2"}
_HEAD = ("| n | trained | OA | gain [95 %] | up | Wilcoxon p |", "|---|---|---|---|---|---|")
_NOTES = """
Overall accuracy of Indian Pines in %, mean ± standard deviation over seeds 0-4. The gain is over training
from scratch on the same pixels, seed by seed, in percentage points, with its 95 % interval after Student; p
by Wilcoxon's signed-rank test over the seeds, not corrected for the number of comparisons.
"""


def main() -> None:
  """Writes results/adapt.md and prints it."""
  lines = list(_HEAD)
  for n in (5, 10):
    found = {way: _accuracies(way, n) for way in _WAYS}
    lines += [_row(n, way, own, found["scratch"]) for way, own in found.items() if own]
  atomic_files.write_bytes(_TABLE, "\n".join([*lines, _NOTES]).encode())
  print(_TABLE.read_text())


def _accuracies(way, n):
  """Overall accuracy of every replica in %; None where there is no such run."""
  path = _ROOT / "results" / "adapt" / f"{_SCENE}-{way}-n{n}" / "metrics.json"
  if not path.exists():
    return None
  return [100 * own for own in json.loads(path.read_text())[_SCENE]["overall_accuracy"]["replicas"]]


def _row(n, way, own, scratch):
  cells = [str(n), _WAYS[way], f"{np.mean(own):.2f} ± {np.std(own):.2f}"]
  if way == "scratch" or scratch is None:
    return f"| {' | '.join([*cells, '', '', ''])} |"
  gain = significance.paired(own, scratch)
  low, high = gain.interval
  cells += [f"{gain.mean:+.2f} [{low:+.2f}, {high:+.2f}]", f"{gain.up} of {gain.pairs}", f"{gain.p:.3f}"]
  return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
  main()

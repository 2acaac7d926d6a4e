"""Makes results/adapt.md: a new scene on a trained backbone and from scratch.

  .venv/bin/python experiments/adapt.py

Needs the runs of experiments/adapt.sh in results/adapt.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables

_SCENE = "indian_pines"
_WAYS = {"scratch": "from scratch", "frozen": "frozen backbone", "tuned": "fine-tuned in phase 2"}
_HEAD = ("| n | trained | OA | gain [95 %] | up | Wilcoxon p |", "|---|---|---|---|---|---|")
_NOTES = """
Overall accuracy of Indian Pines in %, mean ± standard deviation over seeds 0-4. The gain is over training
from scratch on the same pixels, seed by seed, in percentage points, with its 95 % interval after Student; p
by Wilcoxon's signed-rank test over the seeds, not corrected for the number of comparisons.
"""


def main() -> None:
  """Writes the table and prints it."""
  results = tables.results_directory(__doc__)
  lines = list(_HEAD)
  for n in (5, 10):
    found = {way: tables.accuracies(results / "adapt" / f"{_SCENE}-{way}-n{n}", _SCENE) for way in _WAYS}
    scratch = found["scratch"]
    for way, accuracies in found.items():
      if accuracies:
        gain = tables.difference(accuracies, scratch) if scratch and way != "scratch" else ("",) * 3
        lines.append(tables.row(n, _WAYS[way], tables.mean_std(accuracies), *gain))
  tables.write(results / "adapt.md", [*lines, _NOTES])


if __name__ == "__main__":
  main()

"""Writes the table of the runs of experiments/alignment.sh: two sensors aligned by index and by wavelength.

.venv/bin/python experiments/alignment.py
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
_ALONE = "indian_pines"
_SCENES = (_ALONE, "pavia_university_crop", "pavia_centre_crop")
_ALONE_ENTRY = (f"{_ALONE}, alone", _ALONE, "-alone")
_BETWEEN = (
  "| scene | n | by index | by wavelength | wavelength less index [95 %] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_OVER_ALONE = (
  "| n | aligned | Indian Pines alone | with both crops | gain [95 %] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_WAYS = ("index", "wavelength")
_NOTES = """
Overall accuracy in %, mean ± standard deviation over seeds 0-9. Differences are paired seed by seed, in
percentage points, with their 95 % interval after Student; p by Wilcoxon's signed-rank test. Not corrected for
the number of comparisons. By index Indian Pines has other wavelengths (103 bands, 498 to 1502 nm) than by
wavelength (43 bands, 439 to 851 nm), so what alignment does to it is the difference of its gains.
"""


def main() -> None:
  between, over_alone = list(_BETWEEN), list(_OVER_ALONE)
  for n in (5, 10):
    for title, scene, kind in [*((f"{scene}, together", scene, "") for scene in _SCENES), _ALONE_ENTRY]:
      own = [_accuracies(f"alignment-{way}{kind}-n{n}", scene) for way in _WAYS]
      between += _row([title, str(n)], *own)
    for way in _WAYS:
      own = [_accuracies(f"alignment-{way}{kind}-n{n}", _ALONE) for kind in ("-alone", "")]
      over_alone += _row([str(n), f"by {way}"], *own)
  atomic_files.write_bytes(_TABLE, "\n".join([*between, "", *over_alone, _NOTES]).encode())
  print(_TABLE.read_text())


def _row(head, before, after):
  """A row of what changed from one kind of run to another, in a list; none where one of them is not there."""
  if before is None or after is None:
    return []
  gain = significance.paired(after, before)
  low, high = gain.interval
  cells = [*head, _mean_std(before), _mean_std(after), f"{gain.mean:+.2f} [{low:+.2f}, {high:+.2f}]"]
  return [f"| {' | '.join([*cells, f'{gain.up} of {gain.pairs}', f'{gain.p:.3f}'])} |"]


def _accuracies(run, scene):
  """Of all replicas, in %; None where there is no such run."""
  path = _RESULTS / run / "metrics.json"
  if not path.exists():
    return None
  entries = json.loads(path.read_text())[scene]["overall_accuracy"]["replicas"]
  return [100 * entry for entry in entries]


def _mean_std(values):
  return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


if __name__ == "__main__":
  main()

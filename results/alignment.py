"""Writes the table of the runs of results/alignment.sh: two sensors aligned by index and by wavelength.

.venv/bin/python results/alignment.py
"""

import json
import sys
from pathlib import Path

import numpy as np

_RESULTS = Path(__file__).parent
sys.path.insert(0, str(_RESULTS.parent))

from mtl_hsi import significance  # noqa: E402

_TABLE = Path(__file__).with_suffix(".md")
_ALONE = "indian_pines"
_SCENES = (_ALONE, "pavia_university_crop", "pavia_centre_crop")
_HEAD = (
  "| scene | n | by index | by wavelength | wavelength less index [95 %] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_NOTES = """
Overall accuracy in %, mean ± standard deviation over seeds 0-9. The difference is paired seed by seed, in
percentage points, with its 95 % interval after Student; p by Wilcoxon's signed-rank test. Not corrected for
the number of comparisons. By index Indian Pines has other wavelengths (498 to 1502 nm) than by wavelength (439 to
851 nm), so its own difference is that of its rows "together" less that of its rows "alone".
"""


def main() -> None:
  lines = list(_HEAD)
  for n in (5, 10):
    lines += _rows([(f"{scene}, together", scene, "") for scene in _SCENES], n)
    lines += _rows([(f"{_ALONE}, alone", _ALONE, "-alone")], n)
  _TABLE.write_text("\n".join([*lines, _NOTES]))
  print(_TABLE.read_text())


def _rows(entries, n):
  """Of the scenes whose runs both are there."""
  for title, scene, kind in entries:
    index, wavelength = (_accuracies(f"alignment-{way}{kind}-n{n}", scene) for way in ("index", "wavelength"))
    if index is None or wavelength is None:
      continue
    gain = significance.paired(wavelength, index)
    low, high = gain.interval
    cells = [title, str(n), _mean_std(index), _mean_std(wavelength)]
    cells += [f"{gain.mean:+.2f} [{low:+.2f}, {high:+.2f}]", f"{gain.up} of {gain.pairs}", f"{gain.p:.3f}"]
    yield f"| {' | '.join(cells)} |"


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

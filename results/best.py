"""Writes the tables of the runs of results/best.sh: each change beside the recipe, and the report.

.venv/bin/python results/best.py
"""

import json
import sys
from pathlib import Path

import numpy as np

_RESULTS = Path(__file__).parent
sys.path.insert(0, str(_RESULTS.parent))

from mtl_hsi import significance, whole_files  # noqa: E402

_RUNS = _RESULTS / "best"
_SCENES = ("indian_pines", "pavia_university_crop", "salinas_a")
# Changes of the recipe that have a baseline of their own.
_BASELINES = {"indian_pines+salinas_a-160_bands": "indian_pines-160_bands"}
_CHANGES_HEAD = (
  "| scene | changed | OA | AA | difference in OA [95 %] | up | Wilcoxon p | training |",
  "|---|---|---|---|---|---|---|---|",
)
_REPORT_HEAD = (
  "| scene | n | split | trained | OA | AA | kappa | gain in OA [95 %] | up | Wilcoxon p | overlap |",
  "|---|---|---|---|---|---|---|---|---|---|---|",
)
_NOTES = """
Accuracies in %, mean ± standard deviation over seeds. Differences in percentage points, seed by seed, with
their 95 % interval after Student; p by Wilcoxon's signed-rank test, not corrected for the number of
comparisons. Changes are made one at a time, with 5 samples per class, on seeds 100-104, which are not
those of the report; "training" is the time beside the recipe's, which means something on an idle machine
only. The gain is that of all scenes together, each with a first convolution of its own, over the scene
alone; "overlap" is the share of test pixels whose patch overlaps a training patch.
"""


def main() -> None:
  lines = [*_changes(), "", *_report()]
  text = "\n".join([*lines, _NOTES])
  whole_files.write_bytes(_RESULTS / "best.md", text.encode())
  print(text, end="")


def _changes():
  """A row for every run of seeds 100-104, the recipe's own first."""
  lines = list(_CHANGES_HEAD)
  for scene in _SCENES:
    default = _read(f"{scene}-default")
    if default is None:
      continue
    cells = (scene, "nothing", _accuracy(default, scene, "overall"), _accuracy(default, scene, "average"))
    lines.append(_row(*cells, "", "", "", ""))
    for path in sorted(_RUNS.glob(f"{scene}[-+]*/metrics.json")):
      name = path.parent.name
      own = _read(name)
      if name == f"{scene}-default" or own is None:
        continue
      base = _read(_BASELINES.get(name, f"{scene}-default"))
      if base is not None:
        lines.append(_changed(scene, name.removeprefix(scene).lstrip("-"), own, base))
  return lines


def _changed(scene, change, own, base):
  time = own["seconds"]["train"] / base["seconds"]["train"]
  accuracies = _accuracy(own, scene, "overall"), _accuracy(own, scene, "average")
  return _row(scene, change, *accuracies, *_difference(own, base, scene), f"x {time:.1f}")


def _report():
  """A row for every scene, number of samples and split, alone and together with the others."""
  lines = list(_REPORT_HEAD)
  for scene in _SCENES:
    for n in (5, 10):
      for split in ("random", "blocks"):
        alone, together = (_read(f"report-{name}-n{n}-{split}") for name in (scene, "all"))
        if alone is not None:
          lines.append(_reported(scene, n, split, "alone", alone, ("", "", "")))
          if together is not None:
            gain = _difference(together, alone, scene)
            lines.append(_reported(scene, n, split, "with the others", together, gain))
  return lines


def _reported(scene, n, split, how, run, gain):
  accuracies = (_accuracy(run, scene, kind) for kind in ("overall", "average"))
  overlap = f"{100 * run['patch_overlap'][scene]:.0f} %"
  return _row(scene, n, split, how, *accuracies, _percent(run[scene]["kappa"]), *gain, overlap)


def _read(name):
  """The metrics of a run, None where there was no such run."""
  file = _RUNS / name / "metrics.json"
  return json.loads(file.read_text()) if file.exists() else None


def _accuracy(run, scene, kind):
  return _percent(run[scene][f"{kind}_accuracy"])


def _percent(entry):
  values = [100 * x for x in entry["replicas"]]
  return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


def _difference(own, base, scene):
  """Difference with interval, how often it is up, and p."""
  one, other = ([100 * x for x in run[scene]["overall_accuracy"]["replicas"]] for run in (own, base))
  change = significance.paired(one, other)
  low, high = change.interval
  return f"{change.mean:+.2f} [{low:+.2f}, {high:+.2f}]", f"{change.up} of {change.pairs}", f"{change.p:.3f}"


def _row(*cells):
  return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
  main()

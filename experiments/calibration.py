"""Writes the table of the runs of experiments/calibration.sh: each reading of the letter beside the default.

.venv/bin/python experiments/calibration.py
"""

import json
import sys
from pathlib import Path

import numpy as np

_RESULTS = Path(__file__).parent
sys.path.insert(0, str(_RESULTS.parent))

from mtl_hsi.evaluation import significance  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

_PARTNER = "hresnet-n5-with-salinas_a-norm-"
# What is compared, the default's run, and those of the other readings.
_QUESTIONS = {
  "scaling": ("scaling-5000", "scaling-per_band"),
  "vote": ("snapshots-122-130",),
  "second phase": ("phase2-head-only",),
  "initialisation": ("init-glorot",),
  "residual blocks": ("blocks-2",),
  "several": ("together",),
  "last partial batch": ("last_batch-dropped",),
}
_SERIES = (("hresnet", 5), ("hresnet", 10), ("hresnet", 30), ("ccnn", 5), ("ccnn", 25))
_WORDS = {
  "scaling-5000": "divided by 5000, not the maximum",
  "scaling-per_band": "every band standardised, not by the maximum",
  "snapshots-122-130": "epochs 122 to 130, not 132 to 140",
  "phase2-head-only": "heads only, not all parameters",
  "init-glorot": "Glorot's, not N(0, 0.01)",
  "blocks-2": "two, not one",
  "together": "divided by 5000, heads only, Glorot's and two blocks at once",
  "last_batch-dropped": "dropped, not used",
}
_HEAD = (
  "| model | n | seeds | question | reading | OA | by default | difference [95 %] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|---|---|---|",
)


def main() -> None:
  lines = list(_HEAD)
  for model, n in _SERIES:
    default = _accuracies(f"{model}-n{n}-default")
    for question, readings in _QUESTIONS.items():
      for reading in readings:
        other = _accuracies(f"{model}-n{n}-{reading}")
        if default and other:
          lines.append(_row(model, n, question, _WORDS[reading], other, default))
  joint, own = _accuracies(f"{_PARTNER}joint"), _accuracies(f"{_PARTNER}per_scene")
  if joint and own:
    question = "batch statistics, with SalinasA"
    lines.append(_row("hresnet", 5, question, "joint, not of each scene", joint, own))
  text = "\n".join(lines) + "\n"
  atomic_files.write_bytes(_RESULTS / "calibration.md", text.encode())
  print(text, end="")


def _accuracies(run):
  """Overall accuracy of every replica in %, None where there was no such run."""
  file = _RESULTS / "calibration" / run / "metrics.json"
  if not file.exists():
    return None
  return [100 * x for x in json.loads(file.read_text())["indian_pines"]["overall_accuracy"]["replicas"]]


def _row(model, n, question, reading, other, default):
  change = significance.paired(other, default)
  low, high = change.interval
  cells = (
    *(model, str(n), f"100-{99 + len(other)}", question, reading, _mean_std(other), _mean_std(default)),
    f"{change.mean:+.2f} [{low:+.2f}, {high:+.2f}]",
    f"{change.up} of {change.pairs}",
    f"{change.p:.3f}",
  )
  return f"| {' | '.join(cells)} |"


def _mean_std(values):
  return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


if __name__ == "__main__":
  main()

"""Makes results/calibration.md: every other reading of the letter beside the default one.

  .venv/bin/python experiments/calibration.py

Needs the runs of experiments/calibration.sh in results/calibration.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables

_PARTNER = "hresnet-n5-with-salinas_a-norm-"
# Each open question and the runs with another reading of it.
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
  """Writes the table and prints it."""
  results = tables.results_directory(__doc__)

  def accuracies(run):
    return tables.accuracies(results / "calibration" / run, "indian_pines")

  lines = list(_HEAD)
  for model, n in _SERIES:
    default = accuracies(f"{model}-n{n}-default")
    for question, readings in _QUESTIONS.items():
      for reading in readings:
        other = accuracies(f"{model}-n{n}-{reading}")
        if default and other:
          lines.append(_row(model, n, question, _WORDS[reading], other, default))
  joint, per_scene = accuracies(f"{_PARTNER}joint"), accuracies(f"{_PARTNER}per_scene")
  if joint and per_scene:
    question = "batch statistics, with SalinasA"
    lines.append(_row("hresnet", 5, question, "joint, not of each scene", joint, per_scene))
  tables.write(results / "calibration.md", [*lines, ""])


def _row(model, n, question, reading, other, default):
  seeds, means = f"100-{99 + len(other)}", map(tables.mean_std, (other, default))
  return tables.row(model, n, seeds, question, reading, *means, *tables.difference(other, default))


if __name__ == "__main__":
  main()

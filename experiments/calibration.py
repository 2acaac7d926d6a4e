"""Makes results/calibration.md: alternatives to what the letter leaves open, next to the defaults.

  .venv/bin/python experiments/calibration.py

Needs the runs of experiments/calibration.sh in results/calibration.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables

_PARTNER = "hresnet-n5-with-salinas_a-norm-"
# Each open question and the runs with an alternative.
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
  "scaling-5000": "by 5000 instead of the maximum",
  "scaling-per_band": "every band standardised",
  "snapshots-122-130": "epochs 122 to 130 instead of 132 to 140",
  "phase2-head-only": "heads only",
  "init-glorot": "Glorot instead of N(0, 0.01)",
  "blocks-2": "two instead of one",
  "together": "by 5000, heads only, Glorot and two blocks together",
  "last_batch-dropped": "dropped",
}
_HEAD = (
  "| model | n | seeds | question | alternative | OA | default | difference [95%] | up | Wilcoxon p |",
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
    for question, alternatives in _QUESTIONS.items():
      for alternative in alternatives:
        other = accuracies(f"{model}-n{n}-{alternative}")
        if default and other:
          lines.append(_row(model, n, question, _WORDS[alternative], other, default))
  joint, per_scene = accuracies(f"{_PARTNER}joint"), accuracies(f"{_PARTNER}per_scene")
  if joint and per_scene:
    question = "batch statistics, with SalinasA"
    lines.append(_row("hresnet", 5, question, "joint instead of per scene", joint, per_scene))
  tables.write(results / "calibration.md", [*lines, ""])


def _row(model, n, question, alternative, other, default):
  seeds, means = f"100-{99 + len(other)}", map(tables.mean_std, (other, default))
  return tables.row(model, n, seeds, question, alternative, *means, *tables.difference(other, default))


if __name__ == "__main__":
  main()

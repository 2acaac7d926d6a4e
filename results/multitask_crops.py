"""Prints the table of results/multitask_crops.sh: scenes trained alone and together.

.venv/bin/python results/multitask_crops.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats

_RESULTS = Path(__file__).parent
_PAIRS = {
  "indian_pines+salinas_a": ("indian_pines", "salinas_a"),
  "pavia_crops": ("pavia_university_crop", "pavia_centre_crop"),
}


def main() -> None:
  print("| scene | n | alone | with spectral knowledge | gain | without | gain |")
  print("|---|---|---|---|---|---|---|")
  for pair, scenes in _PAIRS.items():
    for scene in scenes:
      for n in (5, 10):
        alone = _accuracies(f"{scene}-n{n}", scene)
        if alone is None:
          continue
        cells = [scene, str(n), _mean_std(alone)]
        for kind in ("with", "without"):
          together = _accuracies(f"{pair}-{kind}-n{n}", scene)
          if together is None:
            cells += ["not run", ""]
          else:
            cells += [_mean_std(together), _gain(together - alone[: len(together)])]
        print(f"| {' | '.join(cells)} |")


def _accuracies(run, scene):
  """Overall accuracy of every replica in %, None where there was no such run."""
  file = _RESULTS / run / "metrics.json"
  if not file.exists():
    return None
  return 100 * np.array(json.loads(file.read_text())[scene]["overall_accuracy"]["replicas"])


def _mean_std(values):
  return f"{values.mean():.2f} ± {values.std():.2f}"


def _gain(differences):
  """Mean paired difference with Wilcoxon's signed-rank test over the seeds."""
  p = stats.wilcoxon(differences).pvalue if np.any(differences) else 1.0
  return f"{differences.mean():+.2f} (p = {p:.3f}, {np.sum(differences > 0)} of {len(differences)} up)"


if __name__ == "__main__":
  main()

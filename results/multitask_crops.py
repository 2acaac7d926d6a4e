"""Writes the table of the runs of results/multitask_crops.sh: scenes trained alone and together.

.venv/bin/python results/multitask_crops.py
"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
from ml_collections import config_dict

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT))

from mtl_hsi import sampling, scene_settings, significance  # noqa: E402
from mtl_hsi.scenes_file import OPTIONS  # noqa: E402

_RUNS = _ROOT / "runs"
_TABLE = Path(__file__).with_suffix(".md")
_WITH, _WITHOUT = "with spectral knowledge", "without"
_AVIRIS = {
  _WITH: "indian_pines+salinas_a-with",
  _WITHOUT: "indian_pines+salinas_a-without",
  "with, partner's bands reversed": "indian_pines+salinas_a-inverse",
  "with, and both Pavia crops": "indian_pines+all-with",
}
_ROSIS = {_WITH: "pavia_crops-with", _WITHOUT: "pavia_crops-without"}
# Per scene the run of the scene alone, and those with partners.
_RUNS_OF = {
  "indian_pines": ("paper/hresnet-in-160", _AVIRIS),
  "salinas_a": ("salinas_a", {key: _AVIRIS[key] for key in (_WITH, _WITHOUT)}),
  "pavia_university_crop": ("pavia_university_crop", _ROSIS),
  "pavia_centre_crop": ("pavia_centre_crop", _ROSIS),
}
_HEAD = (
  "| scene | n | trained | OA | gain [95 %] | up | Wilcoxon p | McNemar p |",
  "|---|---|---|---|---|---|---|---|",
)
_NOTES = """
Overall accuracy in %, mean ± standard deviation over seeds 0-9. The gain is over the scene alone, seed by
seed, in percentage points, with its 95 % interval after Student; p by Wilcoxon's signed-rank test over the
seeds, and by McNemar's over the pooled test pixels of all seeds, which are not independent, so that its p is
too small. Not corrected for the number of comparisons. "Spectral knowledge" compares the runs with a shared
first convolution to those without.
"""


@dataclasses.dataclass(frozen=True)
class _Outcome:
  """Overall accuracies in % and class ids of the test pixels, by replica, and what these truly are."""

  accuracies: list[float]
  predicted: list[np.ndarray]
  truth: list[np.ndarray]


def main() -> None:
  lines = list(_HEAD)
  for scene, (single, together) in _RUNS_OF.items():
    for n in (5, 10, 20):
      alone = _read(f"{single}-n{n}", scene)
      if alone is None:
        continue
      lines.append(_row(scene, n, "alone", alone, None))
      found = {how: _read(f"{run}-n{n}", scene) for how, run in together.items()}
      lines += [_row(scene, n, how, outcome, alone) for how, outcome in found.items() if outcome]
      if found[_WITH] and found[_WITHOUT]:
        lines.append(_row(scene, n, "spectral knowledge", found[_WITH], found[_WITHOUT], gain_only=True))
  _TABLE.write_text("\n".join([*lines, _NOTES]))
  print(_TABLE.read_text())


def _read(run, scene):
  """None where there is no such run."""
  directory = _RUNS / run
  if not (directory / "metrics.json").exists():
    return None
  entries = json.loads((directory / "metrics.json").read_text())[scene]["overall_accuracy"]["replicas"]
  config = config_dict.ConfigDict(json.loads((directory / "config.json").read_text()))
  for own in config.files.values():
    # Options that scenes have got since some of these runs were made.
    own.update({option: "" for option in OPTIONS if option not in own})
  labels = scene_settings.loader(config, scene, {})().labels
  with np.load(directory / "split.npz") as split, np.load(directory / "predictions.npz") as predictions:
    tests = [tuple(sampling.pixels_of(rows).T) for rows in split[f"{scene}/test"]]
    predicted = [image[test] for image, test in zip(predictions[scene], tests, strict=True)]
  return _Outcome([100 * entry for entry in entries], predicted, [labels[test] for test in tests])


def _row(scene, n, how, outcome, base, gain_only=False):
  mean_std = f"{np.mean(outcome.accuracies):.2f} ± {np.std(outcome.accuracies):.2f}"
  cells = [scene, str(n), how, "" if gain_only else mean_std]
  if base is None:
    return f"| {' | '.join([*cells, '', '', '', ''])} |"
  gain = significance.paired(outcome.accuracies, base.accuracies)
  low, high = gain.interval
  counts = np.sum(
    [
      significance.discordant(*pixels)
      for pixels in zip(outcome.truth, outcome.predicted, base.predicted, strict=True)
    ],
    axis=0,
  )
  cells += [
    f"{gain.mean:+.2f} [{low:+.2f}, {high:+.2f}]",
    f"{gain.up} of {gain.pairs}",
    f"{gain.p:.3f}",
    f"{significance.mcnemar(*counts.tolist()):.1g}",
  ]
  return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
  main()

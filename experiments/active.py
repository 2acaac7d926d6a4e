"""Compares labelling the pixels that a run proposes with labelling the same number at random.

  .venv/bin/python experiments/active.py indian_pines
  .venv/bin/python experiments/active.py pavia_university_crop ../shared/data/pavia_university_crop.npz

Nine trainings of five replicas. Seeds 100 to 104, configs/best.py with patches of 13 x 13 pixels, 1,500 steps
and no MNF components, 5 samples per class in the first round. Half of the other labelled pixels are for
testing only. From the rest, every round adds as many labels as there are classes, either proposed by the map
or drawn at random, and trains from scratch. Finished runs are skipped and interrupted ones resume. Writes
results/active/<scene>.json and .png and prints a table.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from configs import best  # noqa: E402
from mtl_hsi.evaluation import proposals, significance  # noqa: E402
from mtl_hsi.settings import experiment_settings  # noqa: E402
from mtl_hsi.splits import sampling  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402

_SEED, _REPLICAS, _SAMPLES, _ROUNDS = 100, 5, 5, 4
_PATCH = 13
_FORERUNNER = (
  "--config.mnf_components=0",
  f"--config.model.patch={_PATCH}",
  "--config.phases.phase1.epochs=15",
)
# Okabe & Ito's, for colour-blind readers.
_WAYS = {"proposed": "#0072b2", "random": "#e69f00"}


def main() -> None:
  """Does the rounds that are not done, and sums all up."""
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("scene", help="name of the scene")
  parser.add_argument("files", nargs="*", metavar="file", help="its file, unless the scene is public")
  arguments = parser.parse_args()
  scene, files = arguments.scene, arguments.files
  overrides = [f"--config.files.{scene}.cube={_from_the_top(files[0])}"] if files else []
  labels = _labels(scene, files)
  directory = _ROOT / "runs" / "active" / scene
  first = _first_split(labels)
  accuracies = {way: [] for way in _WAYS}
  for way in _WAYS:
    split = first
    for index in range(_ROUNDS + 1):
      # Both ways have their first round in common.
      run = directory / (f"{way}-{index}" if index else "first")
      accuracies[way].append(_train(run, scene, split, overrides))
      split = sampling.Split(_more(way, run, scene, labels, split, index), split.test)
  config = json.loads((directory / "first" / "config.json").read_bytes())
  gains = [significance.paired(*(accuracies[way][index] for way in _WAYS)) for index in range(1, _ROUNDS + 1)]
  result = {"config": config, "accuracies": accuracies, "gains": [dataclasses.asdict(gain) for gain in gains]}
  atomic_files.write_json(_ROOT / "results" / "active" / f"{scene}.json", result)
  _plot(accuracies, _ROOT / "results" / "active" / f"{scene}.png")
  print("| labels per class | proposed | random | gain [95 %] |\n|---|---|---|---|")
  for index in range(_ROUNDS + 1):
    cells = [f"{np.mean(accuracies[way][index]):.2f} ± {np.std(accuracies[way][index]):.2f}" for way in _WAYS]
    low, high = gains[index - 1].interval if index else (0, 0)
    gain = f"{gains[index - 1].mean:+.2f} [{low:+.2f}, {high:+.2f}]" if index else ""
    print(f"| {_SAMPLES + index} | {' | '.join(cells)} | {gain} |")


def _from_the_top(path):
  """Where the commands run; what is kept of them names no directory of the machine."""
  return os.path.relpath(path, _ROOT)


def _plot(accuracies, path):
  """Mean and every replica's accuracy, round by round."""
  figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
  labels = _SAMPLES + np.arange(_ROUNDS + 1)
  for way, colour in _WAYS.items():
    found = np.array(accuracies[way])
    axes.plot(labels, found, color=colour, alpha=0.35, linewidth=0.8)
    axes.plot(labels, found.mean(axis=1), "o-", color=colour, label=way)
  axes.set_xticks(labels)
  axes.set_xlabel("labels per class, on average")
  axes.set_ylabel("overall accuracy, %")
  axes.grid(color="#dddddd")
  axes.legend(frameon=False)
  figure.savefig(path, dpi=150)
  pyplot.close(figure)


def _labels(scene, files):
  config = best.get_config(scene)
  if files:
    config.files[scene].cube = files[0]
  return experiment_settings.read(config).loaders[scene]().labels


def _first_split(labels):
  """n a class for training, half of the rest for testing; the other half is in neither."""
  drawn = sampling.random_split(labels, _SAMPLES, seed=_SEED, replicas=_REPLICAS, name="scene")
  tests = [
    np.random.default_rng([_SEED, replica]).permutation(sampling.pixels_of(rows))[: len(rows) // 2]
    for replica, rows in enumerate(drawn.test)
  ]
  return sampling.Split(drawn.train, np.stack(tests))


def _train(run, scene, split, overrides):
  """Overall accuracy of every replica in %."""
  file = run.parent / f"{run.name}-split.npz"
  atomic_files.write_npz(file, sampling.split_arrays({scene: split}))
  subprocess.run(
    [
      *(sys.executable, "launch.py", f"--config=configs/best.py:{scene}", f"--workdir={_from_the_top(run)}"),
      *(f"--config.split={_from_the_top(file)}", f"--config.replicas={_REPLICAS}", f"--config.seed={_SEED}"),
      *(*_FORERUNNER, *overrides),
    ],
    cwd=_ROOT,
    check=True,
  )
  metrics = json.loads((run / "metrics.json").read_bytes())
  return [100 * own for own in metrics["scenes"][scene]["overall_accuracy"]["replicas"]]


def _more(way, run, scene, labels, split, index):
  """The training pixels with those labelled after a round."""
  number = len(np.unique(labels[labels > 0]))
  predictions = np.load(run / "predictions.npz")[scene]
  probabilities = np.load(run / "confidence.npz")[f"{scene}/probability"]
  rows = []
  for replica, (train, test) in enumerate(zip(*split, strict=True)):
    pool = labels > 0
    for taken in (train, test):
      pool[tuple(sampling.pixels_of(taken).T)] = False
    if way == "random":
      drawn = np.random.default_rng([_SEED + replica, index]).permutation(np.argwhere(pool))[:number]
    else:
      own = slice(replica, replica + 1)
      support = proposals.support(predictions[own], probabilities[own], np.unique(labels[labels > 0]))
      drawn = proposals.propose(*support, pool, number, _PATCH).pixels
    padding = np.full((number - len(drawn), 2), sampling.PADDING)
    rows.append(np.concatenate([train, drawn, padding]).astype(np.int32))
  return np.stack(rows)


if __name__ == "__main__":
  main()

"""Launches the runs of the suite, one for every seed, and keeps their metrics."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from experiments import suite_fields, suite_scenes
from mtl_hsi.evaluation.calibration import expected_calibration_error
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage import atomic_files
from mtl_hsi.storage.json_files import read_json

# The methods that need a run of the default: the default, and the recipe of configs/fields.py.
DEFAULT, FIELDS = "default", "fields"
METHODS = (DEFAULT, FIELDS)

_ROOT = Path(__file__).resolve().parents[1]
RUNS = Path("runs/suite")
# Relative to the repository, so that the configs that are kept have no path of this machine.
PREPARED = RUNS / "data"


def measure(method: str, scene: Scene, protocol: str, seed: int, kept: Path) -> dict:
  """Launches a run of the default, unless it is finished, and returns the scores of the method.

  Args:
    method: one of `METHODS`.
    scene: the scene; its prepared file is in `PREPARED`.
    protocol: one of `suite_scenes.PROTOCOLS`.
    seed: the seed.
    kept: JSON file in which config and metrics of all seeds are kept.

  Returns:
    `overall_accuracy`, `average_accuracy`, `kappa` as fractions of 1; `seconds`; and of the default
    `calibration`: the calibration error of its confidence on left-out labels `before` and `after` the
    temperature, and on the `test` pixels of a random split.
  """
  run = RUNS / f"{scene.name}-{protocol}-s{seed}"
  seconds = _launch(_command(scene.name, protocol, seed), run)
  drawn = suite_scenes.draw(scene, protocol, seed), suite_scenes.drawn_by_run(_ROOT / run, scene, protocol)
  ours, its = (suite_scenes.fingerprint(parts, scene.labels.shape) for parts in drawn)
  if ours != its:
    sys.exit(f"{run} was trained or tested on other pixels than simple models; remove it and run again")
  if method == FIELDS:
    return suite_fields.measure(_ROOT / run, scene, drawn[0])
  metrics = read_json(_ROOT / run / "metrics.json")
  _keep(kept, read_json(_ROOT / run / "config.json"), metrics, seed)
  found = metrics["scenes"][scene.name]
  scores = {key: found[key]["replicas"][0] for key in ("overall_accuracy", "average_accuracy", "kappa")}
  scores["seconds"] = seconds
  if calibration := found.get("mixture", {}).get("calibration"):
    scores["calibration"] = {when: calibration[when] for when in ("before", "after")}
    if len(drawn[0]) == 1:
      scores["calibration"]["test"] = _calibration_error(_ROOT / run, scene, drawn[0][0].test)
  return scores


def _calibration_error(run, scene, test):
  """Returns the calibration error of the map's confidence on test pixels."""
  pixels = tuple(test.T)
  with np.load(run / "confidence.npz") as confidence, np.load(run / "predictions.npz") as predictions:
    probability = confidence[f"{scene.name}/probability"][0][pixels]
    correct = predictions[scene.name][0][pixels] == scene.labels[pixels]
  return expected_calibration_error(probability, correct)


def _command(name, protocol, seed):
  changes = {"seed": seed, "replicas": 1, "samples_per_class": suite_scenes.SAMPLES.get(protocol, 0)}
  if protocol == suite_scenes.FOLDS:
    changes |= {"split": "folds", "fold_units": "blocks", "block_size": suite_scenes.BLOCK_SIZE}
    changes["folds"] = suite_scenes.FOLD_COUNT
  if name != suite_scenes.PUBLIC:
    changes[f"files.{name}.cube"] = suite_scenes.prepared_file(PREPARED, name)
  config = f"--config=configs/best.py:{name}"
  return [sys.executable, "launch.py", config, *(f"--config.{key}={value}" for key, value in changes.items())]


def _launch(command, run):
  """Runs a command with its work directory; returns its seconds. What it prints goes to a log beside it."""
  log, start = _ROOT / f"{run}.log", time.perf_counter()
  log.parent.mkdir(parents=True, exist_ok=True)
  with log.open("w") as file:
    ended = subprocess.run([*command, f"--workdir={run}"], cwd=_ROOT, stdout=file, stderr=file)
  if ended.returncode:
    sys.exit(f"{run} failed with status {ended.returncode}; see {log}")
  return round(time.perf_counter() - start, 2)


def _keep(path, config, metrics, seed):
  """Adds the metrics of a seed, as a line, to the file of its cell; refuses those of another config."""
  config = {key: value for key, value in config.items() if key != "seed"}
  kept = json.loads(path.read_text()) if path.exists() else {"config": config, "metrics": {}}
  if kept["config"] != config:
    sys.exit(f"{path} has runs of another config; remove it, the scores in the directory above and the runs")
  kept["metrics"][str(seed)] = metrics
  lines = ",\n".join(f"{json.dumps(key)}: {_compact(value)}" for key, value in kept["metrics"].items())
  text = f'{{"config": {_compact(config)},\n"metrics": {{\n{lines}\n}}}}\n'
  atomic_files.write_bytes(path, text.encode())


def _compact(value):
  return json.dumps(value, sort_keys=True, separators=(",", ":"))

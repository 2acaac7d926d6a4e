"""Which changes of circumstances leave the bits of a run as they are.

  .venv/bin/python results/determinism.py runs/determinism

Trains HResNet on Indian Pines, a few epochs of two replicas, once as it comes
and then with other devices, processes, tiles, neighbours in a grid, and killed
on the way; compares predictions, confidence and the networks that vote with
the first run's. Writes results/determinism.json and results/determinism.md.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

_RESULTS = Path(__file__).resolve().parent
_ROOT = _RESULTS.parent
sys.path.insert(0, str(_ROOT))

from configs import mtl  # noqa: E402
from mtl_hsi import devices, grid, whole_files  # noqa: E402
from mtl_hsi.trained import read_run  # noqa: E402

_REPLICAS, _EPOCHS, _SAMPLES = 2, (2, 2), 5
_SNAPSHOTS = (-1, 0)
# The epoch after whose state the run is killed: within the first phase.
_KILLED_AFTER = 1
_OTHER_SEED = 100


def main() -> None:
  """Does the runs that are not there yet, compares each with the first and writes what was found."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("directory", type=Path, help="where the runs go")
  parser.add_argument("--grid", nargs="+", type=int, help="seeds of the cells of a grid, for its own use")
  arguments = parser.parse_args()
  directory = arguments.directory.absolute()
  if arguments.grid:
    _work(directory, arguments.grid)
    return
  first, seed = directory / "first", 0
  _launch(first)
  found = {}
  for name, (start, run) in _variations(directory, seed).items():
    start()
    found[name] = _compare(run, first)
    _write(found, first)


def _variations(directory: Path, seed: int) -> dict[str, tuple[Callable[[], None], Path]]:
  """What is changed: how to do the run, and its work directory."""

  def launched(name, *flags, **variables):
    run = directory / name
    return lambda: _launch(run, *flags, **variables), run

  def in_grid(name, *seeds):
    start = [sys.executable, __file__, directory / name, "--grid", *map(str, seeds)]
    return lambda: subprocess.run(start, check=True), directory / name / str(seed)

  killed = directory / "killed"
  return {
    "the same command again": launched("again"),
    "killed and resumed": (lambda: _kill_and_resume(killed), killed),
    "one host device, not two": launched("one_device", JAX_NUM_CPU_DEVICES="1"),
    "two processes of one core": launched("processes", "--processes=2"),
    "tiles of 500 pixels, not 4096": launched("tiles", "--config.classify.tile_pixels=500"),
    "first cell of a grid": in_grid("grid_first", seed, _OTHER_SEED),
    "second cell of a grid": in_grid("grid_second", _OTHER_SEED, seed),
  }


def _config(seed):
  config = mtl.get_config("in")
  config.replicas, config.seed, config.samples_per_class = _REPLICAS, seed, _SAMPLES
  config.phases.phase1.epochs, config.phases.phase2.epochs = _EPOCHS
  config.snapshots = _SNAPSHOTS
  return config


def _command(run, *flags):
  changes = {
    "replicas": _REPLICAS,
    "samples_per_class": _SAMPLES,
    "phases.phase1.epochs": _EPOCHS[0],
    "phases.phase2.epochs": _EPOCHS[1],
    "snapshots": _SNAPSHOTS,
  }
  options = [f"--config.{key}={value}" for key, value in changes.items()]
  place = f"--workdir={os.path.relpath(run, _ROOT)}"
  return [sys.executable, "launch.py", "--config=configs/mtl.py:in", place, *options, *flags]


def _launch(run, *flags, **variables):
  subprocess.run(_command(run, *flags), cwd=_ROOT, env={**os.environ, **variables}, check=True)


def _kill_and_resume(run):
  """Kills the run once it has saved the state of an early epoch, and starts it again; or finds that done.

  Raises:
    SystemExit: it was never killed, so that a comparison would show nothing.
  """
  ended = SystemExit(f"{run} ended by itself before it was killed; remove it and start this script again")
  command = _command(run, "--config.checkpoint_seconds=0")
  if not (run / "metrics.json").exists():
    process = subprocess.Popen(command, cwd=_ROOT)
    state = run / "checkpoints" / "state" / str(_KILLED_AFTER)
    while process.poll() is None and not state.exists():
      time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    if process.wait() != -signal.SIGKILL:
      raise ended
    subprocess.run(command, cwd=_ROOT, check=True)
  if len(json.loads((run / "environment.json").read_bytes())["starts"]) < 2:
    raise ended


def _work(directory, seeds):
  """A grid of cells that differ by their seeds, in that order, in one process."""
  devices.configure(directory.parent / ".compile_cache", _REPLICAS)
  runs = [grid.Run(str(seed), _config(seed).lock()) for seed in seeds]
  grid.work(runs, directory, sys.argv)


def _compare(run, first):
  """Greatest differences between two runs; 0 means the same bits."""
  predictions, confidence = (_arrays(run, first, name) for name in ("predictions.npz", "confidence.npz"))
  one, other = read_run(run), read_run(first)
  networks = [
    pair
    for epoch in one.snapshot_epochs
    for pair in zip(*(jax.tree.leaves(whole.networks(epoch)) for whole in (one, other)), strict=True)
  ]
  return {
    "pixels": float(np.mean([np.mean(x != y) for x, y in predictions])),
    "confidence": _greatest(confidence),
    "networks": _greatest(networks),
  }


def _write(found, first):
  """Both files, anew after every comparison, so that a script that is stopped leaves what it found."""
  stored = {name: json.loads((first / f"{name}.json").read_bytes()) for name in ("environment", "config")}
  # Where the repository lay on the machine.
  stored["environment"].pop("directory")
  whole_files.write_json(_RESULTS / "determinism.json", {**stored, "variations": found})
  whole_files.write_bytes(_RESULTS / "determinism.md", _table(found).encode())


def _arrays(run, first, name):
  with np.load(run / name) as one, np.load(first / name) as other:
    return [(one[key], other[key]) for key in one.files]


def _greatest(pairs):
  return max(float(np.max(np.abs(np.subtract(x, y, dtype=np.float64)))) for x, y in pairs)


def _table(found):
  lines = [
    "What a run of `results/determinism.py` differs by from the first one, where something else is changed:",
    "share of the pixels with another class, greatest difference of a confidence, greatest difference of a",
    "parameter or statistic of the networks that vote. 0: the same bits. Machine and config are in",
    "`determinism.json`.",
    "",
    "| changed | pixels | confidence | networks |",
    "|---|---|---|---|",
  ]
  for name, own in found.items():
    lines.append(f"| {name} | {' | '.join(f'{own[key]:.2g}' for key in own)} |")
  return "\n".join(lines) + "\n"


if __name__ == "__main__":
  main()

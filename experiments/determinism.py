"""Finds out under which changes of circumstances a run gives the same bits.

  .venv/bin/python experiments/determinism.py runs/determinism

20 short trainings. Trains two replicas on Indian Pines for a few epochs, by the letter's recipe and by the
recommended one: first undisturbed, then with other devices and tiles, with other runs of a grid before it,
and killed and resumed. Compares predictions, confidence and networks with those of the first run. Writes
results/determinism.json and results/determinism.md.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = _ROOT / "results"
sys.path.insert(0, str(_ROOT))

from configs import fields, mtl  # noqa: E402
from mtl_hsi.reproduction import grid  # noqa: E402
from mtl_hsi.runs.trained_run import read_run  # noqa: E402
from mtl_hsi.runtime import devices  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402


class _Recipe(NamedTuple):
  """What is trained.

  Attributes:
    file: config file with its argument.
    config: the config that it makes.
    changes: other values of its keys.
    tile: bound on the pixels of a tile, where tiles are to be small.
  """

  file: str
  config: Any
  changes: Mapping[str, Any]
  tile: int


_REPLICAS = 2
_SHORT = {"replicas": _REPLICAS, "samples_per_class": 5}
_RECIPES = {
  "letter": _Recipe(
    "configs/mtl.py:in",
    mtl.get_config("in"),
    {**_SHORT, "phases.phase1.epochs": 2, "phases.phase2.epochs": 2, "snapshots": (-1, 0)},
    500,
  ),
  # Smoothing reaches across the tiles.
  "best": _Recipe(
    "configs/fields.py:indian_pines",
    fields.get_config("indian_pines"),
    {**_SHORT, "phases.phase1.epochs": 4, "steps_per_epoch": 25, "snapshots": (-1, 0)},
    3000,
  ),
}
# The epoch after whose state the run is killed: within the first phase.
_KILLED_AFTER = 1
_OTHER_SEED = 100


def main() -> None:
  """Does the runs that are not there yet, compares each with its recipe's first and writes what was found."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("directory", type=Path, help="where the runs go")
  parser.add_argument("--grid", nargs="+", help="recipe and seeds of the cells of a grid, for its own use")
  arguments = parser.parse_args()
  directory = arguments.directory.absolute()
  if arguments.grid:
    name, *seeds = arguments.grid
    _work(_RECIPES[name], directory, map(int, seeds))
    return
  found = {}
  for name, recipe in _RECIPES.items():
    first, seed = directory / name / "first", 0
    _launch(recipe, first)
    found[name] = {"variations": {}, **_stored(first)}
    for change, (start, run) in _variations(name, directory / name, seed).items():
      start()
      found[name]["variations"][change] = _compare(run, first)
      _write(found)


def _variations(name: str, directory: Path, seed: int) -> dict[str, tuple[Callable[[], None], Path]]:
  """What is changed: how to do the run, and its work directory."""
  recipe = _RECIPES[name]

  def launched(run, *flags, **variables):
    return lambda: _launch(recipe, directory / run, *flags, **variables), directory / run

  def in_grid(run, *seeds):
    start = [sys.executable, __file__, directory / run, "--grid", name, *map(str, seeds)]
    return lambda: subprocess.run(start, check=True), directory / run / str(seed)

  killed = directory / "killed"
  tiles = launched("tiles", f"--config.classify.tile_pixels={recipe.tile}")
  return {
    "the same command again": launched("again"),
    "killed and resumed": (lambda: _kill_and_resume(recipe, killed), killed),
    "one host device, not two": launched("one_device", JAX_NUM_CPU_DEVICES="1"),
    f"tiles of {recipe.tile} pixels, not {recipe.config.classify.tile_pixels}": tiles,
    "first cell of a grid": in_grid("grid_first", seed, _OTHER_SEED),
    "second cell of a grid": in_grid("grid_second", _OTHER_SEED, seed),
  }


def _command(recipe, run, *flags):
  options = [f"--config.{key}={value}" for key, value in recipe.changes.items()]
  place = f"--workdir={os.path.relpath(run, _ROOT)}"
  return [sys.executable, "launch.py", f"--config={recipe.file}", place, *options, *flags]


def _launch(recipe, run, *flags, **variables):
  subprocess.run(_command(recipe, run, *flags), cwd=_ROOT, env={**os.environ, **variables}, check=True)


def _kill_and_resume(recipe, run):
  """Kills the run once it has saved the state of an early epoch, and starts it again; or finds that done.

  Raises:
    SystemExit: it was never killed, so that a comparison would show nothing.
  """
  ended = SystemExit(f"{run} ended by itself before it was killed; remove it and start this script again")
  command = _command(recipe, run, "--config.checkpoint_seconds=0")
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


def _work(recipe, directory, seeds):
  """A grid of cells that differ by their seeds, in that order, in one process."""
  devices.configure(directory.parent / ".compile_cache", _REPLICAS)
  runs = []
  for seed in seeds:
    config = recipe.config.copy_and_resolve_references()
    config.update_from_flattened_dict({**recipe.changes, "seed": seed})
    runs.append(grid.Run(str(seed), config.lock()))
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


def _stored(run):
  stored = {name: json.loads((run / f"{name}.json").read_bytes()) for name in ("environment", "config")}
  # Where the repository lay on the machine.
  stored["environment"].pop("directory")
  return stored


def _write(found):
  """Writes both files after every comparison, so a stopped script keeps its results."""
  atomic_files.write_json(_RESULTS / "determinism.json", found)
  atomic_files.write_bytes(_RESULTS / "determinism.md", _table(found).encode())


def _arrays(run, first, name):
  with np.load(run / name) as one, np.load(first / name) as other:
    return [(one[key], other[key]) for key in one.files]


def _greatest(pairs):
  return max(float(np.max(np.abs(np.subtract(x, y, dtype=np.float64)))) for x, y in pairs)


def _table(found):
  lines = [
    "What a run of `experiments/determinism.py` differs by from the first one of its recipe, where something",
    "else is changed: share of the pixels with another class, greatest difference of a confidence, greatest",
    "difference of a parameter or statistic of the networks that vote. 0: the same bits. Machine and configs",
    "are in `determinism.json`.",
    "",
    "| recipe | changed | pixels | confidence | networks |",
    "|---|---|---|---|---|",
  ]
  for recipe, run in found.items():
    for change, differences in run["variations"].items():
      lines.append(
        f"| {recipe} | {change} | {' | '.join(f'{value:.2g}' for value in differences.values())} |"
      )
  return "\n".join(lines) + "\n"


if __name__ == "__main__":
  main()

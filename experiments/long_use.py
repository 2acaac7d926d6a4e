"""Measures what a grid of many runs in one process leaves in use: memory, files, threads, compiled programs.

  .venv/bin/python experiments/long_use.py runs/long_use

200 runs, each of which trains a small network on one or two simulated scenes for an epoch and writes its
report. Usage is recorded after every 20 runs, and the first record is the baseline: by then imports,
allocator and caches have settled. The exit status is 1 if usage has grown by more than the bounds below.
Writes results/long_use.json.
"""

import argparse
import datetime
import json
import os
import sys
import threading
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from configs import common  # noqa: E402
from mtl_hsi.reproduction import grid  # noqa: E402
from mtl_hsi.runtime import devices  # noqa: E402
from mtl_hsi.runtime.environment import describe_environment  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

# Bounds on growth: bytes per run, and files and threads of all runs together.
BYTES_PER_CELL, FILES, THREADS = 500_000, 2, 0
_EVERY = 20
_NETWORKS = "hresnet", "ccnn"


def main() -> None:
  """Does the runs and writes what they left in use."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("directory", type=Path, help="where the runs go; must not exist")
  parser.add_argument("--cells", type=int, default=200)
  parser.add_argument("--networks", nargs="+", default=_NETWORKS, help="networks, in turns; by default both")
  parser.add_argument("--out", type=Path, default=_ROOT / "results" / "long_use.json")
  arguments = parser.parse_args()
  directory = arguments.directory.absolute()
  directory.mkdir(parents=True)
  started = datetime.datetime.now(datetime.UTC)
  devices.configure(directory / "compiled", 1)
  kinds = [(model, scenes) for model in arguments.networks for scenes in (1, 2)]
  cells, noted = [_cell(seed, *kinds[seed % len(kinds)]) for seed in range(arguments.cells)], []
  for start in range(0, len(cells), _EVERY):
    grid.work(cells[start : start + _EVERY], directory / "cells", sys.argv)
    noted.append({"cells": min(start + _EVERY, len(cells)), **_in_use(directory / "compiled")})
  left = {key: noted[-1][key] - noted[0][key] for key in noted[0]}
  bounds = {"memory": BYTES_PER_CELL * left["cells"], "files": FILES, "threads": THREADS, "programs": 0}
  environment = describe_environment(sys.argv, started)
  environment.pop("directory")
  found = {"environment": environment, "noted": noted, "left": left, "bounds": bounds}
  atomic_files.write_json(arguments.out, found)
  print(json.dumps({"left": left, "bounds": bounds}, indent=2))
  sys.exit(any(left[key] > bound for key, bound in bounds.items()))


def _cell(seed: int, model: str, scenes: int) -> grid.Run:
  config = common.get_config()
  config.scenes = ("village", "field")[:scenes]
  config.target = "village"
  for index, name in enumerate(config.scenes):
    config.simulate[name] = {
      **{"height": 29, "width": 29, "sensor": "camera", "seed": index, "labelled_fraction": 1.0},
      **{"centres": (450.0, 550.0, 650.0), "widths": (10.0,) * 3, "classes": ("grass", "bare soil")},
    }
  config.model.name = model
  config.samples_per_class, config.replicas, config.seed = 3, 1, seed
  del config.phases["phase2"]
  config.phases.phase1.epochs = 1
  config.snapshots = (0,)
  return grid.Run(f"seed{seed}", config.lock())


def _in_use(compiled: Path) -> dict[str, int]:
  """Bytes of memory, open files, threads of Python, and programs in the compile cache."""
  pages = int(Path("/proc/self/statm").read_text().split()[1])
  return {
    "memory": pages * os.sysconf("SC_PAGE_SIZE"),
    "files": len(os.listdir("/proc/self/fd")),
    "threads": threading.active_count(),
    "programs": len(list(compiled.iterdir())),
  }


if __name__ == "__main__":
  main()

"""What a grid of many cells in one process leaves in use: memory, open files, threads, compiled programs.

  .venv/bin/python experiments/long_use.py runs/long_use

Every cell trains a network of one or two small simulated scenes, of two kinds in turn, for an epoch and
writes its report. After every 20th it notes what is in use; the first 20 count as the start, when imports,
allocator and caches settle. Ends with status 1 where more than the bounds below is left. Writes
results/long_use.json.
"""

import argparse
import datetime
import json
import os
import sys
import threading
from pathlib import Path

_RESULTS = Path(__file__).resolve().parent
sys.path.insert(0, str(_RESULTS.parent))

from configs import common  # noqa: E402
from mtl_hsi.reproduction import grid  # noqa: E402
from mtl_hsi.runtime import devices  # noqa: E402
from mtl_hsi.runtime.environment import describe_environment  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

# Bytes that a cell may leave in memory for good, and files and threads that all of them may.
BYTES_PER_CELL, FILES, THREADS = 500_000, 2, 0
_EVERY = 20
_KINDS = [(model, scenes) for model in ("hresnet", "ccnn") for scenes in (1, 2)]


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("directory", type=Path, help="where the runs go; must not exist")
  parser.add_argument("--cells", type=int, default=200)
  parser.add_argument("--out", type=Path, default=_RESULTS / "long_use.json")
  arguments = parser.parse_args()
  directory = arguments.directory.absolute()
  directory.mkdir(parents=True)
  started = datetime.datetime.now(datetime.UTC)
  devices.configure(directory / "compiled", 1)
  cells, noted = [_cell(seed) for seed in range(arguments.cells)], []
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


def _cell(seed: int) -> grid.Run:
  model, scenes = _KINDS[seed % len(_KINDS)]
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

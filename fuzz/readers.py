"""Fuzzes families of readers: python -m fuzz.readers --family=npz --runs=200000.

Every family runs in a process of its own with limits on memory and time. An error other than a RequestError
is a failure, and so is the end of the process: a crash, too much memory, too much time. Inputs that failed,
one of each kind, are kept under --found.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from fuzz import families
from mtl_hsi import whole_files

# Ends of the process in one family after which it is left.
_MOST_ENDS = 20


def main() -> int:
  """Returns 1 where something failed."""
  options = _options()
  chosen = families.NAMES if options.family == "all" else (options.family,)
  results = _known(options.out)
  for name in chosen:
    result = fuzz(name, options.runs, options.seed, options.found / name)
    print(json.dumps(result), flush=True)
    results[name] = result
    _write(options.out, results)
  return int(any(results[name]["crashes"] for name in chosen))


def fuzz(family: str, runs: int, seed: int, found: Path) -> dict[str, Any]:
  """Gives a family as many inputs as are wanted.

  Args:
    family: one of `families.NAMES`.
    runs: inputs.
    seed: of their mutations; a process that ends early is followed by one of the next seed.
    found: directory of inputs that fail; emptied first.

  Returns:
    The family's entry in the results.
  """
  shutil.rmtree(found, ignore_errors=True)
  found.mkdir(parents=True)
  start, ends = time.monotonic(), 0
  with tempfile.TemporaryDirectory() as scratch:
    counts = np.memmap(Path(scratch, "counts"), np.int64, "w+", shape=2)
    while _run(family, runs - int(counts[0]), seed + ends, found, Path(scratch)) != 0:
      ends += 1
      if ends == _MOST_ENDS or counts[0] >= runs:
        break
    done, kinds = counts.tolist()
  seconds = round(time.monotonic() - start, 1)
  return {"family": family, "runs": done, "crashes": kinds + ends, "seconds": seconds, "seed": seed}


def _run(family: str, runs: int, seed: int, found: Path, scratch: Path) -> int:
  command = [sys.executable, "-m", "fuzz.target", f"--family={family}", f"--runs={runs}", f"--seed={seed}"]
  command += [f"--counts={scratch / 'counts'}", f"--found={found}", f"--scratch={scratch}"]
  with open(found / "log.txt", "ab") as log:
    return subprocess.run(command, stdout=log, stderr=log, check=False).returncode


def _known(path: Path) -> dict[str, dict]:
  """Earlier results by family."""
  return {entry["family"]: entry for entry in json.loads(path.read_text())} if path.exists() else {}


def _write(path: Path, results: dict[str, dict]) -> None:
  lines = (json.dumps(results[name]) for name in families.NAMES if name in results)
  whole_files.write_bytes(path, ("[\n" + ",\n".join(lines) + "\n]\n").encode())


def _options() -> argparse.Namespace:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--family", choices=("all", *families.NAMES), default="all")
  parser.add_argument("--runs", type=int, default=200_000, help="inputs of every family")
  parser.add_argument("--seed", type=int, default=1)
  parser.add_argument("--out", type=Path, default=Path("results", "fuzz.json"))
  parser.add_argument("--found", type=Path, default=Path("runs", "fuzz"))
  return parser.parse_args()


if __name__ == "__main__":
  sys.exit(main())

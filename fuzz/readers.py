"""Fuzzes families of readers: python -m fuzz.readers --family=arrays --inputs=200000.

The inputs of a family are divided among its targets. Each target runs in a separate process with limits on
memory and time. Any error but a RequestError is a failure, and so is a process that crashes or exceeds a
limit. One failing input of each kind is kept under --found. Targets that are complete according to --out are
skipped, and an interrupted one resumes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.targets import FAMILIES
from mtl_hsi.storage import atomic_files

# Keys of the results of a target or a family.
_KEYS = ("inputs", "crashes", "seconds")
# Number of inputs between two updates of the results.
_PIECE = 10_000
# Crashes of the process after which a target is abandoned.
_MOST_ENDS = 20


def main() -> int:
  """Returns 1 if there was a failure, and else 0."""
  options = _options()
  results = _known(options.out)
  for family in FAMILIES if options.family == "all" else (options.family,):
    for target in FAMILIES[family]:
      share = -(-options.inputs // len(FAMILIES[family]))
      before = results.get(target, dict.fromkeys(_KEYS, 0))
      for added in fuzz(target, share - before["inputs"], before["inputs"], options.found / target):
        results[target] = {key: round(before[key] + added[key], 1) for key in _KEYS}
        print(target, json.dumps(results[target]), flush=True)
        atomic_files.write_json(options.out, _by_family(results))
  return int(any(entry["crashes"] for entry in results.values()))


def fuzz(target: str, inputs: int, before: int, found: Path) -> Iterator[dict[str, Any]]:
  """Feeds a target a number of inputs.

  Args:
    target: one of those in `FAMILIES`.
    inputs: number of inputs.
    before: number of inputs in earlier starts, from which the seeds of the mutations follow.
    found: directory for failing inputs and, in `corpus/`, for those that increase the coverage.

  Yields:
    `inputs`, `crashes` and `seconds` so far, after every 10,000 inputs.
  """
  (found / "corpus").mkdir(parents=True, exist_ok=True)
  start, ends, done, kinds = time.monotonic(), 0, 0, 0
  while done < inputs and ends < _MOST_ENDS:
    with tempfile.TemporaryDirectory() as scratch:
      counts = np.memmap(Path(scratch, "counts"), np.int64, "w+", shape=2)
      # libFuzzer would replace a seed of 0 with a random one.
      seed = before + done + ends + 1
      ends += _run(target, min(_PIECE, inputs - done), seed, found, Path(scratch)) != 0
      done, kinds = done + int(counts[0]), kinds + int(counts[1])
    yield {"inputs": done, "crashes": kinds + ends, "seconds": time.monotonic() - start}


def _run(target: str, inputs: int, seed: int, found: Path, scratch: Path) -> int:
  command = [sys.executable, "-m", "fuzz.process", f"--target={target}"]
  command += [f"--inputs={inputs}", f"--seed={seed}"]
  command += [f"--counts={scratch / 'counts'}", f"--found={found}", f"--scratch={scratch}"]
  with open(found / "log.txt", "ab") as log:
    return subprocess.run(command, stdout=log, stderr=log, check=False).returncode


def _known(path: Path) -> dict[str, dict]:
  """Returns earlier results by target."""
  found = json.loads(path.read_text()) if path.exists() else []
  return {target: entry for family in found for target, entry in family["targets"].items()}


def _by_family(results: dict[str, dict]) -> list[dict]:
  rows = []
  for family, names in FAMILIES.items():
    entries = {name: results[name] for name in names if name in results}
    totals = {key: round(sum(entry[key] for entry in entries.values()), 1) for key in _KEYS}
    rows.append({"family": family, **totals, "targets": entries})
  return rows


def _options() -> argparse.Namespace:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--family", choices=("all", *FAMILIES), default="all")
  parser.add_argument("--inputs", type=int, default=200_000, help="number of inputs per family")
  parser.add_argument("--out", type=Path, default=Path("results", "fuzz.json"))
  parser.add_argument("--found", type=Path, default=Path("runs", "fuzz"))
  return parser.parse_args()


if __name__ == "__main__":
  sys.exit(main())

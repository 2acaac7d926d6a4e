"""Fuzzes families of readers: python -m fuzz.readers --family=arrays --inputs=200000.

The inputs of a family are shared out among its targets. Every target runs in a process of its own with
limits on memory and time. An error other than a RequestError is a failure, and so is the end of the process
by a crash, too much memory or too much time. Inputs that failed, one of each kind, are kept under --found.
What --out says is done already is passed over; an interrupted start goes on with the inputs it had come to.
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
from mtl_hsi.storage import whole_files

# Of a target's and of a family's results.
_KEYS = ("inputs", "crashes", "seconds")
# Inputs after which a target's count is stored.
_PIECE = 10_000
# Ends of the process in one target after which it is left.
_MOST_ENDS = 20


def main() -> int:
  """Returns 1 where something failed."""
  options = _options()
  results = _known(options.out)
  for family in FAMILIES if options.family == "all" else (options.family,):
    for target in FAMILIES[family]:
      share = -(-options.inputs // len(FAMILIES[family]))
      before = results.get(target, dict.fromkeys(_KEYS, 0))
      for added in fuzz(target, share - before["inputs"], before["inputs"], options.found / target):
        results[target] = {key: round(before[key] + added[key], 1) for key in _KEYS}
        print(target, json.dumps(results[target]), flush=True)
        whole_files.write_json(options.out, _by_family(results))
  return int(any(entry["crashes"] for entry in results.values()))


def fuzz(target: str, inputs: int, before: int, found: Path) -> Iterator[dict[str, Any]]:
  """Gives a target as many inputs as are wanted.

  Args:
    target: one of those in `FAMILIES`.
    inputs: their number.
    before: how many it has had; a seed of the mutations that come now.
    found: directory of inputs that fail, and in `corpus/` of those that reach new places.

  Yields:
    After every piece `inputs`, `crashes` and `seconds` so far.
  """
  (found / "corpus").mkdir(parents=True, exist_ok=True)
  start, ends, done, kinds = time.monotonic(), 0, 0, 0
  while done < inputs and ends < _MOST_ENDS:
    with tempfile.TemporaryDirectory() as scratch:
      counts = np.memmap(Path(scratch, "counts"), np.int64, "w+", shape=2)
      # 0 would have libFuzzer draw one.
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
  """Earlier results by target."""
  found = json.loads(path.read_text()) if path.exists() else []
  return {target: entry for family in found for target, entry in family["targets"].items()}


def _by_family(results: dict[str, dict]) -> list[dict]:
  rows = []
  for family, names in FAMILIES.items():
    own = {name: results[name] for name in names if name in results}
    whole = {key: round(sum(entry[key] for entry in own.values()), 1) for key in _KEYS}
    rows.append({"family": family, **whole, "targets": own})
  return rows


def _options() -> argparse.Namespace:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--family", choices=("all", *FAMILIES), default="all")
  parser.add_argument("--inputs", type=int, default=200_000, help="of every family")
  parser.add_argument("--out", type=Path, default=Path("results", "fuzz.json"))
  parser.add_argument("--found", type=Path, default=Path("runs", "fuzz"))
  return parser.parse_args()


if __name__ == "__main__":
  sys.exit(main())

"""The process that is fuzzed; readers.py starts it."""

import argparse
import importlib
import resource
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import atheris
import numpy as np

# What a reader may take for the memory that is free, so that it refuses what is larger ...
_FREE = 64 << 20
# ... and what it may take at most, in MB: resident by libFuzzer's measure, and of addresses.
_RESIDENT_MB, _ADDRESSES_MB = 2048, 16384
# Seconds for one input, on a machine with other work.
_SECONDS = 30
_LONGEST = 1 << 16
# Read by Python itself, so that coverage can guide; GDAL, HDF5 and Expat are not.
_INSTRUMENTED = ["mtl_hsi", "zipfile", "yaml", "tomllib"]


def main() -> None:
  """Feeds a target inputs until it has had as many as are wanted; never returns."""
  options = _options()
  with atheris.instrument_imports(include=_INSTRUMENTED):
    target = importlib.import_module(f"fuzz.targets.{options.target}")
    from mtl_hsi.errors import RequestError
    from mtl_hsi.storage import memory
  memory.available = lambda: _FREE
  warnings.simplefilter("ignore")
  folder = Path(tempfile.mkdtemp(dir=options.scratch))
  corpus = options.found / "corpus"
  for number, seed in enumerate(target.seeds(folder)):
    (corpus / f"seed{number}").write_bytes(seed)
  resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES_MB << 20,) * 2)
  counts = np.memmap(options.counts, np.int64, "r+")
  arguments = [
    *(f"-runs={options.inputs}", f"-seed={options.seed}", f"-max_len={_LONGEST}", f"-timeout={_SECONDS}"),
    *(f"-rss_limit_mb={_RESIDENT_MB}", f"-artifact_prefix={options.found}/", "-verbosity=0", str(corpus)),
  ]
  atheris.Setup([sys.argv[0], *arguments], _counted(target.read, folder, counts, options.found, RequestError))
  atheris.Fuzz()


def _counted(
  read: Callable[[bytes, Path], None],
  folder: Path,
  counts: np.ndarray,
  found: Path,
  documented: type[Exception],
) -> Callable[[bytes], None]:
  """Counts inputs and failures of a kind not yet seen, whose first input it keeps; goes on after each."""

  def one(data: bytes) -> None:
    counts[0] += 1
    try:
      read(data, folder)
    except documented:
      return
    except Exception as error:
      kept = found / _kind(error)
      if not kept.exists():
        kept.write_bytes(data)
        kept.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), errors="replace")
        counts[1] += 1

  return one


def _kind(error: Exception) -> str:
  """Type of an error and where in the project it came up, as a file's name."""
  frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/mtl_hsi/" in frame.filename]
  place = f"{Path(frames[-1].filename).stem}-{frames[-1].lineno}" if frames else "outside"
  return f"{type(error).__name__}-{place}.bin"


def _options() -> argparse.Namespace:
  parser = argparse.ArgumentParser()
  parser.add_argument("--target", required=True)
  parser.add_argument("--inputs", type=int, required=True)
  parser.add_argument("--seed", type=int, required=True)
  for name in ("counts", "found", "scratch"):
    parser.add_argument(f"--{name}", type=Path, required=True)
  return parser.parse_args()


if __name__ == "__main__":
  main()

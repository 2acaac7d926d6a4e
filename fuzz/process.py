"""The process that feeds inputs to a target; readers.py starts it."""

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

# Free memory that readers see.
_FREE = 64 << 20
# The most resident memory (as libFuzzer measures it) and address space, in MB.
_RESIDENT_MB, _ADDRESSES_MB = 2048, 16384
# Time limit for one input, in seconds, on a busy machine.
_SECONDS = 30
_LONGEST = 1 << 16
# Python modules whose coverage guides the mutations; GDAL, HDF5 and Expat are not written in Python.
_INSTRUMENTED = ["mtl_hsi", "zipfile", "yaml", "tomllib"]


def main() -> None:
  """Feeds a target the requested number of inputs; never returns."""
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
  atheris.Setup([sys.argv[0], *arguments], _counted(target.feed, folder, counts, options.found, RequestError))
  atheris.Fuzz()


def _counted(
  feed: Callable[[bytes, Path], None],
  folder: Path,
  counts: np.ndarray,
  found: Path,
  documented: type[Exception],
) -> Callable[[bytes], None]:
  """Counts inputs and kinds of failures, keeps the first input of each kind, and never stops at a failure."""

  def one(data: bytes) -> None:
    counts[0] += 1
    try:
      feed(data, folder)
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
  """Returns a file name made of the type of an error and its origin in the project."""
  frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/mtl_hsi/" in frame.filename]
  origin = f"{Path(frames[-1].filename).stem}-{frames[-1].lineno}" if frames else "outside"
  return f"{type(error).__name__}-{origin}.bin"


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

"""Checks and times our networks on a GPU, in at most eight minutes.

  python -m benchmarks.on_gpu --out=on_gpu.json

It needs only numpy, scipy, jax, flax, optax and orbax; PyTorch is measured where it is installed.
benchmarks/README.md describes the parts. The JSON file is updated after each of them. Exit status: 0 if no
part failed, 1 if one failed, 2 if nothing could be run.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# PyTorch uses the same GPU. JAX reads this when its devices are initialised.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import atomic_files

_PACKAGES = (
  *("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "flax", "optax", "orbax-checkpoint"),
  *("numpy", "scipy", "torch"),
)
_QUERY = "nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"
_QUERY_SECONDS = 20
# Kept for the end of the process.
_RESERVE_SECONDS = 5

NO_TIME = "no time was left"
UNFINISHED = "it did not end within the time"


def main() -> None:
  arguments = _arguments()
  try:
    record = check_and_time(arguments)
  except RequestError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
  print(f"{arguments.out} is written; {record.summary()}")
  sys.exit(1 if record.failed() else 0)


def check_and_time(arguments: argparse.Namespace) -> "Record":
  """Runs all parts and returns their results, or ends the process when the time is up.

  Raises:
    RequestError: the JSON file cannot be written, JAX has no device, or there is no such part.
  """
  deadline = time.monotonic() + 60 * arguments.minutes - _RESERVE_SECONDS

  from benchmarks import gpu_parts
  from mtl_hsi.runtime import devices

  devices.check_backend()
  plan = gpu_parts.TINY if arguments.tiny else gpu_parts.FULL
  parts = gpu_parts.parts(plan)
  chosen = [part for part in parts if part.name.startswith(tuple(arguments.only.split(",")))]
  if not chosen:
    names = ", ".join(part.name for part in parts)
    raise RequestError(f"no part starts with --only={arguments.only}; the parts are {names}")
  sizes = _plain(plan._replace(kinds=tuple(plan.kinds)))
  facts = {"machine": machine(), "minutes": arguments.minutes, "plan": sizes}
  record = Record(arguments.out, facts, [part.name for part in chosen])
  print(f"{facts['machine']['devices'][0]}, {len(chosen)} parts in {arguments.minutes:g} minutes", flush=True)
  # A compilation cannot be interrupted.
  watchdog = threading.Timer(deadline - time.monotonic(), _give_up, [record])
  watchdog.daemon = True
  watchdog.start()
  do_parts(chosen, record, lambda: deadline - time.monotonic())
  watchdog.cancel()
  return record


def _arguments():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument(
    "--out", type=Path, default=Path("on_gpu.json"), help="JSON file (default: on_gpu.json)"
  )
  parser.add_argument("--minutes", type=float, default=8.0, help="time for everything (default: 8)")
  parser.add_argument(
    "--only", default="", help="runs only parts with these prefixes, such as train/,pytorch/"
  )
  parser.add_argument("--tiny", action="store_true", help="tiny sizes, to try the command on a CPU")
  arguments = parser.parse_args()
  if not 0.2 <= arguments.minutes <= 1000:
    parser.error(f"--minutes={arguments.minutes:g}: expected 0.2 to 1000")
  return arguments


class Record:
  """The results so far, in memory and in a file.

  Args:
    path: the JSON file.
    facts: entries besides "parts".
    names: names of all parts.
  """

  def __init__(self, path: Path, facts: Mapping[str, Any], names: Sequence[str]):
    self._path, self._lock = path, threading.Lock()
    parts = [{"part": name, "status": "skipped", "reason": NO_TIME} for name in names]
    self.content = {**facts, "parts": parts}
    self._write()

  def set(self, index: int, status: str, **more) -> None:
    """Records the result of a part and writes the file."""
    with self._lock:
      self.content["parts"][index] = {"part": self.content["parts"][index]["part"], "status": status, **more}
      self._write()

  def failed(self) -> list[str]:
    """Returns the names of the parts that failed."""
    return [one["part"] for one in self.content["parts"] if one["status"] == "failed"]

  def summary(self) -> str:
    """Returns the number of parts by status."""
    statuses = [one["status"] for one in self.content["parts"]]
    return ", ".join(f"{statuses.count(status)} {status}" for status in ("done", "failed", "skipped"))

  def stop(self) -> None:
    """Waits for the file and allows no further change."""
    self._lock.acquire()

  def _write(self):
    atomic_files.write_bytes(self._path, (json.dumps(self.content, indent=2) + "\n").encode())


def do_parts(parts: Sequence, record: Record, left: Callable[[], float]) -> None:
  """Runs the parts in order until the time is used up.

  A part counts as failed until it ends, so the file is correct even if the process is killed.

  Args:
    parts: see `gpu_parts.Part`.
    record: gets the results.
    left: returns the seconds left.
  """
  from benchmarks.gpu_parts import Unavailable

  for index, (name, measure) in enumerate(parts):
    if left() <= 0:
      return
    record.set(index, "failed", error=UNFINISHED)
    start, result = time.perf_counter(), {}
    try:
      status, result = "done", {"figures": measure()}
    except Unavailable as error:
      status, result = "skipped", {"reason": str(error)}
    # A part that fails, for lack of memory or support, must not end the others.
    except Exception as error:
      status, result = "failed", {"error": one_line(error)}
    seconds = time.perf_counter() - start
    record.set(index, status, seconds=seconds, **result)
    print(f"{status:8} {seconds:6.1f} s  {name}  {_in_short(result)}", flush=True)


def one_line(error: Exception) -> str:
  """Returns type and first line of an error."""
  lines = str(error).strip().splitlines()
  return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def machine() -> dict:
  """Returns processor, GPU, driver and versions; initialises JAX's devices."""
  import jax
  from jax.extend import backend

  return {
    "python": platform.python_version(),
    "platform": platform.platform(),
    "cpu": platform.processor() or platform.machine(),
    "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    "backend": jax.default_backend(),
    "backend_version": backend.get_backend().platform_version,
    "devices": [device.device_kind for device in jax.devices()],
    "nvidia_smi": _nvidia_smi(),
    "packages": dict(_versions()),
    "variables": {name: os.environ[name] for name in ("XLA_FLAGS", "JAX_PLATFORMS") if name in os.environ},
  }


def _nvidia_smi():
  """Returns name, driver and memory of every GPU, a line each; none without NVIDIA's driver."""
  try:
    found = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_QUERY_SECONDS, check=True)
  except (OSError, subprocess.SubprocessError):
    return []
  return found.stdout.strip().splitlines()


def _versions():
  for name in _PACKAGES:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
      yield name, importlib.metadata.version(name)


def _plain(value):
  """Returns named tuples as dicts."""
  if hasattr(value, "_asdict"):
    return {name: _plain(inner) for name, inner in value._asdict().items()}
  return value


def _in_short(result):
  figures = result.get("figures")
  if figures is None:
    return result.get("error") or result.get("reason")
  words = {name: value for name, value in figures.items() if isinstance(value, float)}
  return ", ".join(f"{name} {value:.3g}" for name, value in words.items() if name not in ("min", "max"))


def _give_up(record):
  """Ends the process from another thread; the part that runs is recorded as failed."""
  record.stop()
  print(f"the time is up; {record.summary()}", flush=True)
  os._exit(1)


if __name__ == "__main__":
  main()

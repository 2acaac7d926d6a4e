"""Measurements of whole processes: time and memory of runs, and time until the first step."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from benchmarks.first_step import DONE
from benchmarks.rows import row
from mtl_hsi.errors import RequestError

_ROOT = Path(__file__).parent.parent
# Linux reports KiB, macOS bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_SHORT_PHASES = {"phase1": 10, "phase2": 6}


class Finished(NamedTuple):
  """A process that has ended.

  Attributes:
    seconds: seconds from start to end.
    peak_bytes: maximum resident memory.
  """

  seconds: float
  peak_bytes: int


def run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> Finished:
  """Runs a Python program of the repository.

  Raises:
    RequestError: it failed.
  """
  with tempfile.TemporaryFile("w+") as log:
    start = time.perf_counter()
    process = _start(command, variables, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    # After wait4, the process object cannot read the status itself.
    process.returncode = os.waitstatus_to_exitcode(status)
    _check(process.returncode, command, log)
  return Finished(seconds, usage.ru_maxrss * _RSS_UNIT)


def seconds_to_first_step(who: str, job: Path, variables: Mapping[str, str]) -> float:
  """Returns the seconds from the start of a process to the end of its first training step.

  Raises:
    RequestError: it failed.
  """
  command = ["-m", "benchmarks.first_step", who, str(job)]
  with tempfile.TemporaryFile("w+") as log:
    start = time.perf_counter()
    process = _start(command, variables, stdout=subprocess.PIPE, stderr=log)
    seconds = None
    for line in process.stdout:
      if line.strip() == DONE:
        seconds = time.perf_counter() - start
    process.stdout.close()
    _check(process.wait(), command, log)
  return seconds


def starts(sides: Sequence[str], job: Path, repeats: int) -> list[dict]:
  """Returns the rows of `start/cold` and `start/warm`: with an empty compile cache, then with that filled.

  The peers have no compile cache, so both rows have the same figure.
  """
  seconds = {(who, kind): [] for who in sides for kind in (("cold", "warm") if who == "ours" else ("cold",))}
  # The first round fills the cache of the file system.
  for _ in tqdm(range(1 + repeats), desc="start", unit="round"):
    with tempfile.TemporaryDirectory() as cache:
      for (who, _), values in seconds.items():
        values.append(seconds_to_first_step(who, job, {"JAX_COMPILATION_CACHE_DIR": cache}))
  rows = []
  for kind in ("cold", "warm"):
    for who in sides:
      first, *counted = seconds[who, kind if who == "ours" else "cold"]
      variant = f"compile cache {'empty' if kind == 'cold' else 'filled'}" if who == "ours" else "no cache"
      rows.append(row(f"start/{kind}", who, variant, counted, "s", first_call=first))
  return rows


def end_to_end(sides: Sequence[str], job: Path, repeats: int, short: bool) -> list[dict]:
  """Returns the rows of `end_to_end` and `memory`: whole processes, Indian Pines, n = 10, ten networks.

  Args:
    sides: the sides to measure.
    job: file of the job, for the peers.
    repeats: number of runs of every side, in turns.
    short: whether to estimate from a short run.
  """
  more = {"estimated": True} if short else {}
  seconds, peaks, first = {who: [] for who in sides}, {who: [] for who in sides}, {}
  with tempfile.TemporaryDirectory() as name:
    directory = Path(name)
    if "ours" in sides:
      # Fills the compile cache.
      first["ours"], _ = _whole("ours", job, directory, short)
    for _ in tqdm(range(repeats), desc="end to end", unit="round"):
      for who in sides:
        total, peak = _whole(who, job, directory, short)
        seconds[who].append(total)
        peaks[who].append(peak / 1e9)
  variants = {
    "ours": "launch.py, compile cache filled",
    "keras": "fit and predict, one network after another",
    "pytorch": "channels last, on a CPU a network on each core",
  }
  rows = []
  for who in sides:
    warm_up = {"first_call": first[who]} if who in first else {}
    rows.append(row("end_to_end", who, variants[who], seconds[who], "s", **warm_up, **more))
  rows += [row("memory", who, variants[who], peaks[who], "GB") for who in sides]
  return rows


def _whole(who, job, directory, short):
  """Returns the seconds, including those that a short run omits, and the peak memory in bytes."""
  if who == "ours":
    return _ours(directory, short)
  out = directory / "facts.json"
  flags = ["--short"] if short else []
  done = run(["-m", "benchmarks.whole_run", who, str(job), str(out), *flags])
  return done.seconds + json.loads(out.read_text())["left_out"], done.peak_bytes


def _ours(directory, short):
  with tempfile.TemporaryDirectory(dir=directory) as workdir:
    command = [
      "launch.py",
      "--config=configs/mtl.py:in",
      f"--workdir={workdir}/run",
      f"--compile_cache={directory}/cache",
    ]
    if short:
      command += [f"--config.phases.{name}.epochs={epochs}" for name, epochs in _SHORT_PHASES.items()]
    done = run(command)
    seconds = json.loads(Path(workdir, "run", "metrics.json").read_text())["seconds"]
  if not short:
    return done.seconds, done.peak_bytes
  from configs import mtl

  phases, last = mtl.get_config("in").phases, max(mtl.get_config("in").snapshots)
  epochs = sum(_SHORT_PHASES.values()) + last
  missing = sum(phases[name].epochs - short for name, short in _SHORT_PHASES.items())
  left_out = missing * (seconds["train"] - seconds["compile_train"]) / epochs
  return done.seconds + left_out, done.peak_bytes


def _start(command, variables, **streams):
  environment = {**os.environ, **(variables or {})}
  return subprocess.Popen([sys.executable, *command], cwd=_ROOT, env=environment, text=True, **streams)


def _check(status, command, log):
  if status != 0:
    log.seek(0)
    last = (log.read().strip().splitlines() or ["no output"])[-1]
    raise RequestError(f"{' '.join(command)} ended with status {status}: {last}")

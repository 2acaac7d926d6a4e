"""Runs many experiments one after another, all or one shard of them, and estimates their time."""

import dataclasses
import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import read_record
from mtl_hsi.storage.json_files import well_formed

# Loading scenes, compiling and reporting.
_START_SECONDS = 15


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
  """One experiment of a grid.

  Attributes:
    name: its work directory within the grid's.
    config: the complete config for `experiment.run`.
  """

  name: str
  config: config_dict.ConfigDict


class Shard(NamedTuple):
  """The i-th of n parts of a grid, counted from 1."""

  index: int
  count: int


def parse_shard(text: str) -> Shard:
  """Reads "i/n".

  Raises:
    RequestError: it is not of that form, or i is not within 1..n.
  """
  index, _, count = text.partition("/")
  if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
    raise RequestError(f"--shard is {text!r}; expected i/n with i from 1 to n, such as --shard=2/8")
  return Shard(int(index), int(count))


def share(runs: Sequence[Run], flop: Mapping[str, float], shard: Shard) -> list[Run]:
  """Returns the runs of one shard, in the order of the grid; all shards have about equal work.

  The result depends on the runs alone, so shards on different machines never overlap.

  Args:
    runs: of the whole grid.
    flop: approximate floating-point operations of every run, by name.
    shard: which part.
  """
  load = [0.0] * shard.count
  names = set()
  for run in sorted(runs, key=lambda run: (-flop[run.name], run.name)):
    lightest = load.index(min(load))
    load[lightest] += flop[run.name]
    if lightest == shard.index - 1:
      names.add(run.name)
  return [run for run in runs if run.name in names]


def is_done(run: Run, directory: Path) -> bool:
  """Returns whether the run has finished in the directory of the grid.

  Raises:
    RequestError: its work directory contains a run with another config.
  """
  return workdir.is_complete(directory / run.name, run.config.to_dict())


def seconds(run: Run, directory: Path) -> float:
  """Returns the duration of a finished run in seconds, from its `metrics.json`.

  Raises:
    RequestError: the file is damaged or not what a run writes.
  """
  with well_formed(directory / run.name / "metrics.json"):
    return float(read_record(directory / run.name, "metrics.json")["seconds"]["total"])


def expected_seconds(
  runs: Iterable[Run],
  finished: Iterable[Run],
  directory: Path,
  *,
  flop: Mapping[str, float],
  speed: Callable[[], float],
) -> float:
  """Returns the expected duration of runs in seconds, from the speed of finished runs of the same model.

  Args:
    runs: to estimate.
    finished: runs that are done.
    directory: the grid's.
    flop: floating-point operations of every run, by its name.
    speed: measures floating-point operations per second, for models of which no run has finished.
  """
  done, spent = {}, {}
  for run in finished:
    model = run.config.model.name
    done[model] = done.get(model, 0.0) + flop[run.name]
    spent[model] = spent.get(model, 0.0) + seconds(run, directory)
  speeds = {model: done[model] / spent[model] for model in done}
  total = 0.0
  for run in runs:
    model = run.config.model.name
    if model not in speeds:
      speeds[model] = speed()
    total += _START_SECONDS + flop[run.name] / speeds[model]
  return total


def finish(
  runs: Sequence[Run], directory: Path, command: Sequence[str], report: Callable[[], Mapping[str, Path]]
) -> None:
  """Executes the runs, also if some fail, and prints the paths of the results of all finished runs.

  Args:
    runs: the runs to execute.
    directory: of the grid.
    command: the command line, for the reports.
    report: writes files about all finished runs; returns their paths by description.

  Raises:
    RequestError: see `work`, or a finished run is damaged.
  """
  failure = None
  try:
    work(runs, directory, command)
  # Signals are not caught here: the program must stop within seconds.
  except RequestError as error:
    failure = error
  print()
  for what, path in report().items():
    print(f"{what + ':':12}{path}")
  if failure:
    raise failure


def up_to_date(
  runs: Iterable[Run], directory: Path, write: Callable[[], Mapping[str, Path]]
) -> Mapping[str, Path]:
  """Writes files about the finished runs, again if another shard has finished a run in the meantime.

  Otherwise this process might replace the newer files of that shard.

  Returns:
    What `write` returned last.
  """
  runs = list(runs)

  def finished():
    return {run.name for run in runs if is_done(run, directory)}

  before, done = None, finished()
  while done != before:
    written = write()
    before, done = done, finished()
  return written


def work(runs: Sequence[Run], directory: Path, command: Sequence[str]) -> None:
  """Executes the runs one after another and skips finished ones.

  Args:
    runs: the runs to execute.
    directory: of the grid; every run has its work directory there.
    command: the command line, for the reports.

  Raises:
    RequestError: some runs failed or belong to another process; all others were executed first.
  """
  failures = []
  for position, run in enumerate(runs, start=1):
    try:
      if is_done(run, directory):
        continue
      print(f"\n[{position}/{len(runs)}] {run.name}", flush=True)
      run_experiment(run.config, directory / run.name, command)
    # Other runs may need less memory or another disk.
    except (RequestError, OSError, MemoryError, jax.errors.JaxRuntimeError) as error:
      print(f"not done: {error}", flush=True)
      failures.append(f"{run.name}: {error}")
    # Compiled programs are rarely shared between runs; keeping them would fill the memory.
    jax.clear_caches()
    gc.collect()
  if failures:
    raise RequestError(f"{len(failures)} of {len(runs)} runs are not done; the first is {failures[0]}")

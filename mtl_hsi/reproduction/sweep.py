"""Sweeps: a run for every combination of values of some keys, and the comparison of these runs."""

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_collections import config_dict

from mtl_hsi import commandline
from mtl_hsi.comparison import compare, finished_run
from mtl_hsi.comparison.finished_run import MEASURES
from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.report.csv_cells import csv_text, escape_formula
from mtl_hsi.reproduction import grid
from mtl_hsi.reproduction.grid import Run, Shard
from mtl_hsi.runs.records import read_record
from mtl_hsi.settings import experiment_settings, model_settings, scene_settings, swept_keys
from mtl_hsi.settings.split_settings import ensemble_of
from mtl_hsi.storage.atomic_files import reason, write_bytes
from mtl_hsi.storage.json_files import well_formed

TABLE, COMPARISON = "sweep.csv", "comparison"


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
  """One combination of values.

  Attributes:
    values: values of the swept keys, as text.
    run: the run with them.
    work: approximate training time, relative to other cells.
  """

  values: Mapping[str, str]
  run: Run
  work: float


def run(
  config: config_dict.ConfigDict,
  over: Sequence[str],
  directory: Path,
  shard: Shard,
  command: Sequence[str],
  *,
  only_status: bool = False,
) -> dict:
  """Executes the remaining runs of a sweep or of one shard of it, and compares all finished runs.

  Args:
    config: of the experiment, with a value for every key.
    over: swept keys and their values, see `swept_keys.read`.
    directory: every run has its work directory there.
    shard: the part to execute; the comparison covers all finished runs.
    command: the command line, for the reports.
    only_status: whether to execute nothing.

  Returns:
    For programs: the `cells` with their values and whether they are done, and paths of the `files`.

  Raises:
    RequestError: before any run starts, if a key or value is wrong, a file of a scene is missing or the
      directory cannot be written; later, if runs failed or a finished run is damaged.
  """
  if (directory / "config.json").exists():
    raise RequestError(f"{directory} is the work directory of a run; choose another --workdir for the sweep")
  cells = make_cells(config, over)
  runs = [cell.run for cell in cells]
  assigned = grid.share(runs, {cell.run.name: cell.work for cell in cells}, shard)
  if not only_status:
    _check_before_work(assigned, directory)
  print("\n".join(_listing(cells, assigned, directory, shard)), flush=True)
  grid.finish([] if only_status else assigned, directory, command, lambda: report(cells, directory))
  return _outcome(cells, directory)


def _check_before_work(runs, directory):
  """Rejects missing files of scenes, and a directory that cannot be written, before any run fails on them."""
  for run in runs:
    if not grid.is_done(run, directory):
      scene_settings.check_files(run.config)
  try:
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
      pass
  except OSError as error:
    raise RequestError(
      f"cannot write to the directory of the sweep, {directory}: {reason(error)}; choose another --workdir"
    ) from error


def make_cells(config: config_dict.ConfigDict, over: Sequence[str]) -> list[Cell]:
  """Returns the cells of a sweep, whose settings have been checked.

  Raises:
    RequestError: a key is unknown, or a value is wrong.
  """
  values = swept_keys.read(over, config)
  cells = []
  for words in swept_keys.combinations(values):
    changed = swept_keys.changed(config, {key: values[key][word] for key, word in words.items()})
    name = commandline.workdir_of((), words).name
    try:
      settings = experiment_settings.read(changed)
    except RequestError as error:
      raise RequestError(f"{error} (--over, {name})") from error
    cells.append(Cell(words, Run(name, changed), _work(settings)))
  names = [cell.run.name for cell in cells]
  if len(set(names)) < len(names):
    raise RequestError("--over has values whose directories would have the same name; remove one of them")
  return cells


def report(cells: Sequence[Cell], directory: Path) -> Mapping[str, Path]:
  """Writes the table of all cells, and the comparison of the finished ones if there are two or more.

  Returns:
    The paths by what they are.

  Raises:
    RequestError: a finished run is damaged, or a file cannot be written.
  """

  def write():
    done = [cell for cell in cells if grid.is_done(cell.run, directory)]
    write_bytes(directory / TABLE, csv_text(_table(cells, done, directory)).encode())
    if len(done) < 2:
      return {"Table": directory / TABLE}
    compared = [finished_run.read(directory / cell.run.name) for cell in done]
    compare.write(compared, directory / COMPARISON)
    return {"Table": directory / TABLE, "Comparison": directory / COMPARISON / compare.PAGE}

  return grid.up_to_date([cell.run for cell in cells], directory, write)


def _work(settings) -> float:
  """Number of epochs of all networks; an SVM counts as one."""
  if settings.model.name == model_settings.SVM:
    return float(settings.replicas)
  networks = ensemble_of(settings.split, settings.replicas).count
  return float(networks * settings.training.schedule.epochs)


def _listing(cells, assigned, directory, shard) -> Iterator[str]:
  """Yields the numbers of all and of finished runs, and a line for each run of this shard."""
  done = {run.name for run in assigned if grid.is_done(run, directory)}
  part = (
    f", of which this shard ({shard.index}/{shard.count}) runs {len(assigned)}" if shard.count > 1 else ""
  )
  line = f"{len(cells)} {noun(len(cells), 'run')}{part}; {len(done)} done, {len(assigned) - len(done)} to do"
  spent = sum(grid.seconds(run, directory) for run in assigned if run.name in done)
  known = sum(cell.work for cell in cells if cell.run.name in done)
  left = sum(cell.work for cell in cells if cell.run in assigned and cell.run.name not in done)
  if known and left:
    line += f" in about {left * spent / known / 60:.0f} min"
  yield f"{line}."
  for run in assigned:
    yield f"  {'done ' if run.name in done else 'to do'}  {run.name}"


def _table(cells, done, directory) -> Iterator[list]:
  """Yields the header, and a row for every cell and scene; accuracies in %. Unfinished cells have one row."""
  keys = list(cells[0].values)
  parts = [f"{measure}_{part}" for measure in MEASURES for part in ("mean", "std", "low", "high")]
  yield ["run", *map(escape_formula, keys), "state", "seconds", "scene", *parts]
  for cell in cells:
    values = [escape_formula(word) for word in cell.values.values()]
    if cell not in done:
      yield [cell.run.name, *values, "to do", *[None] * (2 + len(parts))]
      continue
    with well_formed(directory / cell.run.name / "metrics.json"):
      metrics = read_record(directory / cell.run.name, "metrics.json")
      for scene, found in metrics["scenes"].items():
        seconds = f"{metrics['seconds']['total']:.1f}"
        yield [cell.run.name, *values, "done", seconds, scene, *_accuracies(found)]


def _accuracies(found: Mapping[str, Any]) -> Iterator[str | None]:
  for measure in MEASURES:
    ends = found[measure]["interval"] or (None, None)
    for share in (found[measure]["mean"], found[measure]["std"], *ends):
      yield None if share is None else f"{100 * share:.4f}"


def _outcome(cells, directory):
  files = [directory / TABLE, directory / COMPARISON / compare.PAGE]
  return {
    "cells": [
      {"run": cell.run.name, "values": dict(cell.values), "done": grid.is_done(cell.run, directory)}
      for cell in cells
    ],
    "files": [str(path) for path in files if path.is_file()],
  }

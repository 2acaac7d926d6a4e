"""Plans and executes the experiments of the letter's tables, and compares their results."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.models.registry import make_network
from mtl_hsi.paper import protocol
from mtl_hsi.paper.cells import Cell, Training, cells_of, select, training_of
from mtl_hsi.plurals import noun
from mtl_hsi.reproduction import comparison, cost, grid
from mtl_hsi.reproduction.grid import Run, Shard
from mtl_hsi.scenes.public import registry
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.settings import experiment_settings

# Keys of a grid's config that an experiment's does not have.
_OWN_KEYS = ("tables", "cells", "samples_per_class", "dry_run", "stand_ins")


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
  """The cells and runs of a grid.

  Attributes:
    cells: every cell of all tables, since they share runs and a report, with the name of its run.
    runs: of all cells, by name.
    chosen: the cells to fill.
    needed: the runs that fill them.
    flop: floating-point operations of the needed runs, by name.
    scenes: public scenes that a needed run reads, by its name.
    stand_ins: name of the scene that replaces a public one, by the short name of the public one.
  """

  cells: Mapping[Cell, str]
  runs: Mapping[str, Run]
  chosen: Sequence[Cell]
  needed: Sequence[Run]
  flop: Mapping[str, float]
  scenes: Mapping[str, tuple[str, ...]]
  stand_ins: Mapping[str, str]


def run(config: config_dict.ConfigDict, directory: Path, shard: Shard, command: Sequence[str]) -> None:
  """Executes the remaining runs of a grid or of one shard, and compares all finished runs with the letter.

  Args:
    config: a config of configs/paper.py.
    directory: of the grid.
    shard: the part to execute; the comparison covers all finished runs.
    command: the command line, for the reports.

  Raises:
    RequestError: a cell or a row is unknown, scenes are missing, runs failed, or a finished one is damaged.
  """
  plan = make_plan(config)
  assigned = grid.share(plan.needed, plan.flop, shard)
  pending = [run for run in assigned if not grid.is_done(run, directory)]
  print(_announcement(plan, assigned, pending, directory, shard))
  if config.dry_run:
    print("\n".join(_listing(plan, assigned, pending)))
    return
  if not config.download:
    _check_scenes(plan, pending, Path(config.data_dir))
  grid.finish(assigned, directory, command, lambda: compare(plan, directory))


def compare(plan: Plan, directory: Path) -> Mapping[str, Path]:
  """Writes the comparison of all finished runs with the letter, see `grid.up_to_date`."""

  def write():
    results = comparison.Results(plan.cells, plan.runs, plan.stand_ins, directory)
    return comparison.write(results, directory)

  return grid.up_to_date(plan.runs.values(), directory, write)


def make_plan(config: config_dict.ConfigDict) -> Plan:
  """Returns the cells that a config selects and the runs that fill them.

  Raises:
    RequestError: a column, a row or a stand-in is unknown, or a key of the experiments is wrong.
  """
  every = [cell for table in protocol.TABLES for cell in cells_of(table)]
  of_tables = [cell for cell in every if cell.table in config.tables]
  chosen = select(of_tables, config.cells, config.samples_per_class)
  stand_ins = _stand_ins(config)
  trainings = {cell: training_of(cell) for cell in every}
  runs = {
    training.name: Run(training.name, experiment_config(config, training, stand_ins))
    for training in dict.fromkeys(trainings.values())
  }
  needed = [runs[name] for name in dict.fromkeys(trainings[cell].name for cell in chosen)]
  flop, scenes, sizes = {}, {}, {}
  for run in needed:
    settings = experiment_settings.read(run.config)
    scenes[run.name] = tuple(
      name
      for name in settings.scenes.loaders
      if name not in run.config.files and name not in run.config.simulate
    )
    for name in settings.scenes.loaders.keys() - sizes.keys():
      # A public scene's size is known without its files.
      public = name in scenes[run.name]
      sizes[name] = _public_size(name) if public else cost.size(settings.scenes.loaders[name]().labels)
    flop[run.name] = _flop(settings, sizes)
  cells = {cell: training.name for cell, training in trainings.items()}
  return Plan(cells, runs, chosen, needed, flop, scenes, stand_ins)


def experiment_config(
  config: config_dict.ConfigDict, training: Training, stand_ins: Mapping[str, str]
) -> config_dict.ConfigDict:
  """Returns the config of one training: the config of the grid with the keys that the training decides.

  It includes only the sources of its scenes, so the same run in another grid has the same config.
  """

  def scenes(names):
    return tuple(stand_ins.get(name, _NAMES[name]) for name in names)

  config_of_run = config_dict.ConfigDict(
    {key: value for key, value in config.to_dict().items() if key not in _OWN_KEYS}
  )
  config_of_run.scenes = scenes(training.scenes)
  config_of_run.target = config_of_run.scenes[0]
  config_of_run.bands = training.bands
  config_of_run.reversed = scenes(training.reversed)
  config_of_run.spectral_knowledge = training.spectral_knowledge
  config_of_run.model.name = training.model
  config_of_run.samples_per_class = training.samples_per_class
  for source in (config_of_run.files, config_of_run.simulate):
    for name in set(source) - set(config_of_run.scenes):
      del source[name]
  return config_of_run.lock()


_NAMES = {short: name for name, short in protocol.SHORT_NAMES.items()}


def _stand_ins(config):
  for name in config.stand_ins:
    if name not in protocol.SHORT_NAMES:
      raise RequestError(
        f"config key stand_ins has {name!r}; only {', '.join(protocol.SHORT_NAMES)} can have stand-ins"
      )
  return {protocol.SHORT_NAMES[name]: stand_in for name, stand_in in config.stand_ins.items()}


def _public_size(name):
  facts = PUBLIC_SCENES[name]
  return cost.Size(facts.shape[0] * facts.shape[1], facts.class_counts)


def _flop(settings, sizes):
  """Floating-point operations of all replicas of a run."""
  scene_sizes = [sizes[name] for name in settings.scenes.loaders]
  if settings.model.name == "svm":
    return settings.replicas * sum(
      cost.svm(size, settings.split.samples_per_class, settings.bands.count) for size in scene_sizes
    )
  network = make_network(
    bands=settings.bands.count,
    class_counts=[len(size.class_counts) for size in scene_sizes],
    **dataclasses.asdict(settings.model),
  )
  training = cost.training(
    network,
    [size.training_pixels(settings.split.samples_per_class) for size in scene_sizes],
    batch_size=settings.training.batch_size,
    mixed=settings.training.mixed,
    drop_last=settings.training.drop_last,
    epochs=settings.training.schedule.epochs,
    steps=settings.training.recipe.steps,
  )
  pixels = sum(size.pixels for size in scene_sizes)
  return settings.replicas * (
    training + cost.classification(network, pixels, len(settings.training.schedule.snapshots))
  )


def _check_scenes(plan, pending, data_dir):
  """Raises one RequestError that lists all missing scene files."""
  wanted = dict.fromkeys(name for run in pending for name in plan.scenes[run.name])
  missing = {name: files for name in wanted if (files := registry.missing_files(name, data_dir))}
  if missing:
    files = ", ".join(file for files in missing.values() for file in files)
    pages = " and ".join(dict.fromkeys(PUBLIC_SCENES[name].page_url for name in missing))
    able = sum(not missing.keys() & set(plan.scenes[run.name]) for run in pending)
    raise RequestError(
      f"missing scene files: {files}; download them from {pages} into {data_dir.absolute()}, or add "
      f"--config.download=True; {able} of {len(pending)} runs do not need these files: select them with "
      "--config.cells (--config.dry_run=True lists all runs)"
    )


def _announcement(plan, assigned, pending, directory, shard):
  """The numbers of cells and runs, and the estimated time."""
  part = (
    f", of which this shard ({shard.index}/{shard.count}) does {len(assigned)}" if shard.count > 1 else ""
  )
  line = (
    f"{len(plan.chosen)} {noun(len(plan.chosen), 'cell')}, filled by {len(plan.needed)} "
    f"{noun(len(plan.needed), 'run')}{part}; {len(assigned) - len(pending)} done"
  )
  if not pending:
    return f"{line}, nothing left to do."
  finished = [run for run in plan.needed if grid.is_done(run, directory)]
  hours = (
    grid.expected_seconds(pending, finished, directory, flop=plan.flop, speed=cost.expected_speed) / 3600
  )
  basis = "the runs done" if finished else "the speed of a matrix product on this machine"
  return f"{line}, {len(pending)} to do in about {_duration(hours)} (from {basis})."


def _listing(plan, assigned, pending):
  """A line for every run."""
  served = {}
  for cell in plan.chosen:
    served.setdefault(plan.cells[cell], []).append(f"Table {cell.table} {cell.column}")
  width = max((len(run.name) for run in assigned), default=0)
  for run in assigned:
    state = "to do" if run in pending else "done "
    yield f"  {state}  {run.name:{width}}  {', '.join(served[run.name])}"


def _duration(hours):
  return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.1f} h"

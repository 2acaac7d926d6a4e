"""Table V: times of two single-task runs and of one multitask run."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mtl_hsi.paper import protocol
from mtl_hsi.paper.cells import Cell
from mtl_hsi.runs.records import read_record
from mtl_hsi.storage.json_files import read_json, well_formed

SAMPLES_PER_CLASS = 10

# The preprint breaks off before the table; the pairs of one sensor are the likely ones [inferred].
PAIRS = (("PU", "PC"), ("IN", "SA"))

_COLUMN = "hresnet/single"

# Keys of `environment.json` on which the speed of a run depends.
_OF_SPEED = ("cpu", "backend", "devices", "processes")


class Times(NamedTuple):
  """Seconds of a run without compilation, and how often it was started.

  Attributes:
    train: training of all replicas.
    classify: classification of every pixel of every scene.
    starts: more than one if the run was interrupted; the seconds are then those of the last start.
    machine: the values of `environment.json` that determine the speed.
  """

  train: float
  classify: float
  starts: int
  machine: Mapping[str, Any]


class Row(NamedTuple):
  """Two scenes, trained as single tasks and together in one network.

  Attributes:
    scenes: short names.
    alone: times of the two single-task runs, or None if one of them has not finished.
    together: times of the multitask run, or None.
  """

  scenes: tuple[str, str]
  alone: tuple[Times, Times] | None
  together: Times | None


def cells() -> list[Cell]:
  """Returns the cells whose runs the table needs."""
  tables = {target: name for name, target in protocol.TABLES.items()}
  return [
    Cell(tables[target], target, column, SAMPLES_PER_CLASS)
    for one, other in PAIRS
    for target, column in ((one, _COLUMN), (other, _COLUMN), (one, f"hresnet/with/{other}"))
  ]


def read(directory: Path) -> Times:
  """Reads the times of a finished run from its work directory.

  Raises:
    RequestError: its files are damaged or not what a run writes.
  """
  with well_formed(directory / "metrics.json"):
    seconds = read_record(directory, "metrics.json")["seconds"]
    train, classify = (seconds[part] - seconds[f"compile_{part}"] for part in ("train", "classify"))
  with well_formed(directory / "environment.json"):
    environment = read_json(directory / "environment.json", verified=True)
    machine = {key: environment.get(key) for key in _OF_SPEED}
    return Times(train, classify, len(environment["starts"]), machine)


def rows(find: Callable[[Cell], Path | None]) -> list[Row]:
  """Returns the rows of the table; `find` returns the work directory of a cell's finished run, or None."""
  wanted = iter(cells())
  made = []
  for scenes in PAIRS:
    one, other, together = (find(next(wanted)) for _ in range(3))
    alone = (read(one), read(other)) if one and other else None
    made.append(Row(scenes, alone, read(together) if together else None))
  return made


def markdown(rows: Iterable[Row], titles: Mapping[str, str]) -> str:
  """Returns the table as Markdown.

  Args:
    rows: from `rows`.
    titles: titles of the scenes used, by short name.
  """
  lines = [
    "## Table V: seconds of two single-task runs and of one multitask run",
    "",
    "| scenes | | two single-task runs | one multitask run | ratio |",
    "| --- | --- | --- | --- | --- |",
  ]
  notes = []
  for row in rows:
    name = " and ".join(titles[scene] for scene in row.scenes)
    for what in ("train", "classify"):
      lines.append(f"| {name} | {_WORDS[what]} | {' | '.join(_figures(row, what))} |")
    notes += [f"**{name}: {note}**" for note in _notes(row)]
  setting = f"HResNet, {SAMPLES_PER_CLASS} samples per class, all replicas, without compilation. {_UNKNOWN}"
  return "\n\n".join(["\n".join(lines), setting, *notes]) + "\n"


_WORDS = {"train": "training", "classify": "classification"}
_UNKNOWN = (
  "The letter's figures are unknown: our copy of its text ends before the table. The letter states that "
  "multitask learning needs less time."
)


def _notes(row):
  """Yields the reasons why a row is not a valid comparison."""
  runs = [times for times in (*(row.alone or ()), row.together) if times]
  if any(times.starts > 1 for times in runs):
    yield "a run was interrupted and its seconds are those of the last start only, so the row is not valid."
  differing = [key for key in _OF_SPEED if any(times.machine[key] != runs[0].machine[key] for times in runs)]
  if differing:
    yield (
      f"the runs are from different machines ({', '.join(differing)}), so their times cannot be compared; "
      "run the table on one machine, without --shard."
    )


def _figures(row, what):
  alone = [getattr(times, what) for times in row.alone or ()]
  together = [getattr(row.together, what)] if row.together else []
  ratio = f"{sum(alone) / together[0]:.2f}" if alone and together else ""
  return [_seconds(alone), _seconds(together), ratio]


def _seconds(runs):
  return f"{sum(runs):.1f}" if runs else "not run"

"""Table V: times of two single tasks and of one multitask run."""

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
  """Seconds of a run, compilation left out, and how often it was started.

  Attributes:
    train: training of all replicas; None where the run did not tell its compilation apart.
    classify: classification of every pixel of every scene; None likewise.
    starts: more than one where the run was interrupted; its seconds are then those of the last start.
    machine: the values of `environment.json` that determine the speed.
  """

  train: float | None
  classify: float | None
  starts: int
  machine: Mapping[str, Any]


class Row(NamedTuple):
  """Two scenes, each in a separate network and both in one network.

  Attributes:
    scenes: short names.
    alone: times of the two single tasks; None where one has not finished.
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
  train = classify = None
  with well_formed(directory / "metrics.json"):
    seconds = read_record(directory, "metrics.json")["seconds"]
    # Runs once counted the compilation of training and of classification together.
    if "compile_train" in seconds:
      train = seconds["train"] - seconds["compile_train"]
      classify = seconds["classify"] - seconds["compile_classify"]
  with well_formed(directory / "environment.json"):
    environment = read_json(directory / "environment.json", verified=True)
    machine = {key: environment.get(key) for key in _OF_SPEED}
    return Times(train, classify, len(environment["starts"]), machine)


def rows(find: Callable[[Cell], Path | None]) -> list[Row]:
  """The table's rows; `find` gives the work directory of a cell's finished run, or None."""
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
    titles: of the scenes that were used, by short name.
  """
  lines = [
    "## Table V: seconds of two single tasks and of one multitask run",
    "",
    "| scenes | | two single tasks | one multitask run | ratio |",
    "| --- | --- | --- | --- | --- |",
  ]
  notes = []
  for row in rows:
    name = " and ".join(titles[scene] for scene in row.scenes)
    for what in ("train", "classify"):
      lines.append(f"| {name} | {_WORDS[what]} | {' | '.join(_figures(row, what))} |")
    notes += [f"**{name}: {note}**" for note in _notes(row)]
  setting = f"HResNet, {SAMPLES_PER_CLASS} samples per class, all replicas, compilation left out. {_UNKNOWN}"
  return "\n\n".join(["\n".join(lines), setting, *notes]) + "\n"


_WORDS = {"train": "training", "classify": "classification"}
_UNKNOWN = (
  "The paper's own figures are unknown: its source text ends before the table. It says that less time is "
  "needed in multitask learning."
)


def _notes(row):
  """Reasons why a row is not a valid comparison."""
  runs = [times for times in (*(row.alone or ()), row.together) if times]
  if any(times.train is None for times in runs):
    yield (
      "a run is of a version that did not tell the compilation of training from that of classification, so "
      "its seconds are unknown; remove its directory and run it again."
    )
  if any(times.starts > 1 for times in runs):
    yield "a run was interrupted; its seconds are those of its last start only, so the row means nothing."
  differing = [key for key in _OF_SPEED if any(times.machine[key] != runs[0].machine[key] for times in runs)]
  if differing:
    yield (
      f"the runs are of different machines ({', '.join(differing)}), so the row says nothing about the "
      "networks; run the table on one machine, without --shard."
    )


def _figures(row, what):
  alone = [getattr(times, what) for times in row.alone or ()]
  together = [getattr(row.together, what)] if row.together else []
  known = None not in alone and None not in together
  ratio = f"{sum(alone) / together[0]:.2f}" if alone and together and known else ""
  return [_seconds(alone), _seconds(together), ratio]


def _seconds(runs):
  if not runs:
    return "not run"
  return "unknown" if None in runs else f"{sum(runs):.1f}"

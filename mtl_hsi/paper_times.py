"""Table V: the time of two single tasks beside that of one multitask run."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from mtl_hsi import paper, sums
from mtl_hsi.paper_cells import Cell

SAMPLES_PER_CLASS = 10

# The preprint breaks off before the table; the pairs of one sensor are the likely ones [inferred].
PAIRS = (("PU", "PC"), ("IN", "SA"))

_COLUMN = "hresnet/single"


class Times(NamedTuple):
  """Seconds of a run, compilation left out, and how often it was started.

  Attributes:
    train: training of all replicas.
    classify: classification of every pixel of every scene.
    starts: more than one where the run was interrupted; its seconds are then those of the last start.
  """

  train: float
  classify: float
  starts: int


class Row(NamedTuple):
  """Two scenes in networks of their own and in one network.

  Attributes:
    scenes: short names.
    alone: times of the two single tasks; None where one has not finished.
    together: times of the multitask run, or None.
  """

  scenes: tuple[str, str]
  alone: tuple[Times, Times] | None
  together: Times | None


def cells() -> list[Cell]:
  """The cells whose runs the table needs."""
  tables = {target: name for name, target in paper.TABLES.items()}
  return [
    Cell(tables[target], target, column, SAMPLES_PER_CLASS)
    for one, other in PAIRS
    for target, column in ((one, _COLUMN), (other, _COLUMN), (one, f"hresnet/with/{other}"))
  ]


def read(directory: Path) -> Times:
  """Times of a finished run from its work directory; a RequestError where its files are damaged."""
  metrics = json.loads(sums.read(directory, "metrics.json"))["seconds"]
  starts = json.loads(sums.read(directory, "environment.json"))["starts"]
  return Times(metrics["train"] - metrics["compile"], metrics["classify"], len(starts))


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
  """The table as Markdown.

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
  notes = set()
  for row in rows:
    name = " and ".join(titles[scene] for scene in row.scenes)
    for what in ("train", "classify"):
      lines.append(f"| {name} | {_WORDS[what]} | {' | '.join(_figures(row, what))} |")
    notes |= {"interrupted" for times in (*(row.alone or ()), row.together) if times and times.starts > 1}
  lines += [
    "",
    f"HResNet, {SAMPLES_PER_CLASS} samples per class, all replicas, compilation left out. {_UNKNOWN}",
  ]
  if notes:
    lines += [
      "",
      "**A run was interrupted: its seconds are those of its last start only, so its row means nothing.**",
    ]
  return "\n".join(lines) + "\n"


_WORDS = {"train": "training", "classify": "classification"}
_UNKNOWN = (
  "The paper's own figures are unknown: its source text ends before the table. It says that less time is "
  "needed in multitask learning."
)


def _figures(row, what):
  alone = None if row.alone is None else sum(getattr(times, what) for times in row.alone)
  together = None if row.together is None else getattr(row.together, what)
  ratio = None if alone is None or together is None else alone / together
  return [
    "not run" if alone is None else f"{alone:.1f}",
    "not run" if together is None else f"{together:.1f}",
    "" if ratio is None else f"{ratio:.2f}",
  ]

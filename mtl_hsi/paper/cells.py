"""The cells of Tables I-IV, and their trainings. One training can fill several cells."""

import fnmatch
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.paper import protocol, published


class Cell(NamedTuple):
  """A cell of Tables I-IV.

  Attributes:
    table: "I" to "IV".
    target: short name of the table's scene.
    column: as `published.columns_of` names it.
    samples_per_class: the row.
  """

  table: str
  target: str
  column: str
  samples_per_class: int

  @property
  def alone(self) -> "Cell | None":
    """The cell of the same network trained on the target alone; None if this is that cell."""
    model, partners, _, _ = published.parse_column(self.target, self.column)
    return self._replace(column=f"{model}/single") if partners else None


class Training(NamedTuple):
  """The training of one run.

  Attributes:
    scenes: short names in the order of `protocol.SHORT_NAMES`, whatever the target is, so that a run fills
      cells of the tables of all its scenes.
    bands: input channels B.
    model: "svm", "hresnet" or "ccnn".
    spectral_knowledge: whether the scenes share the first layer.
    reversed: short names of the scenes whose bands are reversed.
    samples_per_class: n.
  """

  scenes: tuple[str, ...]
  bands: int
  model: str
  spectral_knowledge: bool
  reversed: tuple[str, ...]
  samples_per_class: int

  @property
  def name(self) -> str:
    """Unique name, valid for a directory: "hresnet-in+sa-160-without-n5"."""
    scenes = "+".join(name.lower() for name in self.scenes)
    kind = [] if self.spectral_knowledge else ["without"]
    kind += [f"inverse_{name.lower()}" for name in self.reversed]
    return "-".join([self.model, scenes, str(self.bands), *kind, f"n{self.samples_per_class}"])


def cells_of(table: str) -> list[Cell]:
  """Returns all 72 cells of a table, "I" to "IV", row by row."""
  target = protocol.TABLES[table]
  columns = published.columns_of(target)
  return [Cell(table, target, column, n) for n in protocol.SAMPLES_PER_CLASS for column in columns]


def select(cells: Iterable[Cell], patterns: Sequence[str], samples_per_class: Sequence[int]) -> list[Cell]:
  """Selects cells by columns and rows.

  Args:
    cells: the cells to select from.
    patterns: columns such as "hresnet/with/*", or "IN:hresnet/with/*" for one target's; none keeps all.
    samples_per_class: rows to keep.

  Raises:
    RequestError: a pattern or a row selects nothing.
  """
  cells = list(cells)
  for pattern in patterns:
    if not any(_fits(cell, pattern) for cell in cells):
      known = ", ".join(dict.fromkeys(cell.column for cell in cells))
      raise RequestError(f"config key cells: no column matches {pattern!r}; the columns are {known}")
  for n in samples_per_class:
    if n not in protocol.SAMPLES_PER_CLASS:
      rows = ", ".join(map(str, protocol.SAMPLES_PER_CLASS))
      raise RequestError(f"config key samples_per_class: the tables have no row {n!r}; the rows are {rows}")
  return [
    cell
    for cell in cells
    if cell.samples_per_class in samples_per_class
    and (not patterns or any(_fits(cell, pattern) for pattern in patterns))
  ]


def _fits(cell, pattern):
  name = f"{cell.target}:{cell.column}" if ":" in pattern else cell.column
  return fnmatch.fnmatchcase(name, pattern)


def training_of(cell: Cell) -> Training:
  """Returns the training that fills a cell."""
  column = published.parse_column(cell.target, cell.column)
  together = {cell.target, *column.partners}
  return Training(
    scenes=tuple(name for name in protocol.SHORT_NAMES.values() if name in together),
    bands=protocol.bands_of(cell.target),
    model=column.model,
    spectral_knowledge=column.spectral_knowledge,
    reversed=column.partners if column.inverse else (),
    samples_per_class=cell.samples_per_class,
  )

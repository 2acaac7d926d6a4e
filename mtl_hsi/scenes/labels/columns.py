"""The columns of a file with features or a table, for users who choose the one with the classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mtl_hsi.scenes.labels import point_table
from mtl_hsi.scenes.labels.label_kinds import Kind, find_kind
from mtl_hsi.scenes.labels.label_set import Reading
from mtl_hsi.scenes.labels.tables import read_table


class Column(NamedTuple):
  """A column: its name, the number of its different values, and the first of them as text."""

  name: str
  count: int
  examples: tuple[str, ...]


class Columns(NamedTuple):
  """The columns of a file.

  Attributes:
    count: number of features or rows.
    nouns: what they are, in singular and plural.
    crs: name of the coordinate reference system of features, or None.
    columns: all columns, without that of geometries.
  """

  count: int
  nouns: tuple[str, str]
  crs: str | None
  columns: tuple[Column, ...]


_EXAMPLES = 6


def list_columns(path: Path, layer: str | None = None) -> Columns | None:
  """Returns the columns of a file, without geometries; None if it is of a kind that has none.

  Args:
    path: a file with labels.
    layer: the layer of features, or None for the only one.

  Raises:
    RequestError: the file cannot be read.
  """
  kind = find_kind(path)
  if kind is Kind.TABLE:
    names, rows = read_table(path)
    columns = [_column(name, [cells.get(name, "") for _, cells in rows]) for name in names]
    return Columns(len(rows), ("row", "rows"), None, tuple(columns))
  if kind is not Kind.FEATURES:
    return None
  # Imported here as it takes a second.
  from mtl_hsi.scenes.labels import vectors

  frame = vectors.read_frame(path, layer)
  names = [name for name in frame.columns if name != frame.geometry.name]
  columns = [_column(str(name), frame[name][frame[name].notna()].tolist()) for name in names]
  crs = None if frame.crs is None else frame.crs.name
  return Columns(len(frame), ("feature", "features"), crs, tuple(columns))


def usual_class_column(path: Path, found: Columns) -> str:
  """Returns the column that has the classes by its name, or as the only one.

  Raises:
    RequestError: it cannot be told.
  """
  names, where = [column.name for column in found.columns], str(path.absolute())
  if find_kind(path) is Kind.TABLE:
    return point_table.class_column(names, Reading(), where)
  from mtl_hsi.scenes.labels import vectors

  return vectors.class_column(names, Reading(), path.suffix.lower(), where)


def _column(name: str, values: Sequence[Any]) -> Column:
  texts = dict.fromkeys(text for text in map(str, values) if text)
  return Column(name, len(texts), tuple(texts)[:_EXAMPLES])

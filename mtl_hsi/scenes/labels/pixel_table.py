"""Labels from a CSV file of pixels: row, column, class and, if wanted, train or test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels import class_table, label_parts
from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels

_CLASS = "class"


def read(path: Path, grid: Grid, columns: Columns, table: ClassTable | None) -> Labels:
  """Reads labelled pixels, whose rows and columns count from 0 at the upper left.

  The header names the columns `row`, `column` and the classes', which are ids or names.

  Args:
    path: the file.
    grid: of the scene.
    columns: names of the classes' column, None: "class"; and of the one that says "train" or "test", or None.
    table: classes by id, or None.

  Raises:
    RequestError: a column is missing, a pixel lies outside the scene, has no class, or is given twice with
      other classes or uses.
  """
  column, split, where = columns.classes or _CLASS, columns.split, str(path.absolute())
  rows = class_table.read_rows(path, ("row", "column", column, *([split] if split else [])))
  pixels = [_pixel(row, grid.shape, f"{where}: line {number}") for number, row in rows]
  for number, row in rows:
    if not row[column]:
      raise RequestError(f"{where}: line {number} has no class in the column {column!r}")
  ids, names = class_table.resolve([row[column] for _, row in rows], table, where)
  numbers = [number for number, _ in rows]
  _check_once(pixels, numbers, [row[column] for _, row in rows], ids, "class", where)
  image = np.zeros(grid.shape, np.int32)
  image[tuple(np.transpose(pixels))] = ids
  if split is None:
    return Labels(image, names)
  uses = [row[split] for _, row in rows]
  tested = label_parts.tested(uses, [f"line {number}" for number in numbers], split, where)
  _check_once(pixels, numbers, uses, tested, "use", where)
  mask = np.zeros(grid.shape, bool)
  mask[tuple(np.transpose(pixels))] = tested
  return Labels(np.where(mask, 0, image), names, test=np.where(mask, image, 0))


def _check_once(
  pixels: Sequence[tuple[int, int]],
  numbers: Sequence[int],
  texts: Sequence[str],
  values: Sequence,
  what: str,
  where: str,
) -> None:
  """Refuses a pixel that stands in two lines with different values."""
  seen = {}
  for pixel, number, text, value in zip(pixels, numbers, texts, values, strict=True):
    first, known = seen.setdefault(pixel, (number, value))
    if known != value:
      raise RequestError(
        f"{where}: line {number}: row {pixel[0]}, column {pixel[1]} is {text!r} here and of another {what} "
        f"in line {first}"
      )


def _pixel(row: dict[str, str], shape: tuple[int, int], where: str) -> tuple[int, int]:
  for key, size in zip(("row", "column"), shape, strict=True):
    if not row[key].isdecimal():
      raise RequestError(f"{where}: {key} is {row[key]!r}; expected a whole number from 0 to {size - 1}")
    # A float takes any number of digits, Python's int does not.
    if float(row[key]) >= size:
      raise RequestError(
        f"{where}: {key} {float(row[key]):.15g} lies outside the scene, whose last {key} is {size - 1}"
      )
  return int(float(row["row"])), int(float(row["column"]))

"""Labels from a CSV file of pixels: row, column, class and, optionally, train or test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.class_names import resolve_ids
from mtl_hsi.scenes.labels.class_table import ClassTable, read_rows
from mtl_hsi.scenes.labels.combine import parse_split
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels

_CLASS = "class"


def read_pixel_table(path: Path, grid: Grid, columns: Columns, table: ClassTable | None) -> Labels:
  """Reads labelled pixels, whose rows and columns count from 0 at the upper left. Every row is a unit.

  Args:
    path: CSV file with the columns `row`, `column` and those of `columns`; classes are ids or names.
    grid: grid of the scene.
    columns: the column of the classes, "class" if None, and the one of the split, or None.
    table: classes by id, or None.

  Raises:
    RequestError: a column is missing, or a pixel is outside the scene, has no class, or is listed twice with
      different classes or splits.
  """
  column, split, where = columns.classes or _CLASS, columns.split, str(path.absolute())
  rows = read_rows(path, ("row", "column", column, *([split] if split else [])))
  pixels = [_pixel(row, grid.shape, f"{where}: line {number}") for number, row in rows]
  for number, row in rows:
    if not row[column]:
      raise RequestError(f"{where}: line {number} has no class in the column {column!r}")
  ids, names = resolve_ids([row[column] for _, row in rows], table, where)
  numbers = [number for number, _ in rows]
  _check_unique(pixels, numbers, [row[column] for _, row in rows], ids, column, where)
  image = np.zeros(grid.shape, np.int32)
  image[tuple(np.transpose(pixels))] = ids
  # Of equal rows the last one counts, as in the label image.
  units = np.zeros(grid.shape, np.int32)
  units[tuple(np.transpose(pixels))] = np.where(np.array(ids) > 0, np.arange(1, len(rows) + 1), 0)
  if split is None:
    return Labels(image, names, units=units)
  uses = [row[split] for _, row in rows]
  tested = parse_split(uses, [f"line {number}" for number in numbers], split, where)
  _check_unique(pixels, numbers, uses, tested, split, where)
  mask = np.zeros(grid.shape, bool)
  mask[tuple(np.transpose(pixels))] = tested
  return Labels(np.where(mask, 0, image), names, test=np.where(mask, image, 0), units=units)


def _check_unique(
  pixels: Sequence[tuple[int, int]],
  numbers: Sequence[int],
  texts: Sequence[str],
  values: Sequence,
  column: str,
  where: str,
) -> None:
  """Rejects a pixel that has different values in two lines."""
  seen = {}
  for pixel, number, text, value in zip(pixels, numbers, texts, values, strict=True):
    first, known = seen.setdefault(pixel, (number, value))
    if known != value:
      raise RequestError(
        f"{where}: line {number}: row {pixel[0]}, column {pixel[1]} has {text!r} in the column {column!r}, "
        f"but another value in line {first}"
      )


def _pixel(row: dict[str, str], shape: tuple[int, int], where: str) -> tuple[int, int]:
  for key, size in zip(("row", "column"), shape, strict=True):
    if not row[key].isdecimal():
      raise RequestError(f"{where}: {key} is {row[key]!r}; expected a whole number from 0 to {size - 1}")
    # int() limits the number of digits, float() does not.
    if float(row[key]) >= size:
      raise RequestError(
        f"{where}: {key} {float(row[key]):.15g} is outside the scene; its last {key} is {size - 1}"
      )
  return int(float(row["row"])), int(float(row["column"]))

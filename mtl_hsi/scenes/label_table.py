"""Labels from a CSV file of pixels: row, column, class."""

from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import class_table
from mtl_hsi.scenes.class_table import ClassTable
from mtl_hsi.scenes.labels import Grid, Labels

_CLASS = "class"


def read(path: Path, grid: Grid, column: str | None, table: ClassTable | None) -> Labels:
  """Reads labelled pixels, whose rows and columns count from 0 at the upper left.

  The header names the columns `row`, `column` and the classes', which are ids or names.

  Args:
    path: the file.
    grid: of the scene.
    column: name of the classes' column; None: "class".
    table: classes by id, or None.

  Raises:
    RequestError: a column is missing, a pixel lies outside the scene or has two classes, or has none.
  """
  column, where = column or _CLASS, str(path.absolute())
  rows = class_table.read_rows(path, ("row", "column", column))
  pixels = [_pixel(row, grid.shape, f"{where}: line {number}") for number, row in rows]
  for number, row in rows:
    if not row[column]:
      raise RequestError(f"{where}: line {number} has no class in the column {column!r}")
  ids, names = class_table.resolve([row[column] for _, row in rows], table, where)
  image = np.zeros(grid.shape, np.int32)
  seen = {}
  for (number, row), pixel, class_id in zip(rows, pixels, ids, strict=True):
    first, known = seen.setdefault(pixel, (number, class_id))
    if known != class_id:
      raise RequestError(
        f"{where}: line {number}: row {pixel[0]}, column {pixel[1]} is {row[column]!r} here and of another "
        f"class in line {first}"
      )
    image[pixel] = class_id
  return Labels(image, names)


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

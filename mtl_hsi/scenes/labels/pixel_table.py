"""Labels from a table of pixels: row, column, class and, optionally, train or test."""

from collections.abc import Sequence

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.class_names import resolve_classes
from mtl_hsi.scenes.labels.combine import parse_split
from mtl_hsi.scenes.labels.label_set import Grid, Labels, Reading
from mtl_hsi.scenes.labels.tables import Row, whole_number

NOUNS = "row", "rows"


def label_pixels(
  rows: Sequence[Row], names: tuple[str, str], column: str, grid: Grid, reading: Reading, where: str
) -> Labels:
  """Labels pixels, whose rows and columns count from 0 at the upper left. Every row of the table is a unit.

  Args:
    rows: the rows of the table.
    names: its columns with the row and the column of the pixel.
    column: its column with the class.
    grid: grid of the scene.
    reading: further options.
    where: the file, for messages.

  Raises:
    RequestError: a pixel is outside the scene, or is listed twice with different classes or splits.
  """
  classes = resolve_classes([row.get(column) for _, row in rows], reading, NOUNS, where)
  rows = [row for row, keep in zip(rows, classes.kept) if keep]
  pixels = [_pixel(row, names, grid.shape, f"{where}: line {number}") for number, row in rows]
  places = tuple(np.transpose(pixels))
  numbers = [number for number, _ in rows]
  _check_unique(pixels, numbers, [row[column] for _, row in rows], classes.ids.tolist(), column, where)
  image, units = np.zeros(grid.shape, np.int32), np.zeros(grid.shape, np.int32)
  image[places] = classes.ids
  # Of equal rows the last one counts, as in the label image.
  units[places] = np.flatnonzero(classes.kept) + 1
  labels = Labels(image, classes.names, None, classes.remarks, units=units, codes=classes.codes)
  if reading.split is None:
    return labels
  uses = [row.get(reading.split, "") for _, row in rows]
  tested = parse_split(uses, [f"line {number}" for number in numbers], reading.split, where)
  _check_unique(pixels, numbers, uses, tested, reading.split, where)
  mask = np.zeros(grid.shape, bool)
  mask[places] = tested
  return labels._replace(image=np.where(mask, 0, image), test=np.where(mask, image, 0))


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


def _pixel(
  row: dict[str, str], names: tuple[str, str], shape: tuple[int, int], where: str
) -> tuple[int, int]:
  found = []
  for kind, name, size in zip(("row", "column"), names, shape, strict=True):
    cell = row.get(name, "")
    number = whole_number(cell)
    if number is None:
      raise RequestError(f"{where}: {kind} is {cell!r}; expected a whole number from 0 to {size - 1}")
    if number >= size:
      raise RequestError(f"{where}: {kind} {number} is outside the scene; its last {kind} is {size - 1}")
    found.append(number)
  return found[0], found[1]

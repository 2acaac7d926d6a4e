"""Text tables with a header: rows of cells, separated by commas, semicolons, tabs or blanks."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

# The separator of a table is the first of these in its header.
_SEPARATORS = (";", "\t", ",", " ")
# The most memory, in bytes, for a byte of a table: that of rows with a single character.
MEMORY_RATIO = 160

_WHOLE = re.compile(r"\+?([0-9]{1,15})(\.0*)?")
_REAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,30})?(e[+-]?[0-9]{1,2})?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]{1,15},[0-9]{1,30}")

Row = tuple[int, dict[str, str]]


def read_rows(path: Path, needed: Sequence[str]) -> list[Row]:
  """Reads a table whose first line names the columns.

  Args:
    path: the file.
    needed: names of the columns that it must have.

  Returns:
    The line number and the cells of each row, by column.

  Raises:
    RequestError: the file is missing, too large, empty or not text, or lacks one of the needed columns.
  """
  columns, rows = read_table(path)
  missing = [column for column in needed if column not in columns]
  if missing:
    raise RequestError(
      f"{path.absolute()} has no column {', '.join(map(repr, missing))} (columns: "
      f"{', '.join(columns) or 'none'}); its first line must name the columns"
    )
  check_rows(path, rows)
  # Without other missing cells: short rows below a header of many columns would fill the memory.
  return [(number, dict.fromkeys(needed, "") | cells) for number, cells in rows]


def read_table(path: Path) -> tuple[list[str], list[Row]]:
  """Returns the names of the columns, and the line number and cells of each row; short rows lack cells.

  Raises:
    RequestError: the file is missing, too large, empty or not text.
  """
  try:
    memory.check_file(path, MEMORY_RATIO)
    with path.open(newline="", encoding="utf-8-sig") as file:
      head = file.readline()
      separator = next((mark for mark in _SEPARATORS if mark in head.strip()), ",")
      file.seek(0)
      reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
      columns = [title.strip() for title in next(reader, ())]
      rows = [(reader.line_num, _cells(columns, row)) for row in reader if any(map(str.strip, row))]
  # A path with a null character and text in another encoding both raise a ValueError.
  except (OSError, ValueError, csv.Error) as error:
    advice = "; save it as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else ""
    raise RequestError(f"cannot read {path.absolute()} as a table: {error}{advice}") from error
  return columns, rows


def check_rows(path: Path, rows: Sequence[Row]) -> None:
  """Raises a RequestError if a table has no rows."""
  if not rows:
    raise RequestError(f"{path.absolute()} has no rows below its header")


def _cells(columns: Sequence[str], row: Sequence[str]) -> dict[str, str]:
  return {key: cell.strip() for key, cell in zip(columns, row, strict=False)}


def whole_number(cell: str) -> int | None:
  """Returns a whole number of at most 15 digits, also written as 12.0, or None for any other text."""
  found = _WHOLE.fullmatch(cell)
  return int(found[1]) if found else None


def real_number(cell: str) -> float | None:
  """Returns a finite number, also with a decimal comma, or None for any other text."""
  text = cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell
  return float(text) if _REAL.fullmatch(text) else None

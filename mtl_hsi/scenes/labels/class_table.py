"""CSV files: the table of classes, and the rows of any table with a header."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

RGB = tuple[int, int, int]
# Rasters store class ids in 16 bits.
LARGEST_ID = 2**16 - 1

_COLOUR_COLUMNS = ("colour", "color")
# Characters of a cell to show in a message.
_SHOWN = 40
# The most memory, in bytes, for a byte of a table: that of rows with a single character.
_MEMORY_RATIO = 160


class ClassTable(NamedTuple):
  """Classes by id.

  Attributes:
    names: all names.
    colours: red, green and blue, 0 to 255, of the classes that have a colour.
    extensible: whether further names may occur; they get the following ids.
  """

  names: Mapping[int, str]
  colours: Mapping[int, RGB]
  extensible: bool = False


def read_class_table(path: Path) -> ClassTable:
  """Reads a CSV file with the columns id, name and, optionally, colour as #rrggbb.

  Raises:
    RequestError: the file is missing, is no such table, or lists an id or a name twice.
  """
  names, colours = {}, {}
  for number, row in read_rows(path, ("id", "name")):
    where = f"{path.absolute()}: line {number}"
    # int() limits the number of digits, float() does not.
    if not (row["id"].isdecimal() and float(row["id"]) <= LARGEST_ID and row["name"]):
      raise RequestError(
        f"{where} has id {row['id'][:_SHOWN]!r} and name {row['name'][:_SHOWN]!r}; expected an id up to "
        f"{LARGEST_ID} and a name"
      )
    class_id = int(float(row["id"]))
    if class_id in names or row["name"] in names.values():
      raise RequestError(f"{where}: class {class_id} ({row['name']!r}) is listed twice")
    names[class_id] = row["name"]
    colour = next((row[key] for key in _COLOUR_COLUMNS if row.get(key)), None)
    if colour:
      colours[class_id] = _parse_colour(colour, where)
  return ClassTable(names, colours)


def read_rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
  """Reads a CSV file with a header; commas or semicolons separate its columns.

  Returns:
    The line number and the cells of each row, by column.

  Raises:
    RequestError: the file is missing, too large, empty or not text, or lacks one of the needed columns.
  """
  try:
    memory.check_file(path, _MEMORY_RATIO)
    with path.open(newline="", encoding="utf-8-sig") as file:
      separator = ";" if ";" in file.readline() else ","
      file.seek(0)
      reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
      columns = [title.strip() for title in next(reader, ())]
      # Without missing cells: short rows below a header of many columns would fill the memory.
      rows = [(reader.line_num, _cells(columns, row, needed)) for row in reader if row]
  # A path with a null character and text in another encoding both raise a ValueError.
  except (OSError, ValueError, csv.Error) as error:
    advice = "; save it as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else ""
    raise RequestError(f"cannot read {path.absolute()} as a table: {error}{advice}") from error
  missing = [column for column in needed if column not in columns]
  if missing:
    raise RequestError(
      f"{path.absolute()} has no column {', '.join(map(repr, missing))} (columns: "
      f"{', '.join(columns) or 'none'}); its first line must name the columns"
    )
  if not rows:
    raise RequestError(f"{path.absolute()} has no rows below its header")
  return rows


def _cells(columns: Sequence[str], row: Sequence[str], needed: Sequence[str]) -> dict[str, str]:
  return dict.fromkeys(needed, "") | {key: cell.strip() for key, cell in zip(columns, row, strict=False)}


def _parse_colour(text: str, where: str) -> RGB:
  if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
    raise RequestError(f"{where}: the colour is {text!r}; expected #rrggbb, such as #1a9641")
  return tuple(bytes.fromhex(text[1:]))

"""Classes by id or by name, and the table that says which is which."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

RGB = tuple[int, int, int]

_COLOUR_COLUMNS = ("colour", "color")
# Rasters hold class ids in 16 bits.
_LARGEST_ID = 2**16 - 1
# Characters of a cell that a message shows.
_SHOWN = 40
# Bytes that a byte of a table, one in a row of two at worst, can become.
_RATIO = 160
_WHOLE = re.compile(r"-?\d+(\.0*)?")


class ClassTable(NamedTuple):
  """Names, and colours of those that have one, by class id; whether there may be others, with later ids."""

  names: Mapping[int, str]
  colours: Mapping[int, RGB]
  more: bool = False


def read(path: Path) -> ClassTable:
  """Reads a CSV file with the columns id, name and, if wanted, colour as #rrggbb.

  Raises:
    RequestError: the file is missing or no such table, or an id or name stands in it twice.
  """
  where = str(path.absolute())
  names, colours = {}, {}
  for number, row in read_rows(path, ("id", "name")):
    # A float takes any number of digits, Python's int does not.
    if not (row["id"].isdecimal() and float(row["id"]) <= _LARGEST_ID and row["name"]):
      raise RequestError(
        f"{where}: line {number}: {row['id'][:_SHOWN]!r}, {row['name'][:_SHOWN]!r}; expected an id and a name"
        f", ids up to {_LARGEST_ID}"
      )
    class_id = int(float(row["id"]))
    if class_id in names or row["name"] in names.values():
      raise RequestError(f"{where}: line {number}: class {class_id}, {row['name']!r}, stands there twice")
    names[class_id] = row["name"]
    colour = next((row[key] for key in _COLOUR_COLUMNS if row.get(key)), None)
    if colour:
      colours[class_id] = _parse_colour(colour, f"{where}: line {number}")
  return ClassTable(names, colours)


def read_rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
  """Rows of a CSV file with a header, each with its line's number; commas or semicolons separate columns.

  Raises:
    RequestError: the file is missing, too large, empty or no text, or lacks a column, listing those it has.
  """
  try:
    memory.check_file(path, _RATIO)
    with path.open(newline="", encoding="utf-8-sig") as file:
      separator = ";" if ";" in file.readline() else ","
      file.seek(0)
      reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
      columns = [title.strip() for title in next(reader, ())]
      # Only cells that are there: rows of one cell below a header of many columns would fill the memory.
      rows = [(reader.line_num, _cells(columns, row, needed)) for row in reader if row]
  # A path with a null character is a ValueError, as is text of another encoding.
  except (OSError, ValueError, csv.Error) as error:
    advice = "; save it as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else ""
    raise RequestError(f"cannot read {path.absolute()} as a table: {error}{advice}") from error
  missing = [column for column in needed if column not in columns]
  if missing:
    raise RequestError(
      f"{path.absolute()} has no column {', '.join(map(repr, missing))}; its first line must name the "
      f"columns, and names {', '.join(columns) or 'none'}"
    )
  if not rows:
    raise RequestError(f"{path.absolute()} has no rows below its header")
  return rows


def resolve(
  values: Sequence, table: ClassTable | None, where: str
) -> tuple[list[int], dict[int, str] | None]:
  """Class ids of values that are ids or names.

  Where all are whole numbers they are ids. Names get the ids of the table, or 1, 2, ... in sorted order, as
  do those that a table allows for beyond its own, after the last of these.

  Args:
    values: numbers or texts, none missing.
    table: classes by id, or None.
    where: the source, for messages.

  Returns:
    An id for every value, and the names by id where the values are names.

  Raises:
    RequestError: an id is negative or too large, or a name is not in the table.
  """
  texts = [str(value).strip() for value in values]
  if all(map(_WHOLE.fullmatch, texts)):
    # Infinite where there are more digits than a float has room for.
    ids = [float(text) for text in texts]
    for class_id in (min(ids), max(ids)):
      if not 0 <= class_id <= _LARGEST_ID:
        raise RequestError(f"{where}: class id {class_id:.15g}; expected 0 (unlabelled) to {_LARGEST_ID}")
    return [int(class_id) for class_id in ids], None
  if table is None:
    ids = {name: class_id for class_id, name in enumerate(sorted(set(texts)), start=1)}
  else:
    ids = {name: class_id for class_id, name in table.names.items()}
  unknown = sorted(set(texts) - set(ids))
  if unknown and table.more:
    ids |= {name: class_id for class_id, name in enumerate(unknown, start=max(ids.values(), default=0) + 1)}
  elif unknown:
    raise RequestError(
      f"{where}: classes {', '.join(map(repr, unknown))} are not in the table of classes, which has "
      f"{', '.join(map(repr, ids))}"
    )
  return [ids[text] for text in texts], {ids[text]: text for text in sorted(set(texts))}


def _cells(columns: Sequence[str], row: Sequence[str], needed: Sequence[str]) -> dict[str, str]:
  return dict.fromkeys(needed, "") | {key: cell.strip() for key, cell in zip(columns, row, strict=False)}


def _parse_colour(text: str, where: str) -> RGB:
  if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
    raise RequestError(f"{where}: the colour is {text!r}; expected #rrggbb, such as #1a9641")
  return tuple(bytes.fromhex(text[1:]))

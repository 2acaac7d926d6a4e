"""The table of classes: numbers, names and colours."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.tables import read_rows

RGB = tuple[int, int, int]
# Rasters store class ids in 16 bits.
LARGEST_ID = 2**16 - 1

_COLOUR_COLUMNS = ("colour", "color")
# Characters of a cell to show in a message.
_SHOWN = 40
_NUMBER = re.compile(r"(\d{1,15})(\.0*)?")
# Entries for a class that a person could not identify.
UNSURE = ("?", "unsure")
# Names of 0 that say that it is no class.
_UNLABELLED = ("unclassified", "unlabelled", "unlabeled", "background", "nodata", "no data", "undefined")


class ClassTable(NamedTuple):
  """Classes by id.

  Attributes:
    names: all names.
    colours: red, green and blue, 0 to 255, of the classes that have a colour.
    codes: number in the files of the classes whose id is another one (see `class_codes`).
    extensible: whether further names may occur; they get the following ids.
  """

  names: Mapping[int, str]
  colours: Mapping[int, RGB]
  codes: Mapping[int, int] = MappingProxyType({})
  extensible: bool = False


def read_class_table(path: Path) -> ClassTable:
  """Reads a CSV file with the columns id, name and, optionally, colour as #rrggbb.

  An id is the number of the class in the labels. Numbers that cannot be ids of outputs, as 0 and those above
  65535, get the next ids after the largest one. A line that names 0 "unclassified" or the like is no class.

  Raises:
    RequestError: the file is missing, is no such table, or lists an id or a name twice.
  """
  names, colours = {}, {}
  for number, row in read_rows(path, ("id", "name")):
    where = f"{path.absolute()}: line {number}"
    found = _NUMBER.fullmatch(row["id"])
    if not (found and row["name"]):
      raise RequestError(
        f"{where} has id {row['id'][:_SHOWN]!r} and name {row['name'][:_SHOWN]!r}; expected a whole number "
        "of at most 15 digits and a name"
      )
    code = int(found[1])
    if code == 0 and is_unlabelled_name(row["name"]):
      continue
    if code in names or row["name"] in names.values():
      raise RequestError(f"{where}: class {code} ({row['name']!r}) is listed twice")
    names[code] = row["name"]
    colour = next((row[key] for key in _COLOUR_COLUMNS if row.get(key)), None)
    if colour:
      colours[code] = _parse_colour(colour, where)
  return _with_ids(names, colours, str(path.absolute()))


def is_unlabelled_name(name: str) -> bool:
  """Returns whether a name of 0 says that it is no class."""
  return name.strip().lower() in _UNLABELLED


def free_ids(taken: Collection[int], count: int, where: str) -> list[int]:
  """Returns ids that are not taken: those after the largest one, and then the gaps.

  Raises:
    RequestError: there are too few.
  """
  largest = max(taken, default=0)
  # Gaps are needed only if the ids end.
  ids = [*range(largest + 1, min(largest + count, LARGEST_ID) + 1)]
  if len(ids) < count:
    ids += [i for i in range(1, largest) if i not in taken][: count - len(ids)]
  if len(ids) < count:
    raise RequestError(f"{where}: more than {LARGEST_ID} classes; expected one value for every class")
  return ids


def _with_ids(names: dict[int, str], colours: dict[int, RGB], where: str) -> ClassTable:
  """Returns the table of classes by id, of those by number."""
  others = [code for code in names if not 0 < code <= LARGEST_ID]
  ids = {code: code for code in names if 0 < code <= LARGEST_ID}
  ids |= dict(zip(others, free_ids(set(ids), len(others), where), strict=True))
  return ClassTable(
    {ids[code]: name for code, name in names.items()},
    {ids[code]: colour for code, colour in colours.items()},
    {ids[code]: code for code in others},
  )


def _parse_colour(text: str, where: str) -> RGB:
  if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
    raise RequestError(f"{where}: the colour is {text!r}; expected #rrggbb, such as #1a9641")
  return tuple(bytes.fromhex(text[1:]))

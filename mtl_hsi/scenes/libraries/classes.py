"""Which spectra of a library are samples of which class: a column of the library, or a table of names."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.tables import read_rows
from mtl_hsi.scenes.libraries.spectra import Spectra

_COLUMNS = ("class", "label", "class_id", "class_name")
# Characters of a title to show in a message.
_SHOWN = 40
_NAME, _CLASS = "name", "class"


def find_classes(spectra: Spectra, table: Path | None, column: str | None) -> list[str]:
  """Returns the class of every spectrum, an id or a name; "" for spectra that are not used.

  Args:
    spectra: of the library.
    table: CSV file with the columns name and class, or None.
    column: column of the library with the classes, if there is no table. None finds it.

  Raises:
    RequestError: the classes cannot be found, or the table lists a name that the library lacks.
  """
  if table is None:
    return _from_column(spectra, column)
  if column is not None:
    raise RequestError(f"{spectra.origin}: library_classes and library_column both give classes; remove one")
  return _from_table(spectra, table)


def _from_column(spectra: Spectra, column: str | None) -> list[str]:
  if not spectra.columns:
    raise RequestError(
      f"{spectra.origin} has no columns with classes; list the spectra to use in a CSV file with the columns "
      "name and class, and give it as library_classes"
    )
  titles = {title.lower(): title for title in reversed(spectra.columns)}
  wanted = _COLUMNS if column is None else (column.strip().lower(),)
  found = next((titles[title] for title in wanted if title in titles), None)
  if found is None:
    expected = "one of them"
    if column is None:
      expected = "library_column, or a CSV file of name and class as library_classes"
    sought = " or ".join(repr(title[:_SHOWN]) for title in wanted)
    raise RequestError(
      f"{spectra.origin}: no column {sought} has the classes (columns: "
      f"{', '.join(title[:_SHOWN] for title in list(spectra.columns)[:20])}); give {expected}"
    )
  return list(spectra.columns[found])


def _from_table(spectra: Spectra, table: Path) -> list[str]:
  where = str(table.absolute())
  if spectra.names is None:
    raise RequestError(
      f"{spectra.origin} has not one name for each of its {len(spectra.values)} spectra, so {where} "
      "(library_classes) cannot refer to them"
    )
  classes = {}
  for number, row in read_rows(table, (_NAME, _CLASS)):
    known = classes.setdefault(row[_NAME], row[_CLASS])
    if known != row[_CLASS]:
      raise RequestError(
        f"{where}: line {number} has another class for {row[_NAME][:_SHOWN]!r} than a line above"
      )
  unknown = [name for name in classes if name not in set(spectra.names)]
  if unknown:
    raise RequestError(
      f"{where} (library_classes): the library has no spectrum {unknown[0][:_SHOWN]!r}"
      f"{_hint(unknown[0], spectra.names)}"
    )
  return [classes.get(name, "") for name in spectra.names]


def _hint(name: str, names: Sequence[str]) -> str:
  # Comparing with thousands of names takes long.
  close = difflib.get_close_matches(name, names[:1000], n=1) or list(names[:1])
  return f"; it has {close[0][:_SHOWN]!r}" if close else ""

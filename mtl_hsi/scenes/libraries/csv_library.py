"""Spectral libraries as tables: a spectrum a row with a column for each wavelength, or the transposed."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import wavelengths
from mtl_hsi.scenes.libraries.spectra import Spectra, make_spectra
from mtl_hsi.storage import memory

# Characters of a title or cell to show in a message.
_SHOWN = 40
# The most memory, in bytes, for a byte of a table: that of rows with a single character.
_MEMORY_RATIO = 160
_SEPARATORS = (";", "\t", ",")
# A column of values is named after its wavelength, such as "650", "X650", "650.5 nm" or "wl_0.65um".
_WAVELENGTH = re.compile(
  r"(?:x|wl|w|wavelength|r|refl|reflectance|nm)?[ _.]*([0-9]{1,6}(?:[.,][0-9]{1,10})?)"
  r"[ _]*(nm|[uµμ]m|nanomet(?:er|re)s?|micromet(?:er|re)s?|microns?)?",
  re.IGNORECASE,
)
_NAMES = re.compile(
  r"(spectr(um|a)[ _]*)?(names?|ids?|titles?)|spectr(um|a)|samples?|file[ _]*names?", re.IGNORECASE
)
# The title of a first column with the wavelengths.
_TRANSPOSED = re.compile(r"wave|lambda|^\s*(wl|nm|um|µm)\b", re.IGNORECASE)
_MISSING = ("", "nan", "na", "n/a", "null", "none")


def read_csv_library(path: Path) -> Spectra:
  """Reads a table of spectra.

  Columns whose titles are wavelengths have the values; all others describe the spectra. If the first column
  has the wavelengths, the table is transposed. Semicolons, tabs or commas separate columns; with the first
  two, numbers may have decimal commas. Empty cells are missing values.

  Raises:
    RequestError: the file cannot be read, or has no wavelengths, no spectra, or cells that are no numbers.
  """
  where, grid = str(path.absolute()), _read_grid(path)
  if _is_transposed(grid):
    grid = [list(column) for column in zip(*grid, strict=True)]
  titles, *rows = grid
  found = _wavelength_columns(titles)
  if len(found) < 2:
    listed = ", ".join(title[:_SHOWN] for title in titles[:8])
    raise RequestError(
      f"{where} has no columns of wavelengths (columns: {listed}); expected titles such as 450 or 450.5 nm, "
      "a spectrum in every row below, or wavelengths in the first column"
    )
  if not rows:
    raise RequestError(f"{where} has no spectra; expected one in every row below the titles")
  units = {unit for _, unit in found.values()} - {None}
  if len({wavelengths.parse_unit(unit, where) for unit in units}) > 1:
    raise RequestError(f"{where}: its titles mix units of wavelength; use one unit")
  centres = np.array([centre for centre, _ in found.values()])
  bands = wavelengths.convert_to_nm(centres, None, next(iter(units), ""), where)
  columns = {title: [row[index] for row in rows] for index, title in enumerate(titles) if index not in found}
  return make_spectra(_values(rows, list(found), titles, where), bands, _names(columns), columns, where)


def _read_grid(path: Path) -> list[list[str]]:
  """Returns the cells of all rows that are not empty, equally many in every row."""
  try:
    memory.check_file(path, _MEMORY_RATIO)
    with path.open(newline="", encoding="utf-8-sig") as file:
      head = file.readline()
      separator = next((mark for mark in _SEPARATORS if mark in head), ",")
      file.seek(0)
      reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
      grid = []
      for row in reader:
        if not any(map(str.strip, row)):
          continue
        if grid and len(row) != len(grid[0]):
          raise RequestError(
            f"{path.absolute()}: line {reader.line_num} has {len(row)} columns, and the first line "
            f"{len(grid[0])}; expected equally many"
          )
        grid.append([cell.strip() for cell in row])
  # A path with a null character and text in another encoding both raise a ValueError.
  except (OSError, ValueError, csv.Error) as error:
    advice = "; save it as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else ""
    raise RequestError(f"cannot read {path.absolute()} as a table: {error}{advice}") from error
  if not grid:
    raise RequestError(f"{path.absolute()} is empty; expected a table of spectra")
  if separator != ",":
    grid = [[re.sub(r"^([+-]?[0-9]+),([0-9]+)$", r"\1.\2", cell) for cell in row] for row in grid]
  return grid


def _is_transposed(grid: Sequence[Sequence[str]]) -> bool:
  """Returns whether the first column has the wavelengths; the titles may then be numbers of spectra."""
  if len(_wavelength_columns([row[0] for row in grid])) < 2:
    return False
  return len(_wavelength_columns(grid[0])) < 2 or bool(_TRANSPOSED.search(grid[0][0]))


def _wavelength_columns(titles: Sequence[str]) -> dict[int, tuple[float, str | None]]:
  """Returns the wavelength and its unit, or None, by the index of the column."""
  matches = ((index, _WAVELENGTH.fullmatch(title)) for index, title in enumerate(titles))
  return {index: (float(found[1].replace(",", ".")), found[2]) for index, found in matches if found}


def _names(columns: dict[str, list[str]]) -> list[str] | None:
  """Returns the column with the names of the spectra: the first with such a title, or the first one."""
  title = next((title for title in columns if _NAMES.fullmatch(title)), next(iter(columns), None))
  return columns.get(title)


def _values(
  rows: Sequence[Sequence[str]], indices: Sequence[int], titles: Sequence[str], where: str
) -> np.ndarray:
  """Returns the values of all rows, float32 `[n, L]`."""
  values = np.empty((len(rows), len(indices)), np.float32)
  for number, row in enumerate(rows):
    cells = [row[index] for index in indices]
    try:
      with np.errstate(over="ignore"):
        values[number] = [np.nan if cell.lower() in _MISSING else float(cell) for cell in cells]
    except ValueError:
      bad = next(index for index in indices if not _is_value(row[index]))
      raise RequestError(
        f"{where}: spectrum {number + 1} has {row[bad][:_SHOWN]!r} in the column {titles[bad][:_SHOWN]!r}; "
        "expected a number"
      ) from None
  return values


def _is_value(cell: str) -> bool:
  try:
    return cell.lower() in _MISSING or float(cell) is not None
  except ValueError:
    return False

"""Wavelengths of bands from a CSV file or from the METADATA.XML of an EnMAP image."""

import re
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import wavelengths, xml_files
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.storage import memory

# The most memory, in bytes, for a byte of text: that of rows with a single character.
_MEMORY_RATIO = 80
_CENTRE = re.compile(r"centre|center|wave|lambda|λ|^\s*(nm|um|wl)\s*$", re.IGNORECASE)
_WIDTH = re.compile(r"width|fwhm", re.IGNORECASE)
_UNIT = re.compile(
  r"(?<![a-z])(nm|nanomet(?:er|re)s?|[uµμ]m|micromet(?:er|re)s?|microns?)(?![a-z])", re.IGNORECASE
)


def read_wavelength_table(
  path: Path, bands: int, unit: str | None, kept: np.ndarray | slice = slice(None)
) -> Wavelengths:
  """Reads one row per band with its centre and, optionally, its width.

  The separator is a comma, semicolon, tab or blank. With semicolons or tabs, numbers may have decimal commas.
  The optional header may name the unit, such as "wavelength (um), fwhm (um)"; it is needed to identify the
  two columns if there are more. Empty lines, those starting with # and a first column that numbers the bands
  are ignored. An .xml file must be EnMAP's METADATA.XML.

  Args:
    path: the file.
    bands: number of bands in the image file, including bad ones.
    unit: "nm" or "um"; None uses that of the header, or infers it from the values.
    kept: indices of the bands to return.

  Raises:
    RequestError: the file is missing, is no such table, or has not one row per band.
  """
  where = str(path.absolute())
  header, rows = _read_enmap(path) if path.suffix.lower() == ".xml" else _read_text(path)
  centre, width = _columns(header, rows, where)
  if len(rows) != bands:
    raise RequestError(f"{where} has wavelengths for {len(rows)} bands, but the image has {bands} bands")
  centres = _column(rows, centre, where)
  widths = None if width is None else _column(rows, width, where)
  unit = _unit(header, (centre, width), unit, where)
  return wavelengths.convert_to_nm(centres, widths, unit, where, kept)


def _read_text(path: Path) -> tuple[list[str], list[list[str]]]:
  """Returns the header, which may be empty, and the rows."""
  try:
    memory.check_file(path, _MEMORY_RATIO)
    text = path.read_text("utf-8-sig")
  except (OSError, ValueError) as error:
    raise RequestError(f"cannot read wavelengths from {path.absolute()}: {error}") from error
  lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
  separator = _separator(lines[-1]) if lines else None
  rows = [[cell.strip().strip('"') for cell in line.split(separator)] for line in lines]
  if separator in (";", "\t"):
    rows = [[_with_point(cell) for cell in row] for row in rows]
  header = rows.pop(0) if rows and not any(map(_is_number, rows[0])) else []
  if rows and len(header) not in (0, len(rows[0])):
    # Blanks separate the columns, but also words within a title.
    header = [lines[0]]
  if not rows:
    raise RequestError(f"{path.absolute()} has no wavelengths; expected one row per band: centre[, width]")
  return header, rows


def _read_enmap(path: Path) -> tuple[list[str], list[list[str]]]:
  try:
    root = xml_files.read_xml(path)
  except (OSError, ValueError) as error:
    raise RequestError(f"cannot read wavelengths from {path.absolute()}: {error}") from error
  bands = root.findall("specific/bandCharacterisation/bandID")
  keys = ("wavelengthCenterOfBand", "FWHMOfBand")
  rows = [[band.findtext(key, "").strip() for key in keys] for band in bands]
  if not rows:
    raise RequestError(f"{path.absolute()} describes no bands; expected the METADATA.XML of an EnMAP product")
  return ["wavelength (nm)", "fwhm (nm)"], rows


def _columns(header: list[str], rows: list[list[str]], where: str) -> tuple[int, int | None]:
  """Returns the indices of the columns with the centres and, if there is one, with the widths."""
  count = len(rows[0])
  widths = [index for index, title in enumerate(header) if _WIDTH.search(title)]
  centres = [index for index, title in enumerate(header) if _CENTRE.search(title) and index not in widths]
  if len(centres) == 1 and len(widths) <= 1:
    return centres[0], widths[0] if widths else None
  # The first column may number the bands.
  first = 1 if count > 1 and _is_numbering(rows) else 0
  if count - first <= 2:
    return first, first + 1 if count - first == 2 else None
  raise RequestError(
    f"{where} has {count} columns; expected centre[, width], or a header that names one column wavelength "
    "and one width"
  )


def _is_numbering(rows: list[list[str]]) -> bool:
  """Returns whether the first column numbers the bands, from 0 or 1."""
  first = [row[0] for row in rows]
  return all(map(_is_number, first)) and wavelengths.is_numbering(np.array(first, float))


def _column(rows: list[list[str]], index: int, where: str) -> np.ndarray:
  for number, row in enumerate(rows, start=1):
    if index >= len(row) or not _is_number(row[index]):
      raise RequestError(f"{where}: row {number} ({' '.join(row)}) has no number in column {index + 1}")
  return np.array([float(row[index]) for row in rows])


def _unit(header: list[str], columns: tuple[int, int | None], given: str | None, where: str) -> str:
  """Returns the unit of both columns, on which the header and the given unit must agree."""
  titles = [header[index] for index in columns if index is not None and index < len(header)]
  stated = [match[1] for match in map(_UNIT.search, titles) if match]
  units = {wavelengths.parse_unit(text, where) for text in [*stated, *([given] if given else [])]} - {None}
  if len(units) > 1:
    raise RequestError(f"{where}: the header and wavelength_unit mix nm and um; use one unit")
  return next(iter(units), "")


def _separator(line: str) -> str | None:
  """Returns the first mark that splits a row into numbers, else the first that occurs; None for blanks."""
  for mark in ";\t,":
    if mark in line and all(_is_number(_with_point(cell.strip())) for cell in line.split(mark)):
      return mark
  return next((mark for mark in ";\t," if mark in line), None)


def _with_point(cell: str) -> str:
  """Replaces the decimal comma of a number with a point."""
  return re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", cell)


def _is_number(text: str) -> bool:
  try:
    float(text)
  except ValueError:
    return False
  return True

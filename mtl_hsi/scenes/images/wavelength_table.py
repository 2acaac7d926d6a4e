"""Band centres and widths from a CSV file, or from the metadata that come with an EnMAP image."""

import re
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import band_metadata, xml_files
from mtl_hsi.scenes.images.band_metadata import Bands
from mtl_hsi.storage import memory

# Bytes that a byte of text, one in a row of two at worst, can become.
_TEXT_RATIO = 80
_CENTRE = re.compile(r"centre|center|wave|^\s*(nm|um|wl)\s*$", re.IGNORECASE)
_WIDTH = re.compile(r"width|fwhm", re.IGNORECASE)
_UNIT = re.compile(
  r"(?<![a-z])(nm|nanomet(?:er|re)s?|[uµμ]m|micromet(?:er|re)s?|microns?)(?![a-z])", re.IGNORECASE
)


def read(path: Path, bands: int, unit: str | None, kept: np.ndarray | slice = slice(None)) -> Bands:
  """Reads centres and, where there is a second column, widths: one row a band.

  Commas, semicolons, tabs or blanks separate the columns; beside semicolons and tabs a comma may stand for
  the decimal point. A header is recognised by its words; it may name the unit, such as "wavelength (um),
  fwhm (um)", and tells the two columns from further ones. Empty lines and those that start with # are passed
  over. A file that ends in .xml is taken for EnMAP's METADATA.XML.

  Args:
    path: the file.
    bands: B, the bands of the scene's file, bad ones included.
    unit: "nm" or "um", or None: as the header says, else as the numbers look.
    kept: places of the bands whose centres and widths are wanted.

  Raises:
    RequestError: the file is missing or no such table, or has not a row for every band.
  """
  where = str(path.absolute())
  header, rows = _of_enmap(path) if path.suffix.lower() == ".xml" else _split(path)
  centre, width = _columns(header, len(rows[0]), where)
  if len(rows) != bands:
    raise RequestError(f"{where} has wavelengths of {len(rows)} bands, the scene's file has {bands} bands")
  centres = _column(rows, centre, where)
  widths = None if width is None else _column(rows, width, where)
  return band_metadata.in_nm(centres, widths, _unit(header, (centre, width), unit, where), where, kept)


def _split(path: Path) -> tuple[list[str], list[list[str]]]:
  """Header, empty where there is none, and rows."""
  try:
    memory.check_file(path, _TEXT_RATIO)
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
    # Blanks separate the columns, and words in one title.
    header = [lines[0]]
  if not rows:
    raise RequestError(f"{path.absolute()} holds no wavelengths; expected a row of centre[, width] a band")
  return header, rows


def _of_enmap(path: Path) -> tuple[list[str], list[list[str]]]:
  """Header and rows of a table of the bands in an EnMAP product's metadata."""
  try:
    root = xml_files.read(path)
  except (OSError, ValueError) as error:
    raise RequestError(f"cannot read wavelengths from {path.absolute()}: {error}") from error
  bands = root.findall("specific/bandCharacterisation/bandID")
  keys = ("wavelengthCenterOfBand", "FWHMOfBand")
  rows = [[band.findtext(key, "").strip() for key in keys] for band in bands]
  if not rows:
    raise RequestError(f"{path.absolute()} describes no bands; expected the METADATA.XML of an EnMAP product")
  return ["wavelength (nm)", "fwhm (nm)"], rows


def _columns(header: list[str], count: int, where: str) -> tuple[int, int | None]:
  widths = [place for place, title in enumerate(header) if _WIDTH.search(title)]
  centres = [place for place, title in enumerate(header) if _CENTRE.search(title) and place not in widths]
  if len(centres) == 1 and len(widths) <= 1:
    return centres[0], widths[0] if widths else None
  if count <= 2:
    return 0, 1 if count == 2 else None
  raise RequestError(
    f"{where} has {count} columns; expected centre[, width], or a header that calls one of them wavelength "
    "and one width"
  )


def _column(rows: list[list[str]], place: int, where: str) -> np.ndarray:
  for number, row in enumerate(rows, start=1):
    if place >= len(row) or not _is_number(row[place]):
      raise RequestError(f"{where}: row {number} ({' '.join(row)}) lacks a number in column {place + 1}")
  return np.array([float(row[place]) for row in rows])


def _unit(header: list[str], places: tuple[int, int | None], given: str | None, where: str) -> str:
  """The unit of both columns: that of the header and the one given must agree."""
  titles = [header[place] for place in places if place is not None and place < len(header)]
  stated = [match[1] for match in map(_UNIT.search, titles) if match]
  units = {band_metadata.unit_of(text, where) for text in [*stated, *([given] if given else [])]} - {None}
  if len(units) > 1:
    raise RequestError(f"{where}: its header and wavelength_unit mix nm and um; units must be one")
  return next(iter(units), "")


def _separator(line: str) -> str | None:
  """Of a row, the first mark between whose places there are only numbers; None for blanks."""
  for mark in ";\t,":
    if mark in line and all(_is_number(_with_point(cell.strip())) for cell in line.split(mark)):
      return mark
  return next((mark for mark in ";\t," if mark in line), None)


def _with_point(cell: str) -> str:
  """A number with a decimal comma, as some countries' spreadsheets write it, with a point."""
  return re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", cell)


def _is_number(text: str) -> bool:
  try:
    float(text)
  except ValueError:
    return False
  return True

"""The sample as a table and as features to fill in, and read back.

Both files have one row per unit, in the order in which to label: `id` from 1, `row` and `column` of its
upper left pixel from 0, and the empty columns `class` and `note`. A georeferenced sample also has the centre,
`x` and `y` in the system of the map, `lon` and `lat`. Neither file shows the class in the map, so that nobody
is influenced by it; the design has it.
"""

import contextlib
import csv
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.assessment.design import Design
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.class_table import UNSURE
from mtl_hsi.scenes.labels.tables import read_rows
from mtl_hsi.scenes.labels.vector_files import check_vector_file

ENDINGS = TABLE, FEATURES = "_sample.csv", "_sample.gpkg"
CLASS, NOTE = "class", "note"

# Decimals of coordinates; of a degree, the seventh is about a centimetre.
_DECIMALS = 7
_LAYER = "sample"


class Answers(NamedTuple):
  """A filled-in sample.

  Attributes:
    labels: index of the class of every unit of the design; -1 without one `[n]`.
    unsure: whether it is marked as unsure, bool `[n]`.
    reached: number of units up to the last one with an answer, in the order of labelling.
  """

  labels: np.ndarray
  unsure: np.ndarray
  reached: int


def write_table(path: Path, design: Design) -> None:
  """Writes the sample as CSV."""
  text = io.StringIO()
  table = csv.writer(text, lineterminator="\n")
  head, rows = table_cells(design)
  table.writerow([*head, CLASS, NOTE])
  table.writerows([*row, "", ""] for row in rows)
  path.write_bytes(text.getvalue().encode())


def table_cells(design: Design) -> tuple[list[str], list[list[str]]]:
  """Returns the names of the columns that are filled in from the start, and their cells in each row."""
  columns = _columns(design)
  return list(columns), [list(map(_text, row)) for row in zip(*columns.values(), strict=True)]


def _text(value: float) -> str:
  return np.format_float_positional(round(value, _DECIMALS), trim="-")


def write_features(path: Path, design: Design) -> None:
  """Writes the sample as a GeoPackage of points, or of polygons where units have several pixels."""
  import geopandas
  import shapely

  columns = _columns(design)
  if design.unit_side == 1:
    shapes = shapely.points(columns["x"], columns["y"])
  else:
    outlines = [_place(design, rows, columns) for rows, columns in corners(design)]
    shapes = shapely.polygons(np.stack([np.stack(corner, axis=-1) for corner in outlines], axis=1))
  whole = {name: columns[name].astype(np.int64) for name in ("id", "row", "column")}
  rest = {name: columns[name] for name in ("lon", "lat")} if "lon" in columns else {}
  empty = dict.fromkeys((CLASS, NOTE), "")
  frame = geopandas.GeoDataFrame({**whole, **rest, **empty}, geometry=shapes, crs=design.georeference.crs)
  # pyogrio reports how many features it has written.
  logging.getLogger("pyogrio").setLevel(logging.WARNING)
  frame.to_file(path, driver="GPKG", layer=_LAYER, engine="pyogrio")


def read_answers(path: Path, design: Design, names: Mapping[int, str]) -> Answers:
  """Reads a filled-in sample.

  Args:
    path: CSV or GeoPackage.
    design: its design.
    names: names of the classes that may occur, by id. A cell can have either. The labels returned count them
      from 0.

  Raises:
    RequestError: the file cannot be read, has units that were not drawn or that were moved, has none with a
      class, or has an unknown class.
  """
  where = str(path.absolute())
  number = len(design.drawn.rows)
  labels, unsure, seen = np.full(number, -1), np.zeros(number, bool), np.zeros(number, bool)
  meanings = _meanings(names)
  for place, row in _read(path):
    index = _unit(row, design, f"{where}: {place}")
    if seen[index]:
      raise RequestError(f"{where}: {place}: unit {index + 1} is listed twice; keep one of its rows")
    seen[index] = True
    answer = row[CLASS].casefold()
    unsure[index] = answer in UNSURE and answer not in meanings
    if answer and not unsure[index]:
      labels[index] = _meaning(answer, row[CLASS], meanings, names, f"{where}: {place}")
  if (labels < 0).all():
    raise RequestError(f"{where} is not filled in: no unit has a class in the column {CLASS!r}")
  return Answers(labels, unsure, int(np.flatnonzero((labels >= 0) | unsure).max()) + 1)


def _read(path: Path) -> list[tuple[str, dict[str, str]]]:
  """Returns the place of every row in the file, for messages, and its cells."""
  needed = ("id", "row", "column", CLASS)
  if path.suffix.lower() == ".csv":
    return [(f"line {number}", row) for number, row in read_rows(path, needed)]
  if path.suffix.lower() != ".gpkg":
    raise RequestError(
      f"{path.absolute()} is no sample; expected the file *{TABLE} or *{FEATURES}, filled in"
    )
  import pyogrio

  check_vector_file(path, str(path.absolute()))
  with _errors_as_requests(path):
    table = pyogrio.read_dataframe(path.absolute(), layer=_LAYER, read_geometry=False)
    missing = [column for column in needed if column not in table.columns]
    if missing:
      raise ValueError(f"no column {', '.join(map(repr, missing))}")
    rows = table.loc[:, list(needed)].astype(object).where(table.loc[:, list(needed)].notna(), "")
    return [
      (f"feature {number}", {key: str(value).strip() for key, value in row.items()})
      for number, row in enumerate(rows.to_dict("records"), start=1)
    ]


@contextlib.contextmanager
def _errors_as_requests(path: Path) -> Iterator[None]:
  """Turns the errors of GDAL and pandas, which are of many types, into a RequestError."""
  try:
    # GDAL also warns about files that deviate from their format.
    with warnings.catch_warnings():
      warnings.simplefilter("ignore", RuntimeWarning)
      yield
  except Exception as error:
    reason = " ".join(str(error).split())
    raise RequestError(f"{path.absolute()} cannot be read as a sample ({reason}); restore it") from error


def _unit(row: Mapping[str, str], design: Design, where: str) -> int:
  """Returns the index of the unit of a row, which must be where it was drawn."""
  count = len(design.drawn.rows)
  numbers = [_number(row[key]) for key in ("id", "row", "column")]
  if numbers[0] is None or not 1 <= numbers[0] <= count:
    raise RequestError(
      f"{where}: unit {row['id'][:20]!r} is not in the design, which has the units 1 to {count}; units that "
      "were not drawn cannot be added"
    )
  index = numbers[0] - 1
  expected = [int(design.drawn.rows[index]), int(design.drawn.columns[index])]
  if numbers[1:] != expected:
    raise RequestError(
      f"{where}: unit {index + 1} is at row {row['row'][:20]!r}, column {row['column'][:20]!r}; it was drawn "
      f"at row {expected[0]}, column {expected[1]}: restore its place, or give the sample of this design"
    )
  return index


def _number(text: str) -> int | None:
  """Returns a whole number; spreadsheets may have added decimals to it."""
  try:
    number = float(text)
  except ValueError:
    return None
  return int(number) if number.is_integer() and abs(number) < 2**53 else None


def _meanings(names: Mapping[int, str]) -> dict[str, int]:
  """Returns the index of each class by its id and its name as texts."""
  by_name = {name.strip().casefold(): index for index, name in enumerate(names.values())}
  return by_name | {str(class_id): index for index, class_id in enumerate(names)}


def _meaning(answer, text, meanings, names, where) -> int:
  number = _number(answer)
  found = meanings.get(answer, meanings.get(str(number)) if number is not None else None)
  if found is None:
    listed = ", ".join(f"{class_id} {name}" for class_id, name in names.items())
    raise RequestError(
      f"{where}: the map has no class {text[:40]!r} (classes: {listed}); correct it, write '?' if you cannot "
      "tell, or add a class that is on the ground but not in the map by --config.further_classes=<name>"
    )
  return found


def _columns(design: Design) -> dict[str, np.ndarray]:
  """Returns the columns with numbers, by name, each float `[n]`."""
  drawn = design.drawn
  columns = {"id": np.arange(1, len(drawn.rows) + 1), "row": drawn.rows, "column": drawn.columns}
  if design.georeference is not None:
    (top, left), _, (bottom, right), _, _ = corners(design)
    columns["x"], columns["y"] = _place(design, (top + bottom) / 2, (left + right) / 2)
    columns |= _degrees(design.georeference.crs, columns["x"], columns["y"])
  return {name: np.asarray(values, float) for name, values in columns.items()}


def _degrees(crs: str, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
  """Returns longitude and latitude on WGS 84, or nothing for a system without a place on Earth."""
  import pyproj
  from pyproj.exceptions import CRSError, ProjError

  try:
    change = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = change.transform(x, y, errcheck=True)
  except (CRSError, ProjError):
    return {}
  return {"lon": lon, "lat": lat} if np.isfinite([lon, lat]).all() else {}


def corners(design: Design) -> list[tuple[np.ndarray, np.ndarray]]:
  """Returns rows and columns of the corners of every unit, from the upper left one around and back."""
  top, left = design.drawn.rows, design.drawn.columns
  bottom = np.minimum(top + design.unit_side, design.shape[0])
  right = np.minimum(left + design.unit_side, design.shape[1])
  return [(top, left), (top, right), (bottom, right), (bottom, left), (top, left)]


def _place(design: Design, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns x and y of corners of pixels."""
  x, y, _ = design.georeference.matrix @ np.stack([columns, rows, np.ones(len(rows))])
  return x, y

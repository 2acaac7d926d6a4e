"""Labels from a table: pixels by row and column, or points by coordinates."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.labels import pixel_table
from mtl_hsi.scenes.labels.label_set import Grid, Labels, Reading
from mtl_hsi.scenes.labels.tables import Row, check_rows, read_table, real_number

# Columns with the place of a row, in the order in which they are looked for.
_PIXELS = (("row", "column"), ("row", "col"), ("line", "sample"))
_DEGREES = (("longitude", "latitude"), ("lon", "lat"), ("long", "lat"), ("lng", "lat"))
_MAP = (("x", "y"), ("easting", "northing"), ("point_x", "point_y"), ("xcoord", "ycoord"))
_CLASS_COLUMNS = ("class", "label", "class_id", "class_name")
_CRS = "crs"
_WGS_84 = "EPSG:4326"
_CODE = re.compile(r"[A-Za-z]{2,10}:[0-9]{1,9}")
# Longitudes and latitudes are at most this.
_LIMITS = np.array([180.0, 90.0])


def read_point_table(path: Path, grid: Grid, reading: Reading) -> Labels:
  """Reads labelled pixels or points; every row is a unit.

  The columns are `row` and `column`, which count from 0 at the upper left; `x` and `y` in the coordinate
  reference system that `reading.crs` or the column `crs` names, or else in that of the scene; or `lon` and
  `lat` in degrees. `x` and `y` without a system that are all within the range of degrees, and not in the
  scene, are longitude and latitude.

  Args:
    path: the table.
    grid: grid of the scene.
    reading: its column of the classes (None selects `class`, `label`, `class_id` or `class_name`) and further
      options.

  Raises:
    RequestError: a column is missing, a pixel is invalid (see `pixel_table`), or no point is in the scene.
  """
  where = str(path.absolute())
  columns, rows = read_table(path)
  column = class_column(columns, reading, where)
  names, found = _place_columns(columns, where)
  check_rows(path, rows)
  if found is _PIXELS:
    if reading.crs is not None:
      raise RequestError(f"{where} locates its labels by row and column; remove labels_crs ({reading.crs!r})")
    return pixel_table.label_pixels(rows, names, column, grid, reading, where)
  if grid.georeference is None:
    raise RequestError(
      f"{where}: the scene has no geotransform, so points cannot be located in it by "
      f"{names[0]} and {names[1]}; provide the columns row and column, counted from 0"
    )
  return _label_points(rows, names, found, column, grid, reading, where)


def _label_points(rows, names, kind, column, grid, reading, where) -> Labels:
  # Imported here as it takes a second.
  import pyproj
  import shapely

  from mtl_hsi.scenes.labels.features import Features, label_features

  numbers = [real_number(row.get(name, "")) for _, row in rows for name in names]
  points = np.array(numbers, float).reshape(-1, 2)
  located = np.isfinite(points).all(axis=1)
  if not located.any():
    line, row = rows[0]
    raise RequestError(
      f"{where}: no row has numbers in the columns {names[0]} and {names[1]} (line {line}: "
      f"{row.get(names[0], '')!r}, {row.get(names[1], '')!r})"
    )
  crs, remark = _choose_crs(rows, points[located], kind, grid, reading, where)
  shapes = np.full(len(points), None)
  shapes[located] = shapely.points(points[located])
  found = Features(
    where=where,
    shapes=shapes,
    crs=None if crs is None else pyproj.CRS.from_user_input(crs),
    classes=[row.get(column) for _, row in rows],
    titles=[f"line {number}" for number, _ in rows],
    column=column,
    uses=None if reading.split is None else [row.get(reading.split, "") for _, row in rows],
    nouns=pixel_table.NOUNS,
    remarks=(remark,) if remark else (),
  )
  return label_features(found, grid, reading)


def class_column(columns: Sequence[str], reading: Reading, where: str) -> str:
  """Returns the name of the column with the classes, and checks that all columns that are named exist.

  Raises:
    RequestError: a column is missing, or the column of the classes cannot be told.
  """
  listed = f"(columns: {', '.join(columns) or 'none'}); its first line must name the columns"
  for column in filter(None, (reading.classes, reading.split)):
    if column not in columns:
      raise RequestError(f"{where} has no column {column!r} {listed}")
  if reading.classes is not None:
    return reading.classes
  likely = [column for column in columns if column.lower() in _CLASS_COLUMNS and column != reading.split]
  exact = [column for column in likely if column.lower() == "class"]
  for group in (exact, likely):
    if len(group) == 1:
      return group[0]
  if likely:
    raise RequestError(f"{where} has several class columns ({', '.join(likely)}); name one (label_column)")
  raise RequestError(
    f"{where} has no column 'class' {listed}, or label_column that of the classes, "
    "--config.files.<scene>.label_column=<column>"
  )


def _place_columns(columns: Sequence[str], where: str) -> tuple[tuple[str, str], tuple]:
  """Returns the names of the two columns with the place of a row, and the group that they belong to."""
  known = {}
  for column in columns:
    known.setdefault(column.lower(), column)
  for group in (_PIXELS, _DEGREES, _MAP):
    for first, second in group:
      if first in known and second in known:
        return (known[first], known[second]), group
  raise RequestError(
    f"{where} has no columns of places: row and column, x and y, or lon and lat (columns: "
    f"{', '.join(columns) or 'none'}); its first line must name the columns"
  )


def _choose_crs(
  rows: Sequence[Row], points: np.ndarray, kind, grid, reading, where
) -> tuple[str | None, str]:
  """Returns the coordinate reference system of the points, and a remark if it is guessed, or "".

  Raises:
    RequestError: the column `crs` has several systems, or an unknown one; or degrees are out of range.
  """
  in_degrees = (np.abs(points) <= _LIMITS).all()
  if reading.crs is not None:
    return reading.crs, ""
  systems = sorted({row[key] for _, row in rows for key in row if key.lower() == _CRS} - {""})
  if len(systems) > 1:
    raise RequestError(f"{where} has several systems in the column crs ({', '.join(systems[:3])}); split it")
  if systems:
    return _check_crs(systems[0], where), ""
  if kind is _DEGREES:
    if not in_degrees:
      first, second = np.abs(points).max(axis=0)
      raise RequestError(
        f"{where} has longitudes up to {first:.10g} and latitudes up to {second:.10g}; expected degrees up "
        "to 180 and 90; check whether the columns are swapped, or give another coordinate reference system "
        "with --config.files.<scene>.labels_crs=<system>"
      )
    return _WGS_84, ""
  if in_degrees and not _any_inside(points, grid):
    count = len(points)
    return _WGS_84, (
      f"x and y of {count} {noun(count, *pixel_table.NOUNS)} are taken as longitude and latitude in degrees"
    )
  return grid.georeference.crs, ""


def _check_crs(name: str, where: str) -> str:
  """Returns the name of a reference system, which a file gives: other texts would make PROJ read files.

  Raises:
    RequestError: it is unknown.
  """
  import pyproj

  try:
    if _CODE.fullmatch(name):
      pyproj.CRS.from_user_input(name)
      return name
  except pyproj.exceptions.CRSError:
    pass
  raise RequestError(f"{where}: the column crs has {name[:80]!r}; expected a code such as EPSG:32633")


def _any_inside(points: np.ndarray, grid: Grid) -> bool:
  """Returns whether any point is in the scene, if the points are in the scene's reference system."""
  to_pixels = np.linalg.inv(grid.georeference.matrix)
  places = points @ to_pixels[:2, :2].T + to_pixels[:2, 2]
  return bool(((places >= 0) & (places < grid.shape[::-1])).all(axis=1).any())

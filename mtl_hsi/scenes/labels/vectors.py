"""Labels from polygons, lines and points with a column of classes, rasterised to the grid of the scene."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyogrio
import shapely
from rasterio import features

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.labels.class_names import resolve_ids
from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.combine import parse_split
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels
from mtl_hsi.scenes.labels.vector_files import check_vector_file

# Usual names of the column with the classes.
_CLASS_COLUMNS = ("class", "label", "class_id", "class_name")
# How far, in pixels, features may extend beyond the scene without a remark, as reprojection is not exact.
_TOLERANCE = 0.01
# How many features a message names.
_SHOWN = 5
# In pixels; no feature in the area of a scene extends further.
_FARTHEST = 1e7


def read_features(
  path: Path, layer: str | None, grid: Grid, columns: Columns, table: ClassTable | None
) -> Labels:
  """Reads features and labels the pixels that they cover.

  A polygon covers the pixels whose centres it contains, a point the pixel around it, and a line the pixels
  that it crosses. Features are reprojected to the scene and clipped to it. Pixels with several classes stay
  unlabelled. A feature is a unit, also if it has several parts; where features of one class overlap, the
  pixels belong to the later one.

  Args:
    path: the file.
    layer: the layer, or None for the only one.
    grid: grid of the scene.
    columns: the column of the classes (None selects one of `class`, `label`, `class_id`, `class_name`, or the
      only column), and the column of the split, or None.
    table: classes by id, or None.

  Raises:
    RequestError: the file cannot be read, or a feature is invalid or outside the scene.
  """
  where = str(path.absolute())
  if grid.georeference is None:
    raise RequestError(
      f"{where}: the scene has no geotransform, so features cannot be located in it; "
      "provide the labels as an image or as a CSV file of row, column, class"
    )
  everything = _read_frame(path, layer)
  if everything.crs is None and grid.georeference.crs is not None:
    raise RequestError(
      f"{where} has no coordinate reference system; save it with one (for a Shapefile, in a .prj file)"
    )
  column = _class_column(everything, columns, where)
  frame = everything[everything[column].notna() & ~_is_empty(everything.geometry)]
  if frame.empty:
    raise RequestError(f"{where} has no feature with a geometry and a class in the column {column!r}")
  remarks = []
  if grid.georeference.crs is None:
    remarks.append("the scene has no coordinate reference system; that of the features is assumed")
  if len(frame) < len(everything):
    remarks.append(f"{len(everything) - len(frame)} features without a class or geometry ignored")
  ids, names = resolve_ids(frame[column].tolist(), table, where)
  # As objects: an array of texts would pad all of them to the longest one.
  titles = np.array([f"{index} ({value})" for index, value in frame[column].items()], object)
  ids, tested = np.array(ids), _find_tested(frame, columns.split, titles, where)
  with _errors_as_requests(f"{where} cannot be projected onto the scene", "check its geometries and CRS"):
    shapes = _in_pixels(frame, grid, where)
    remarks += _check_inside(shapes, titles, grid, where)
    image, units, notes = _rasterise(shapes, ids, titles, ~tested, grid.shape)
    if columns.split is None:
      return Labels(image, names, None, (*remarks, *notes), units=units)
    test, test_units, test_notes = _rasterise(shapes, ids, titles, tested, grid.shape)
  units = np.where(image > 0, units, test_units)
  return Labels(image, names, None, (*remarks, *notes, *test_notes), test, units=units)


def _read_frame(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
  check_vector_file(path)
  path = path.absolute()
  with (
    _errors_as_requests(f"{path} cannot be read as features", "download it again"),
    warnings.catch_warnings(),
  ):
    # GDAL warns about files that deviate from their format.
    warnings.simplefilter("ignore", RuntimeWarning)
    return geopandas.read_file(path, layer=_layer(path, layer), engine="pyogrio")


@contextlib.contextmanager
def _errors_as_requests(problem: str, advice: str) -> Iterator[None]:
  """Turns the errors of GDAL, GEOS and pandas, which are of many types, into a RequestError."""
  try:
    yield
  except RequestError:
    raise
  except Exception as error:
    reason = " ".join(str(error).split())
    raise RequestError(f"{problem} ({reason}); {advice}") from error


def _layer(path: Path, layer: str | None) -> str:
  layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
  if layer is None and len(layers) == 1:
    return layers[0]
  if layer not in layers:
    problem = "does not have exactly one layer" if layer is None else f"has no layer {layer!r}"
    raise RequestError(
      f"{path.absolute()} {problem} (layers: {', '.join(layers) or 'none'}); select one with labels_key, or "
      "with test_key for test labels"
    )
  return layer


def _class_column(frame: geopandas.GeoDataFrame, columns: Columns, where: str) -> str:
  """Returns the name of the column with the classes, and checks that all columns that are named exist."""
  existing = [str(name) for name in frame.columns if name != frame.geometry.name]
  for column in filter(None, columns):
    if column not in existing:
      raise RequestError(f"{where} has no column {column!r} (columns: {', '.join(existing) or 'none'})")
  if columns.classes is not None:
    return columns.classes
  left = [name for name in existing if name != columns.split]
  likely = [name for name in left if name.lower() in _CLASS_COLUMNS]
  for group in (likely, left):
    if len(group) == 1:
      return group[0]
  raise RequestError(
    f"{where}: cannot tell which column has the classes (columns: {', '.join(existing) or 'none'}); name it "
    "with label_column"
  )


def _find_tested(
  frame: geopandas.GeoDataFrame, column: str | None, titles: Sequence[str], where: str
) -> np.ndarray:
  """Returns which features are for testing, bool `[n]`; none without a column of the split."""
  if column is None:
    return np.zeros(len(frame), bool)
  uses = ["" if missing else str(use) for use, missing in zip(frame[column], frame[column].isna())]
  return parse_split(uses, [f"feature {title}" for title in titles], column, where)


def _is_empty(shapes: geopandas.GeoSeries) -> pandas.Series:
  return shapes.isna() | shapes.is_empty


def _in_pixels(frame: geopandas.GeoDataFrame, grid: Grid, where: str) -> np.ndarray:
  """Returns the geometries in columns and rows of the scene, `[n]`."""
  system = grid.georeference.crs
  moved = frame.geometry if system is None else frame.geometry.to_crs(system)
  to_pixels = np.linalg.inv(grid.georeference.matrix)
  shapes = shapely.transform(
    shapely.force_2d(moved.to_numpy()), lambda points: points @ to_pixels[:2, :2].T + to_pixels[:2, 2]
  )
  coordinates = shapely.get_coordinates(shapes)
  # GDAL follows a line pixel by pixel, however far it extends. NaN is not smaller than anything.
  if not (np.abs(coordinates) < _FARTHEST).all():
    raise RequestError(
      f"{where} has coordinates that do not exist in the coordinate reference system of the scene, or are "
      f"more than {_FARTHEST:g} pixels away from it"
    )
  return shapes


def _check_inside(shapes: np.ndarray, names: np.ndarray, grid: Grid, where: str) -> list[str]:
  """Rejects features that are entirely outside the scene; returns a remark on those that are clipped."""
  height, width = grid.shape
  outside = ~shapely.intersects(shapes, shapely.box(0, 0, width, height))
  if outside.any():
    raise RequestError(
      f"{where}: features entirely outside the scene (number from 0 and class): {_list(names[outside])}; "
      "remove them, or check both coordinate reference systems"
    )
  margin = _TOLERANCE
  beyond = ~shapely.covers(shapely.box(-margin, -margin, width + margin, height + margin), shapes)
  return [f"features clipped to the scene: {_list(names[beyond])}"] if beyond.any() else []


def _list(names: np.ndarray) -> str:
  more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
  return ", ".join(names[:_SHOWN]) + more


def _rasterise(
  shapes: np.ndarray, ids: np.ndarray, titles: np.ndarray, selected: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
  """Returns the label image of the selected features, their numbers, and remarks on those without a label.

  The numbers, int32 `[H, W]`, count all features from 1 and are 0 where unlabelled.
  """
  numbers, titles = np.flatnonzero(selected) + 1, titles[selected]
  image, units, overlap, empty = _burn(shapes[selected], ids[selected], numbers, shape)
  remarks = []
  if empty.any():
    remarks.append(f"features that contain no pixel centre label nothing: {_list(titles[empty])}")
  if overlap:
    pixels = noun(overlap, "pixel")
    remarks.append(f"{overlap} {pixels} covered by features of several classes left unlabelled")
  return image, units, remarks


def _burn(
  shapes: np.ndarray, ids: np.ndarray, numbers: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
  """Returns the label image, the image of the features' numbers, the number of pixels with several classes,
  and which features have no pixel.
  """
  image, units, contested = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, bool)
  empty = _too_small(shapes, shape) & (ids > 0)
  for class_id in np.unique(ids[ids > 0]).tolist():
    members = ids == class_id
    # No transform is needed as the shapes are in pixels.
    burnt = features.rasterize(
      list(zip(shapes[members], numbers[members].tolist())), out_shape=shape, dtype=np.int32
    )
    covered = burnt > 0
    empty |= members & (not covered.any())
    contested |= covered & (image > 0)
    image[covered], units[covered] = class_id, burnt[covered]
  image[contested] = units[contested] = 0
  return image, units, int(contested.sum()), empty


def _too_small(shapes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
  """Finds polygons whose bounds contain no pixel centre, and points on the far edges of the scene."""
  last = np.array(shape[::-1]) - 1
  bounds = shapely.bounds(shapes)
  first_centre = np.maximum(np.ceil(bounds[:, :2] - 0.5), 0)
  last_centre = np.minimum(np.floor(bounds[:, 2:] - 0.5), last)
  between = (first_centre > last_centre).any(axis=1)
  beyond = (np.floor(bounds[:, :2]) > last).any(axis=1)
  return np.where(shapely.get_dimensions(shapes) == 2, between, beyond)

"""Labels from polygons, lines and points with a class column, brought onto the scene's pixels."""

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
from mtl_hsi.scenes.labels import class_table, label_parts, vector_files
from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels

# Names under which the classes' column is looked for.
_COLUMNS = ("class", "label", "class_id", "class_name")
# How far features may reach beyond the scene unsaid, in pixels: reprojection is not exact.
_TOLERANCE = 0.01
_SHOWN = 5
# In pixels; no feature of a scene's place reaches as far.
_FARTHEST = 1e7


def read(path: Path, layer: str | None, grid: Grid, columns: Columns, table: ClassTable | None) -> Labels:
  """Reads features and labels the pixels that they cover.

  A polygon covers the pixels whose centres lie in it, a point the pixel that it falls in, a line those that
  it runs through. Features are reprojected to the scene; those that reach beyond it are clipped. Pixels of
  several classes stay unlabelled.

  Args:
    path: the file.
    layer: the layer, or None for the only one.
    grid: of the scene.
    columns: names of the classes' column, None: one of `class`, `label`, `class_id`, `class_name`, or the
      only column; and of the one that says "train" or "test", or None.
    table: classes by id, or None.

  Raises:
    RequestError: names the file or feature, what is wrong and what was expected.
  """
  where = str(path.absolute())
  if grid.georeference is None:
    raise RequestError(
      f"{where}: the scene has no coordinate reference system, so features cannot be placed in it; give "
      "labels as an image or as a CSV file of row, column, class"
    )
  everything = _read(path, layer)
  column = _class_column(everything, columns, where)
  frame = everything[everything[column].notna() & ~_is_empty(everything.geometry)]
  if frame.empty:
    raise RequestError(f"{where} has no feature with a geometry and a class in the column {column!r}")
  remarks = []
  if len(frame) < len(everything):
    remarks.append(f"{len(everything) - len(frame)} features without class or geometry left out")
  ids, names = class_table.resolve(frame[column].tolist(), table, where)
  # Not as texts of one length, that of the longest.
  titles = np.array([f"{index} ({value})" for index, value in frame[column].items()], object)
  ids, tested = np.array(ids), _tested(frame, columns.split, titles, where)
  with _handling(f"{where} cannot be brought onto the scene", "check its geometries and reference system"):
    shapes = _in_pixels(frame, grid, where)
    remarks += _check_inside(shapes, titles, grid, where)
    image, notes = _label(shapes[~tested], ids[~tested], titles[~tested], grid.shape)
    if columns.split is None:
      return Labels(image, names, None, (*remarks, *notes))
    test, test_notes = _label(shapes[tested], ids[tested], titles[tested], grid.shape)
  return Labels(image, names, None, (*remarks, *notes, *test_notes), test)


def _read(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
  vector_files.check(path)
  path = path.absolute()
  with _handling(f"{path} cannot be read as features", "get it again"), warnings.catch_warnings():
    # GDAL's hints on files that do not keep to their format.
    warnings.simplefilter("ignore", RuntimeWarning)
    frame = geopandas.read_file(path, layer=_layer(path, layer), engine="pyogrio")
  if frame.crs is None:
    raise RequestError(
      f"{path.absolute()} has no coordinate reference system; save it with one (a Shapefile needs its .prj)"
    )
  return frame


@contextlib.contextmanager
def _handling(problem: str, advice: str) -> Iterator[None]:
  """Turns what GDAL, GEOS and pandas raise, which is of many types, into a RequestError."""
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
    wrong = "" if layer is None else f", {layer!r} is none"
    raise RequestError(
      f"{path.absolute()} has the layers {', '.join(layers) or 'none'}; name one of them by "
      f"labels_key{wrong} (of test labels by test_key)"
    )
  return layer


def _class_column(frame: geopandas.GeoDataFrame, columns: Columns, where: str) -> str:
  """The column of the classes, once those that are named are seen to be there."""
  there = [str(name) for name in frame.columns if name != frame.geometry.name]
  for column in filter(None, columns):
    if column not in there:
      raise RequestError(f"{where} has no column {column!r}; it has {', '.join(there) or 'none'}")
  if columns.classes is not None:
    return columns.classes
  left = [name for name in there if name != columns.split]
  likely = [name for name in left if name.lower() in _COLUMNS]
  for group in (likely, left):
    if len(group) == 1:
      return group[0]
  raise RequestError(
    f"{where}: cannot tell which column holds the classes; it has {', '.join(there) or 'none'}: name it "
    "by label_column"
  )


def _tested(
  frame: geopandas.GeoDataFrame, column: str | None, titles: Sequence[str], where: str
) -> np.ndarray:
  """Which features are for testing, bool `[n]`; none without a column that says so."""
  if column is None:
    return np.zeros(len(frame), bool)
  uses = ["" if missing else str(use) for use, missing in zip(frame[column], frame[column].isna())]
  return label_parts.tested(uses, [f"feature {title}" for title in titles], column, where)


def _is_empty(shapes: geopandas.GeoSeries) -> pandas.Series:
  return shapes.isna() | shapes.is_empty


def _in_pixels(frame: geopandas.GeoDataFrame, grid: Grid, where: str) -> np.ndarray:
  """Geometries in columns and rows of the scene, `[n]`."""
  moved = frame.geometry.to_crs(grid.georeference.crs)
  to_pixels = np.linalg.inv(grid.georeference.matrix)
  shapes = shapely.transform(
    shapely.force_2d(moved.to_numpy()), lambda points: points @ to_pixels[:2, :2].T + to_pixels[:2, 2]
  )
  coordinates = shapely.get_coordinates(shapes)
  # GDAL follows a line pixel by pixel, to wherever it goes; NaN is not smaller than anything.
  if not (np.abs(coordinates) < _FARTHEST).all():
    raise RequestError(
      f"{where} has coordinates that do not exist in the scene's reference system or lie more than "
      f"{_FARTHEST:g} pixels away from it"
    )
  return shapes


def _check_inside(shapes: np.ndarray, names: np.ndarray, grid: Grid, where: str) -> list[str]:
  """Refuses features that lie wholly outside; says which reach beyond."""
  height, width = grid.shape
  outside = ~shapely.intersects(shapes, shapely.box(0, 0, width, height))
  if outside.any():
    raise RequestError(
      f"{where}: features wholly outside the scene, by number from 0 and class: {_some(names[outside])}; "
      "leave them out, or check both coordinate reference systems"
    )
  margin = _TOLERANCE
  beyond = ~shapely.covers(shapely.box(-margin, -margin, width + margin, height + margin), shapes)
  return [f"features that reach beyond the scene clipped: {_some(names[beyond])}"] if beyond.any() else []


def _some(names: np.ndarray) -> str:
  more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
  return ", ".join(names[:_SHOWN]) + more


def _label(
  shapes: np.ndarray, ids: np.ndarray, titles: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, list[str]]:
  """Label image of features, and remarks on what in them labels nothing."""
  image, overlap, empty = _burn(shapes, ids, shape)
  remarks = []
  if empty.any():
    remarks.append(f"features that hold no centre of a pixel label nothing: {_some(titles[empty])}")
  if overlap:
    remarks.append(f"{overlap} pixels that features of several classes cover left unlabelled")
  return image, remarks


def _burn(shapes: np.ndarray, ids: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, int, np.ndarray]:
  """Label image, how many pixels several classes claim, and which features label none for sure `[n]`."""
  image, contested = np.zeros(shape, np.int32), np.zeros(shape, bool)
  empty = _too_small(shapes, shape) & (ids > 0)
  for class_id in np.unique(ids[ids > 0]).tolist():
    own = ids == class_id
    # With the identity as its transform, as the shapes are in pixels.
    covered = features.rasterize(shapes[own].tolist(), out_shape=shape, dtype=np.uint8).astype(bool)
    empty |= own & (not covered.any())
    contested |= covered & (image > 0)
    image[covered] = class_id
  image[contested] = 0
  return image, int(contested.sum()), empty


def _too_small(shapes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
  """Polygons around which no centre of a pixel lies, and points on the far edge of the scene."""
  last = np.array(shape[::-1]) - 1
  bounds = shapely.bounds(shapes)
  first_centre = np.maximum(np.ceil(bounds[:, :2] - 0.5), 0)
  last_centre = np.minimum(np.floor(bounds[:, 2:] - 0.5), last)
  between = (first_centre > last_centre).any(axis=1)
  beyond = (np.floor(bounds[:, :2]) > last).any(axis=1)
  return np.where(shapely.get_dimensions(shapes) == 2, between, beyond)

"""Labels from polygons, lines and points with a class column, brought onto the scene's pixels."""

from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyogrio
import rasterio
import shapely
from rasterio import features

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import class_table
from mtl_hsi.scenes.class_table import ClassTable
from mtl_hsi.scenes.labels import Grid, Labels, matrix

# Names under which the classes' column is looked for.
_COLUMNS = ("class", "label", "class_id", "class_name")
_SHOWN = 5


def read(path: Path, layer: str | None, grid: Grid, column: str | None, table: ClassTable | None) -> Labels:
  """Reads features and labels the pixels that they cover.

  A polygon covers the pixels whose centres lie in it, a point the pixel that it falls in, a line those that
  it runs through. Features are reprojected to the scene; those that reach beyond it are clipped. Pixels of
  several classes stay unlabelled.

  Args:
    path: the file.
    layer: the layer, or None for the only one.
    grid: of the scene.
    column: name of the classes' column; None: one of `class`, `label`, `class_id`, `class_name`, or the only
      column.
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
  table_of_features = _read(path, layer)
  column = _class_column(table_of_features, column, where)
  frame = table_of_features[table_of_features[column].notna() & ~_is_empty(table_of_features.geometry)]
  if frame.empty:
    raise RequestError(f"{where} has no feature with a geometry and a class in the column {column!r}")
  remarks = []
  if len(frame) < len(table_of_features):
    remarks.append(f"{len(table_of_features) - len(frame)} features without class or geometry left out")
  shapes = _in_scene(frame, grid.georeference.crs, where)
  remarks += _check_inside(shapes, frame[column], grid, where)
  ids, names = class_table.resolve(frame[column].tolist(), table, where)
  image, overlap = _burn(shapes, np.array(ids), grid, where)
  if overlap:
    remarks.append(f"{overlap} pixels that features of several classes cover left unlabelled")
  return Labels(image, names, None, tuple(remarks))


def _read(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
  if not path.is_file():
    raise RequestError(f"no such file: {path.absolute()}")
  try:
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if layer is None and len(layers) == 1:
      layer = layers[0]
    if layer not in layers:
      found = ", ".join(layers) or "none"
      raise RequestError(
        f"{path.absolute()} has the layers {found}; name one of them by labels_key"
        + ("" if layer is None else f", {layer!r} is none")
      )
    frame = geopandas.read_file(path, layer=layer, engine="pyogrio")
  except RequestError:
    raise
  # GDAL, GEOS and pandas raise errors of many types.
  except Exception as error:
    reason = " ".join(str(error).split())
    raise RequestError(f"{path.absolute()} cannot be read as features ({reason}); get it again") from error
  if frame.crs is None:
    raise RequestError(
      f"{path.absolute()} has no coordinate reference system; save it with one (a Shapefile needs its .prj)"
    )
  return frame


def _class_column(frame: geopandas.GeoDataFrame, column: str | None, where: str) -> str:
  columns = [str(name) for name in frame.columns if name != frame.geometry.name]
  if column is None:
    likely = [name for name in columns if name.lower() in _COLUMNS]
    for group in (likely, columns):
      if len(group) == 1:
        return group[0]
    raise RequestError(
      f"{where}: cannot tell which column holds the classes; it has {', '.join(columns) or 'none'}: name it "
      "by label_column"
    )
  if column not in columns:
    raise RequestError(f"{where} has no column {column!r}; it has {', '.join(columns) or 'none'}")
  return column


def _is_empty(shapes: geopandas.GeoSeries) -> pandas.Series:
  return shapes.isna() | shapes.is_empty


def _in_scene(frame: geopandas.GeoDataFrame, crs: str, where: str) -> np.ndarray:
  """Valid geometries in the scene's coordinates, `[n]`."""
  try:
    moved = frame.geometry.to_crs(crs)
  except Exception as error:
    raise RequestError(f"{where} cannot be brought into the scene's coordinates: {error}") from error
  shapes = shapely.force_2d(moved.to_numpy())
  if not np.isfinite(shapely.get_coordinates(shapes)).all():
    raise RequestError(f"{where} has coordinates that do not exist in the scene's reference system")
  return np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))


def _check_inside(shapes: np.ndarray, classes: pandas.Series, grid: Grid, where: str) -> list[str]:
  """Refuses features that lie wholly outside; says which reach beyond."""
  height, width = grid.shape
  corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]])
  extent = shapely.Polygon((corners @ matrix(grid.georeference).T)[:, :2])
  names = np.array([f"{index} ({value})" for index, value in classes.items()])
  outside = ~shapely.intersects(shapes, extent)
  if outside.any():
    raise RequestError(
      f"{where}: features wholly outside the scene, by number from 0 and class: {_some(names[outside])}; "
      "leave them out, or check both coordinate reference systems"
    )
  beyond = ~shapely.covers(extent, shapes)
  return [f"features that reach beyond the scene clipped: {_some(names[beyond])}"] if beyond.any() else []


def _some(names: np.ndarray) -> str:
  more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
  return ", ".join(names[:_SHOWN]) + more


def _burn(shapes: np.ndarray, ids: np.ndarray, grid: Grid, where: str) -> tuple[np.ndarray, int]:
  """Label image and how many pixels several classes claim."""
  image, contested = np.zeros(grid.shape, np.int32), np.zeros(grid.shape, bool)
  transform = rasterio.Affine(*grid.georeference.transform)
  for class_id in np.unique(ids[ids > 0]).tolist():
    own = features.rasterize(
      shapes[ids == class_id].tolist(), out_shape=grid.shape, transform=transform, dtype=np.uint8
    ).astype(bool)
    if not own.any():
      raise RequestError(
        f"{where}: the features of class {class_id} hold no centre of a pixel; draw them larger, or as points"
      )
    contested |= own & (image > 0)
    image[own] = class_id
  image[contested] = 0
  return image, int(contested.sum())

"""Shapes with classes, such as polygons and points, rasterised to the grid of the scene."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import geopandas
import numpy as np
import pyproj
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.labels.burning import burn
from mtl_hsi.scenes.labels.class_names import resolve_classes
from mtl_hsi.scenes.labels.class_table import RGB
from mtl_hsi.scenes.labels.combine import parse_split
from mtl_hsi.scenes.labels.label_set import Grid, Labels, Reading

# How far, in pixels, features may extend beyond the scene without a remark, as reprojection is not exact.
_TOLERANCE = 0.01
# How many features a message lists.
_SHOWN = 5
# Characters of a class in a message.
_LONGEST = 40
# In pixels; no feature in the area of a scene extends further.
_FARTHEST = 1e7


class Features(NamedTuple):
  """Shapes and their classes.

  Attributes:
    where: the file, for messages.
    shapes: geometries `[n]`; those that are missing are None or empty.
    crs: their coordinate reference system; None if it is unknown or they are in pixels.
    classes: numbers or names `[n]`; those that are missing are None, NaN or empty.
    titles: name of each in messages, such as "3" or "line 3" `[n]`.
    column: name of the column with the classes, or None.
    uses: texts of the column of the split `[n]`, or None.
    nouns: what they are, in singular and plural.
    colours: red, green and blue, 0 to 255, by class, or None.
    in_pixels: whether they are in columns and rows of the scene.
    remarks: one sentence for each property of the file that users should know.
  """

  where: str
  shapes: np.ndarray
  crs: pyproj.CRS | None
  classes: Sequence[Any]
  titles: Sequence[str]
  column: str | None = None
  uses: Sequence[str] | None = None
  nouns: tuple[str, str] = ("feature", "features")
  colours: Mapping[str, RGB] | None = None
  in_pixels: bool = False
  remarks: tuple[str, ...] = ()


def label_features(found: Features, grid: Grid, reading: Reading) -> Labels:
  """Labels the pixels that features cover.

  A polygon covers the pixels whose centres it contains, a point the pixel around it, and a line the pixels
  that it crosses. Features are reprojected to the scene and clipped to it; those outside label nothing.
  Pixels with several classes stay unlabelled. A feature is a unit, also if it has several parts; where
  features of one class overlap, the pixels belong to the later one.

  Raises:
    RequestError: no feature with a class is in the scene.
  """
  where = found.where if found.column is None else f"{found.where}: column {found.column!r}"
  classes = resolve_classes(found.classes, reading, found.nouns, where)
  empty = shapely.is_missing(found.shapes) | shapely.is_empty(found.shapes)
  lost = np.count_nonzero(empty & classes.kept)
  remarks = [*found.remarks, *_check_place(found, grid), *classes.remarks]
  if lost:
    remarks.append(f"{lost} {noun(lost, *found.nouns)} without a geometry left out")
  kept = classes.kept & ~empty
  if not kept.any():
    raise RequestError(f"{where}: no {found.nouns[0]} has both a geometry and a class")
  ids = np.zeros(len(kept), int)
  ids[classes.kept] = classes.ids
  problem = f"{found.where} cannot be projected onto the scene"
  with errors_as_requests(problem, "check its geometries and CRS"):
    shapes = np.full(len(kept), None)
    shapes[kept] = _in_pixels(found, found.shapes[kept], grid)
    inside, notes = _check_inside(shapes, kept, grid, found)
    remarks += notes
    labels = _labels(found, shapes, ids, inside, grid, reading)
  colours = _colours(found, ids, kept)
  return labels._replace(
    names=classes.names, colours=colours, codes=classes.codes, remarks=(*remarks, *labels.remarks)
  )


def _labels(found: Features, shapes, ids, inside, grid, reading) -> Labels:
  """Returns the label images and units of the features that are in the scene."""
  nouns = found.nouns
  if found.uses is None:
    image, units, notes = _rasterise(found, shapes, ids, inside, grid.shape)
    return Labels(image, remarks=tuple(notes), units=units)
  # Features without a class need no split.
  chosen = np.flatnonzero(ids > 0)
  tested = np.zeros(len(ids), bool)
  tested[chosen] = parse_split(
    [found.uses[i] for i in chosen],
    [f"{nouns[0]} {_title(found, i)}" for i in chosen],
    reading.split,
    found.where,
  )
  image, units, notes = _rasterise(found, shapes, ids, inside & ~tested, grid.shape)
  test, test_units, test_notes = _rasterise(found, shapes, ids, inside & tested, grid.shape)
  units = np.where(image > 0, units, test_units)
  return Labels(image, remarks=(*notes, *test_notes), test=test, units=units)


def _colours(found: Features, ids: np.ndarray, kept: np.ndarray) -> dict[int, RGB] | None:
  """Returns the colours by id: that of the first feature of a class counts."""
  if not found.colours:
    return None
  colours = {}
  for value, class_id, keep in zip(found.classes, ids.tolist(), kept):
    if keep and value in found.colours:
      colours.setdefault(class_id, found.colours[value])
  return colours or None


@contextlib.contextmanager
def errors_as_requests(problem: str, advice: str) -> Iterator[None]:
  """Turns the errors of GDAL, GEOS and pandas, which are of many types, into a RequestError."""
  try:
    yield
  except RequestError:
    raise
  except Exception as error:
    reason = " ".join(str(error).split()) or type(error).__name__
    raise RequestError(f"{problem} ({reason}); {advice}") from error


def _check_place(found: Features, grid: Grid) -> list[str]:
  """Returns what is assumed about coordinates.

  Raises:
    RequestError: the features cannot be located in the scene.
  """
  if found.in_pixels:
    return []
  if grid.georeference is None:
    raise RequestError(
      f"{found.where}: the scene has no geotransform, so {found.nouns[1]} cannot be located in it; provide "
      "the labels as an image or as a CSV file of row, column, class"
    )
  if grid.georeference.crs is None:
    return [f"the scene has no coordinate reference system; that of the {found.nouns[1]} is assumed"]
  if found.crs is None:
    raise RequestError(
      f"{found.where} has no coordinate reference system; give it with "
      "--config.files.<scene>.labels_crs=<system>, or save the file with one (for a Shapefile, in a "
      ".prj file)"
    )
  return []


def _in_pixels(found: Features, shapes: np.ndarray, grid: Grid) -> np.ndarray:
  """Returns geometries in columns and rows of the scene `[n]`; None for those too far away."""
  shapes = shapely.force_2d(shapes)
  if not found.in_pixels:
    if grid.georeference.crs is not None:
      shapes = geopandas.GeoSeries(shapes, crs=found.crs).to_crs(grid.georeference.crs).to_numpy()
    shapes = np.where(_are_far(shapes, np.inf), None, shapes)
    to_pixels = np.linalg.inv(grid.georeference.matrix)
    shapes = shapely.transform(shapes, lambda points: points @ to_pixels[:2, :2].T + to_pixels[:2, 2])
  # GDAL follows a line pixel by pixel, however far it extends.
  return np.where(_are_far(shapes, _FARTHEST), None, shapes)


def _are_far(shapes: np.ndarray, limit: float) -> np.ndarray:
  """Returns which geometries have a coordinate that is not finite or beyond the limit, bool `[n]`."""
  coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
  far = np.zeros(len(shapes), bool)
  # NaN is not smaller than anything.
  far[owners[~(np.abs(coordinates) < limit).all(axis=1)]] = True
  return far


def _check_inside(
  shapes: np.ndarray, kept: np.ndarray, grid: Grid, found: Features
) -> tuple[np.ndarray, list[str]]:
  """Returns which features are in the scene, and remarks on those that are not or are clipped.

  Raises:
    RequestError: all are outside.
  """
  height, width = grid.shape
  inside = kept & shapely.intersects(shapes, shapely.box(0, 0, width, height))
  outside = kept & ~inside
  count, nouns = np.count_nonzero(outside), found.nouns
  if not inside.any():
    raise RequestError(
      f"{found.where}: all {count} {noun(count, *nouns)} are outside the scene: "
      f"{_list(found, outside)}; {_advice(found, kept, grid)}"
    )
  notes = []
  if count:
    notes.append(f"{count} {noun(count, *nouns)} outside the scene left out: {_list(found, outside)}")
  margin = _TOLERANCE
  beyond = inside & ~shapely.covers(shapely.box(-margin, -margin, width + margin, height + margin), shapes)
  if beyond.any():
    notes.append(f"{nouns[1]} clipped to the scene: {_list(found, beyond)}")
  return inside, notes


def _advice(found: Features, kept: np.ndarray, grid: Grid) -> str:
  """Returns what to do about features that are all outside the scene."""
  swapped = shapely.transform(shapely.force_2d(found.shapes[kept]), lambda points: points[:, ::-1])
  height, width = grid.shape
  if shapely.intersects(_in_pixels(found, swapped, grid), shapely.box(0, 0, width, height)).any():
    return "their coordinates are swapped, such as latitude and longitude: save them as x, y"
  if found.in_pixels:
    return "check that they were drawn in this image"
  if found.crs is None or grid.georeference.crs is None:
    return "check that their coordinates are those of the scene"
  names = [pyproj.CRS.from_user_input(crs).name for crs in (found.crs, grid.georeference.crs)]
  return (
    f"they cover {_extent(shapely.total_bounds(found.shapes[kept]))} in {names[0]}, the scene covers "
    f"{_extent(_bounds(grid))} in {names[1]}: check both; if their coordinates are in another system, give "
    "it with --config.files.<scene>.labels_crs=<system>"
  )


def _bounds(grid: Grid) -> np.ndarray:
  """Returns the least x and y and the largest x and y of a scene."""
  height, width = grid.shape
  corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)])
  places = corners @ np.reshape(grid.georeference.transform, (2, 3)).T
  return np.concatenate([places.min(axis=0), places.max(axis=0)])


def _extent(bounds: np.ndarray) -> str:
  left, bottom, right, top = (f"{value:.10g}" for value in bounds)
  return f"x {left} to {right}, y {bottom} to {top}"


def _list(found: Features, chosen: np.ndarray) -> str:
  """Returns the first of the chosen features, given by a mask or by their places, as text."""
  places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
  more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
  return ", ".join(_title(found, place) for place in places[:_SHOWN]) + more


def _title(found: Features, place: int) -> str:
  return f"{found.titles[place]} ({str(found.classes[place])[:_LONGEST]})"


def _rasterise(
  found: Features, shapes: np.ndarray, ids: np.ndarray, mask: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
  """Returns the label image of the selected features, their numbers, and remarks on those without a label.

  The numbers, int32 `[H, W]`, count all features from 1 and are 0 where unlabelled.
  """
  selected = np.flatnonzero(mask)
  image, units, overlap, empty = burn(shapes[selected], ids[selected], selected + 1, shape)
  remarks = []
  if empty.any():
    remarks.append(
      f"{found.nouns[1]} that contain no pixel centre label nothing: {_list(found, selected[empty])}"
    )
  if overlap:
    pixels = noun(overlap, "pixel")
    remarks.append(f"{overlap} {pixels} covered by {found.nouns[1]} of several classes left unlabelled")
  return image, units, remarks

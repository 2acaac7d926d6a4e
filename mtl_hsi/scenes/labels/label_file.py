"""Reads the labels in one file of any format and fits them to the cube of the scene."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images.arrays import format_shape, location
from mtl_hsi.scenes.labels import arrays, point_table, rasters, roi_text
from mtl_hsi.scenes.labels.class_names import name_classes, select_colours
from mtl_hsi.scenes.labels.label_kinds import WITH_COLUMNS, WITH_KEYS, Kind, find_kind
from mtl_hsi.scenes.labels.label_set import Grid, Labels, Reading


class Cube(NamedTuple):
  """The properties of a cube that labels depend on: its file, shape `[H, W, B]`, grid and nodata pixels."""

  path: Path
  shape: tuple[int, int, int]
  grid: Grid
  nodata: np.ndarray | None


def read_label_file(
  path: Path, key: str | None, cube: Cube, reading: Reading, names: Mapping[int, str] | None
) -> Labels:
  """Reads the labels in a file; every class has a name, and nodata pixels are unlabelled.

  Args:
    path: file with a label image, features, regions or a table of pixels or points.
    key: name of the label image in an .npz or .mat file, or of the layer of features; None to find it.
    cube: the cube of the scene.
    reading: further options. Its table of classes replaces the names and colours in the file unless it is
      extensible.
    names: names by class id that replace all others, or None.

  Raises:
    RequestError: the file cannot be read, or does not fit the cube.
  """
  kind = find_kind(path)
  _check_options(path, key, kind, reading)
  if kind is Kind.ARRAY:
    key = key or arrays.find_label_key(path, cube.grid.shape)
  labels = _read_kind(path, key, kind, cube.grid, reading)
  if reading.table is not None and not reading.table.extensible:
    labels = labels._replace(names=reading.table.names, colours=reading.table.colours)
  _check_size(location(path, key), labels.image.shape, cube.shape)
  labels = _drop_nodata(labels, cube.nodata)
  ids = labels.image if labels.test is None else np.maximum(labels.image, labels.test)
  return labels._replace(
    names=name_classes(ids, labels.names if names is None else names, labels.codes, path, cube.path),
    colours=select_colours(ids, labels.colours),
    origin=path.name if key is None else f"{path.name} ({key})",
  )


def share_columns(path: Path, other: Path) -> bool:
  """Returns whether two files both have features, or both are tables."""
  kind = find_kind(path)
  return kind in WITH_COLUMNS and kind is find_kind(other)


def _check_options(path: Path, key: str | None, kind: Kind, reading: Reading) -> None:
  """Rejects options that a file of this kind has no use for."""
  for option, column in (("label_column", reading.classes), ("split_column", reading.split)):
    if column is not None and kind not in WITH_COLUMNS:
      raise RequestError(f"{path.absolute()} has no columns; remove {option} ({column!r})")
  if key is not None and kind not in WITH_KEYS:
    raise RequestError(f"{path.absolute()} has no layers or named arrays; remove labels_key ({key!r})")
  if reading.crs is not None and kind not in (*WITH_COLUMNS, Kind.ROI_XML):
    raise RequestError(f"{path.absolute()} has no points or shapes; remove labels_crs ({reading.crs!r})")


def _read_kind(path: Path, key: str | None, kind: Kind, grid: Grid, reading: Reading) -> Labels:
  if kind is Kind.ARRAY:
    return arrays.read_label_array(path, key, reading)
  if kind is Kind.RASTER:
    return rasters.read_label_raster(path, grid, reading)
  if kind is Kind.TABLE:
    return point_table.read_point_table(path, grid, reading)
  if kind is Kind.ROI_TEXT:
    return roi_text.read_roi_text(path, grid, reading)
  # Imported here as it takes a second.
  from mtl_hsi.scenes.labels import features, roi_xml, vectors

  if kind is Kind.ROI_XML:
    return features.label_features(roi_xml.read_roi_xml(path, reading), grid, reading)
  return features.label_features(vectors.read_features(path, key, reading), grid, reading)


def _drop_nodata(labels: Labels, nodata: np.ndarray | None) -> Labels:
  """Removes the labels of nodata pixels, with a remark if there are any."""
  if nodata is None or nodata.shape != labels.image.shape:
    return labels
  images = [image for image in (labels.image, labels.test) if image is not None]
  lost = sum(int(np.count_nonzero(nodata & (image > 0))) for image in images)
  if not lost:
    return labels
  image, *test = (np.where(nodata, 0, image) for image in images)
  units = None if labels.units is None else np.where(nodata, 0, labels.units)
  their = noun(lost, "label dropped because its pixel has", "labels dropped because their pixels have")
  remark = f"{lost} {their} no measurement (nodata)"
  return labels._replace(
    image=image, test=test[0] if test else None, units=units, remarks=(*labels.remarks, remark)
  )


def _check_size(where: str, image: tuple[int, ...], cube: tuple[int, ...]) -> None:
  if image == cube[:2]:
    return
  hint = ""
  if image == cube[1::-1]:
    hint = "; is one of them transposed?"
  elif image == cube[1:]:
    hint = "; are the bands the first axis of the cube? they must be the last"
  raise RequestError(
    f"the label image {where} is {format_shape(image)} and the cube is {format_shape(cube[:2])} (rows x "
    f"columns); both must have the same size{hint}"
  )

"""Reads the labels in one file of any format and fits them to the cube of the scene."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images.arrays import SUFFIXES, format_shape, location
from mtl_hsi.scenes.labels import arrays, pixel_table, rasters, vector_files
from mtl_hsi.scenes.labels.class_names import name_classes, select_colours
from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels

_TABLE = ".csv"


class Cube(NamedTuple):
  """The properties of a cube that labels depend on: its file, shape `[H, W, B]`, grid and nodata pixels."""

  path: Path
  shape: tuple[int, int, int]
  grid: Grid
  nodata: np.ndarray | None


def read_label_file(
  path: Path,
  key: str | None,
  cube: Cube,
  columns: Columns,
  table: ClassTable | None,
  names: Mapping[int, str] | None,
) -> Labels:
  """Reads the labels in a file; every class has a name, and nodata pixels are unlabelled.

  Args:
    path: file with a label image, features or a table of pixels.
    key: name of the label image in an .npz or .mat file, or of the layer of features; None to find it.
    cube: the cube of the scene.
    columns: columns of features or of a table.
    table: classes by id, or None. It replaces the names and colours in the files unless it is extensible.
    names: names by class id that replace all others, or None.

  Raises:
    RequestError: the file cannot be read, or does not fit the cube.
  """
  if path.suffix.lower() in SUFFIXES:
    key = key or arrays.find_label_key(path, cube.grid.shape)
  labels = _read_format(path, key, cube.grid, columns, table)
  if table is not None and not table.extensible:
    labels = labels._replace(names=table.names, colours=table.colours)
  _check_size(location(path, key), labels.image.shape, cube.shape)
  labels = _drop_nodata(labels, cube.nodata)
  ids = labels.image if labels.test is None else np.maximum(labels.image, labels.test)
  return labels._replace(
    names=name_classes(ids, labels.names if names is None else names, path, cube.path),
    colours=select_colours(ids, labels.colours),
    origin=path.name if key is None else f"{path.name} ({key})",
  )


def is_vector(path: Path) -> bool:
  """Returns whether a file has features, by its ending."""
  return path.suffix.lower() in vector_files.SUFFIXES


def share_columns(path: Path, other: Path) -> bool:
  """Returns whether two files, by their endings, both have features, or both are tables."""
  return (is_vector(path) and is_vector(other)) or path.suffix.lower() == other.suffix.lower() == _TABLE


def _read_format(
  path: Path, key: str | None, grid: Grid, columns: Columns, table: ClassTable | None
) -> Labels:
  suffix = path.suffix.lower()
  for option, column in (("label_column", columns.classes), ("split_column", columns.split)):
    if column is not None and not (suffix == _TABLE or is_vector(path)):
      raise RequestError(f"{path.absolute()} has no columns; remove {option} ({column!r})")
  if key is not None and not (suffix in SUFFIXES or is_vector(path)):
    raise RequestError(f"{path.absolute()} has no layers or named arrays; remove labels_key ({key!r})")
  if suffix in SUFFIXES:
    return Labels(arrays.read_label_array(path, key))
  if suffix == _TABLE:
    return pixel_table.read_pixel_table(path, grid, columns, table)
  if is_vector(path):
    # Imported here as it takes a second.
    from mtl_hsi.scenes.labels import vectors

    return vectors.read_features(path, key, grid, columns, table)
  return rasters.read_label_raster(path, grid)


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

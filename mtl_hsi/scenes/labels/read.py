"""Labels of a scene from a file of any format, fitted to its cube."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import SUFFIXES, format_shape, location
from mtl_hsi.scenes.labels import arrays, pixel_table, rasters
from mtl_hsi.scenes.labels.class_names import colours_of, name_classes
from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels

_TABLE = ".csv"
_VECTORS = (".gpkg", ".geojson", ".json", ".shp", ".fgb")


class Cube(NamedTuple):
  """What labels have to fit: the cube's file, shape `[H, W, B]`, grid and pixels without a measurement."""

  path: Path
  shape: tuple[int, int, int]
  grid: Grid
  nodata: np.ndarray | None


def read(
  path: Path,
  key: str | None,
  cube: Cube,
  columns: Columns,
  table: ClassTable | None,
  names: Mapping[int, str] | None,
) -> Labels:
  """Reads labels; every class that occurs has a name, and pixels without a measurement have no label.

  Args:
    path: file of a label image, of features or of a table of pixels.
    key: name of the label image in an .npz or .mat file, or of the layer of features; None: it is looked for.
    cube: what they have to fit.
    columns: of features or a table.
    table: classes by id, in place of those in the files unless it allows for more, or None.
    names: by class id, in place of all others, or None.

  Raises:
    RequestError: names the file, what is wrong with it and what was expected.
  """
  if path.suffix.lower() in SUFFIXES:
    key = key or arrays.find(path, cube.grid.shape)
  found = _read(path, key, cube.grid, columns, table)
  if table is not None and not table.more:
    found = found._replace(names=table.names, colours=table.colours)
  _check_size(location(path, key), found.image.shape, cube.shape)
  found = _measured(found, cube.nodata)
  ids = found.image if found.test is None else np.maximum(found.image, found.test)
  return found._replace(
    names=name_classes(ids, found.names if names is None else names, path, cube.path),
    colours=colours_of(ids, found.colours),
    origin=path.name if key is None else f"{path.name} ({key})",
  )


def is_vector(path: Path) -> bool:
  """Whether labels are features, by the file's ending."""
  return path.suffix.lower() in _VECTORS


def have_columns_alike(path: Path, other: Path) -> bool:
  """Whether two files of labels, by their endings, are both features, or both tables."""
  return (is_vector(path) and is_vector(other)) or path.suffix.lower() == other.suffix.lower() == _TABLE


def _read(path: Path, key: str | None, grid: Grid, columns: Columns, table: ClassTable | None) -> Labels:
  suffix = path.suffix.lower()
  for option, column in (("label_column", columns.classes), ("split_column", columns.split)):
    if column is not None and suffix not in (_TABLE, *_VECTORS):
      raise RequestError(f"{path.absolute()} has no columns; leave {option} ({column!r}) out")
  if key is not None and suffix not in (*SUFFIXES, *_VECTORS):
    raise RequestError(f"{path.absolute()} has no layers or named arrays; leave labels_key ({key!r}) out")
  if suffix in SUFFIXES:
    return Labels(arrays.read(path, key))
  if suffix == _TABLE:
    return pixel_table.read(path, grid, columns, table)
  if is_vector(path):
    # Imported here since it takes a second.
    from mtl_hsi.scenes.labels import vectors

    return vectors.read(path, key, grid, columns, table)
  return rasters.read(path, grid)


def _measured(found: Labels, nodata: np.ndarray | None) -> Labels:
  """Labels without those of pixels that hold no measurement, and a remark where there were such."""
  if nodata is None or nodata.shape != found.image.shape:
    return found
  parts = [part for part in (found.image, found.test) if part is not None]
  lost = sum(int(np.count_nonzero(nodata & (part > 0))) for part in parts)
  if not lost:
    return found
  image, *test = (np.where(nodata, 0, part) for part in parts)
  remark = f"{lost} labels dropped, of pixels that hold no measurement (nodata)"
  return found._replace(image=image, test=test[0] if test else None, remarks=(*found.remarks, remark))


def _check_size(where: str, image: tuple[int, ...], cube: tuple[int, ...]) -> None:
  if image == cube[:2]:
    return
  hint = ""
  if image == cube[1::-1]:
    hint = "; is one of them transposed?"
  elif image == cube[1:]:
    hint = "; is the cube's first axis its bands? they must be the last"
  raise RequestError(
    f"the label image {where} is {format_shape(image)} and the cube is "
    f"{format_shape(cube[:2])} (rows x columns); they must be equal{hint}"
  )

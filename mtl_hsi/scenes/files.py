"""Scenes from files: the cube of one, with the labels of the same or of others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import SUFFIXES
from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.sources import find_cube_key
from mtl_hsi.scenes.labels import class_table, label_parts, read
from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.label_set import Columns, Grid, Labels
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage import memory


def read_scene(
  name: str,
  *,
  cube: Path,
  labels: Path | None,
  cube_key: str | None,
  labels_key: str | None,
  sensor: str | None,
  class_names: Mapping[int, str] | None,
  label_column: str | None = None,
  classes: Path | None = None,
  more_labels: Path | None = None,
  test: Path | None = None,
  test_key: str | None = None,
  split_column: str | None = None,
  **image_options: Any,
) -> Scene:
  """Reads a scene from one file or several.

  Keys that are None are looked for: the cube is `cube` or the file's only three-dimensional array; the label
  image is one of `label_arrays.LABEL_KEYS` or the only image of the cube's size, integers before floats. An
  .npz file may also carry `wavelengths` and `widths` `[B]`, both in nm or both in um, `class_names`, whose
  entry i names class i + 1, and `nodata`, bool `[H, W]`; a raster its wavelengths, place, nodata, class names
  and colours. Labelled pixels that hold no measurement lose their labels.

  Args:
    name: the scene's name.
    cube: file with the values `[H, W, B]` (see `image.Image`).
    labels: file with the class ids `[H, W]` as an array or raster, or with features or a table of labelled
      pixels; None means that they are in the cube's file.
    cube_key: name of the cube in an .npz or .mat file, or None.
    labels_key: name of the label image in an .npz or .mat file, or of the layer of features, or None.
    sensor: short name of the sensor, or None.
    class_names: names by class id; those of ids that do not occur are left out. None means the names in the
      files, or "class 1" and so on.
    label_column: the column of a table or of features that holds the classes, also of a further file of the
      same kind, or None.
    classes: CSV file of id, name and colour (see `class_table`), in place of those in the files, or None.
    more_labels: file with labels of further pixels, all for training, or None; its classes are those of
      `labels` by id or name, or further ones.
    test: file with the labels of the test pixels, those of `labels` being for training, or None.
    test_key: as `labels_key`, of the file `test`.
    split_column: the column of a table or of features that says "train" or "test", in place of `test`, or
      None.
    image_options: as in `image.Image.open`.

  Raises:
    RequestError: names the file, what is wrong with it and what was expected.
  """
  if cube.suffix.lower() in SUFFIXES:
    cube_key = cube_key or find_cube_key(cube)
  image, values, nodata = _read_cube(cube, cube_key, image_options)
  if labels is None and cube.suffix.lower() not in (".npz", ".mat"):
    raise RequestError(f"{cube.absolute()} holds one array only; name the file of the label image too")
  target = read.Cube(cube, values.shape, Grid(values.shape[:2], image.georeference), nodata)
  table = None if classes is None else class_table.read(classes)
  columns = Columns(label_column, split_column)
  found = read.read(labels or cube, labels_key, target, columns, table, class_names)
  # Further files are of one use each.
  columns = columns._replace(split=None)
  if more_labels is not None:
    found = _add(name, found, more_labels, target, columns, table, class_names)
  if test is not None:
    # A file of another kind has no columns, or its own.
    own = columns if read.have_columns_alike(test, labels or cube) else Columns(None, None)
    others = read.read(test, test_key, target, own, _known(found, table), class_names)
    found = label_parts.combine(name, found, others)
  ids, tested = label_parts.whole(name, found)
  return Scene(
    name=name,
    cube=values,
    labels=ids,
    class_names=found.names,
    class_colours=found.colours,
    sensor=sensor,
    wavelengths=image.wavelengths,
    widths=image.widths,
    nodata=nodata if nodata is not None and nodata.any() else None,
    georeference=image.georeference,
    provenance=f"cube from {_origin(cube, cube_key)}, labels from {found.origin}",
    remarks=(*_about_bands(image), *found.remarks),
    tested=tested,
    trained=found.trained,
  )


def _add(name, found, path, target, columns, table, class_names) -> Labels:
  """The labels with those of a file of further pixels."""
  # Proposals call the column "class", whatever the labels do.
  own = columns if read.is_vector(path) else Columns(None, None)
  others = read.read(path, None, target, own, _known(found, table), class_names)
  return label_parts.add(name, found, others)


def _known(found: Labels, table: ClassTable | None) -> ClassTable:
  """The classes that a further file of labels shares names with."""
  return ClassTable(found.names, found.colours or {}, more=True) if table is None else table


def _read_cube(
  path: Path, key: str | None, options: dict[str, Any]
) -> tuple[Image, np.ndarray, np.ndarray | None]:
  """The image, all its values, and the pixels that hold no measurement, where it knows of such."""
  image = Image.open(path, key, **options)
  memory.check_fits(image.height * image.width * image.bands * image.dtype.itemsize, image.origin)
  values, nodata = image.read(slice(None), slice(None))
  if nodata is not None and nodata.shape == values.shape[:2] and nodata.all():
    raise RequestError(
      f"{image.origin} holds no measurement at all: every pixel is nodata in some band; "
      f"{_remedy(image, values)}"
    )
  return image, values, nodata


def _remedy(image: Image, values: np.ndarray) -> str:
  """What to do about bands that are nodata everywhere, or about the nodata itself."""
  same = [_holds_one_value(values[..., band]) for band in range(image.bands)]
  if not any(same) or all(same):
    return "check its nodata"
  empty = image.kept[same]
  option = format_bands(np.union1d(image.dropped, empty))
  return f"bands {format_bands(empty)} (from 0) hold one value throughout; give bad_bands={option}"


def _holds_one_value(band: np.ndarray) -> bool:
  return bool((band == band.flat[0]).all() or np.isnan(band).all())


def _about_bands(image: Image) -> tuple[str, ...]:
  if not len(image.dropped):
    return ()
  return (f"{len(image.dropped)} bad bands dropped, from 0: {format_bands(image.dropped)}",)


def _origin(path: Path, key: str | None) -> str:
  return path.name if key is None else f"{path.name} ({key})"

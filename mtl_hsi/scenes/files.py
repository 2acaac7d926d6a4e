"""Scenes from files: which file or array is the cube, which the labels, and what they must be."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import bad_bands as band_lists
from mtl_hsi.scenes import class_table, label_rasters, label_table
from mtl_hsi.scenes.arrays import (
  SUFFIXES,
  Entry,
  by,
  file_type,
  list_arrays,
  only_key,
  place,
  read_array,
)
from mtl_hsi.scenes.class_names import colours_of, name_classes
from mtl_hsi.scenes.class_table import ClassTable
from mtl_hsi.scenes.image import Image
from mtl_hsi.scenes.image_sources import find_cube
from mtl_hsi.scenes.labels import Grid, Labels, whole_ids
from mtl_hsi.scenes.scene import Scene

LABEL_KEYS = ("label", "labels", "gt", "ground_truth", "y")

_NUMBERS = "iuf"
_TABLE = ".csv"
_VECTORS = (".gpkg", ".geojson", ".json", ".shp", ".fgb")


def read_scene(
  name: str,
  *,
  cube: Path,
  labels: Path | None,
  cube_key: str | None,
  labels_key: str | None,
  sensor: str | None,
  nodata: float | None,
  class_names: Mapping[int, str] | None,
  label_column: str | None = None,
  classes: Path | None = None,
  wavelengths: Path | None = None,
  wavelength_unit: str | None = None,
  bad_bands: str | None = None,
  scale: float | None = None,
  offset: float | None = None,
) -> Scene:
  """Reads a scene from one file or two.

  Keys that are None are looked for: the cube is `cube` or the file's only three-dimensional array; the label
  image is one of `LABEL_KEYS` or the only image of the cube's size, integers before floats. An .npz file may
  also carry `wavelengths` and `widths` in nm `[B]`, `class_names`, whose entry i names class i + 1, and
  `nodata`, bool `[H, W]`; a raster its wavelengths, place, nodata, class names and colours. Labelled pixels
  that hold no measurement lose their labels.

  Args:
    name: the scene's name.
    cube: file with the values `[H, W, B]` (see `image.Image`).
    labels: file with the class ids `[H, W]` as an array or raster, or with features or a table of labelled
      pixels; None means that they are in the cube's file.
    cube_key: name of the cube in an .npz or .mat file, or None.
    labels_key: name of the label image in an .npz or .mat file, or of the layer of features, or None.
    sensor: short name of the sensor, or None.
    nodata: value that stands for a missing measurement: a pixel that has it in any band is none. None means
      what the file says, or that every pixel was measured.
    class_names: names by class id; those of ids that do not occur are left out. None means the names in the
      files, or "class 1" and so on.
    label_column: the column of a table or of features that holds the classes, or None.
    classes: CSV file of id, name and colour (see `class_table`), in place of those in the files, or None.
    wavelengths, wavelength_unit, bad_bands, scale, offset: as in `image.Image.open`.

  Raises:
    RequestError: names the file, what is wrong with it and what was expected.
  """
  if cube.suffix.lower() in SUFFIXES:
    cube_key = cube_key or find_cube(cube)
  image = Image.open(
    cube,
    cube_key,
    nodata=nodata,
    scale=scale,
    offset=offset,
    wavelengths=wavelengths,
    wavelength_unit=wavelength_unit,
    bad_bands=bad_bands,
  )
  values, mask = image.read(slice(None), slice(None))
  if mask is not None and mask.shape == values.shape[:2] and mask.all():
    raise RequestError(f"{image.origin} holds no measurement at all: every pixel is nodata; check its nodata")
  if labels is None and cube.suffix.lower() not in (".npz", ".mat"):
    raise RequestError(f"{cube.absolute()} holds one array only; name the file of the label image too")
  labels = labels or cube
  if labels.suffix.lower() in SUFFIXES:
    labels_key = labels_key or _find_labels(labels, values.shape[:2])
  table = None if classes is None else class_table.read(classes)
  grid = Grid(values.shape[:2], image.georeference)
  found = _read_labels(labels, labels_key, grid, label_column, table)
  _check_size(place(labels, labels_key), found.image.shape, values.shape)
  if class_names is not None:
    found = found._replace(names=class_names)
  ids, lost = _measured(found.image, mask)
  return Scene(
    name=name,
    cube=values,
    labels=ids,
    class_names=name_classes(ids, found.names, labels, cube),
    class_colours=colours_of(ids, found.colours),
    sensor=sensor,
    wavelengths=image.wavelengths,
    widths=image.widths,
    nodata=mask if mask is not None and mask.any() else None,
    georeference=image.georeference,
    provenance=f"cube from {_origin(cube, cube_key)}, labels from {_origin(labels, labels_key)}",
    remarks=(*_about_bands(image), *found.remarks, *lost),
  )


def _read_labels(
  path: Path, key: str | None, grid: Grid, column: str | None, table: ClassTable | None
) -> Labels:
  """Labels of any format, with the names and colours of the table, where there is one."""
  suffix = path.suffix.lower()
  if column is not None and suffix not in (_TABLE, *_VECTORS):
    raise RequestError(f"{path.absolute()} has no columns; leave label_column ({column!r}) out")
  if key is not None and suffix not in (*SUFFIXES, *_VECTORS):
    raise RequestError(f"{path.absolute()} has no layers or named arrays; leave labels_key ({key!r}) out")
  if suffix in SUFFIXES:
    found = Labels(read_labels(path, key))
  elif suffix == _TABLE:
    found = label_table.read(path, grid, column, table)
  elif suffix in _VECTORS:
    # Imported here since it takes a second.
    from mtl_hsi.scenes import label_vectors

    found = label_vectors.read(path, key, grid, column, table)
  else:
    found = label_rasters.read(path, grid)
  return found if table is None else found._replace(names=table.names, colours=table.colours)


def _measured(labels: np.ndarray, nodata: np.ndarray | None) -> tuple[np.ndarray, tuple[str, ...]]:
  """Labels without those of pixels that hold no measurement, and a remark where there were such."""
  if nodata is None or nodata.shape != labels.shape:
    return labels, ()
  lost = int(np.count_nonzero(nodata & (labels > 0)))
  if not lost:
    return labels, ()
  return np.where(nodata, 0, labels), (f"{lost} labels dropped, of pixels that hold no measurement (nodata)",)


def _about_bands(image: Image) -> tuple[str, ...]:
  if not len(image.dropped):
    return ()
  return (f"{len(image.dropped)} bad bands dropped, from 0: {band_lists.in_words(image.dropped)}",)


def read_labels(path: Path, key: str | None) -> np.ndarray:
  """Reads a label image as int32 `[H, W]`; 0 is unlabelled.

  Whole numbers of any dtype are taken, `[H, W, 1]` and `[1, H, W]` lose their third axis.

  Raises:
    RequestError: as `read_array`, or the array is not an image of whole numbers.
  """
  image = read_array(path, key)
  return whole_ids(image.reshape(_image_shape(image.shape)), f"the label image {place(path, key)}")


def _find_labels(path: Path, size: tuple[int, int]) -> str | None:
  if file_type(path) == ".npy":
    return None
  entries = list_arrays(path)
  for key in LABEL_KEYS:
    if key in entries:
      return key

  # A transposed image and, at last, one of another size are taken too: the check of sizes names them.
  def fits(shape):
    return _image_shape(shape) in (size, size[::-1])

  def is_image(shape):
    return len(_image_shape(shape)) == 2 and min(_image_shape(shape)) > 1

  groups = _keys(entries, "iu", fits), _keys(entries, _NUMBERS, fits), _keys(entries, _NUMBERS, is_image)
  return only_key(path, f"the label image ({by(size)})", *groups)


def _keys(entries: Mapping[str, Entry], kinds: str, accept: Callable[[tuple[int, ...]], bool]) -> list[str]:
  return [key for key, entry in entries.items() if entry.kind in kinds and accept(entry.shape)]


def _image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
  """Without the third axis of `[H, W, 1]` or `[1, H, W]`."""
  if len(shape) == 3 and shape[2] == 1:
    return shape[:2]
  return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape


def _check_size(where: str, image: tuple[int, ...], cube: tuple[int, ...]) -> None:
  if image == cube[:2]:
    return
  hint = ""
  if image == cube[1::-1]:
    hint = "; is one of them transposed?"
  elif image == cube[1:]:
    hint = "; is the cube's first axis its bands? they must be the last"
  raise RequestError(
    f"the label image {where} is {by(image)} and the cube is {by(cube[:2])} (rows x columns); "
    f"they must be equal{hint}"
  )


def _origin(path: Path, key: str | None) -> str:
  return path.name if key is None else f"{path.name} ({key})"

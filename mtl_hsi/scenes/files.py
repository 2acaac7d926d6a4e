"""Reads scenes from files: the cube, and the labels in the same or in other files."""

from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.cube import Cube, every_nth
from mtl_hsi.scenes.images.arrays import SUFFIXES
from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.images.file_cube import FileCube
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.sources import find_cube_key
from mtl_hsi.scenes.labels import label_file
from mtl_hsi.scenes.labels.combine import merge_split
from mtl_hsi.scenes.labels.label_set import Grid
from mtl_hsi.scenes.labels.read import LabelOptions, read_labels
from mtl_hsi.scenes.scene import ImageFile, Scene
from mtl_hsi.storage import memory


def read_scene(
  name: str,
  *,
  cube: Path,
  cube_key: str | None = None,
  sensor: str | None = None,
  whole_up_to: int | None = None,
  **options: Any,
) -> Scene:
  """Reads a scene from one or several files.

  An .npz file may also contain `wavelengths` and `widths` `[B]`, both in nm or both in um, `class_names`,
  whose entry i names class i + 1, and `nodata`, bool `[H, W]`. A raster may have wavelengths, georeference,
  nodata value, class names and colours. Labelled nodata pixels lose their labels.

  Args:
    name: the scene's name.
    cube: file with the values `[H, W, B]` (see `Image`).
    cube_key: name of the cube in an .npz or .mat file. None selects `cube` or the only three-dimensional
      array.
    sensor: short name of the sensor, or None.
    whole_up_to: bytes of the values up to which they are read as a whole; a larger cube is read by windows.
      None: every cube is read as a whole.
    options: the fields of `LabelOptions` and the options of `Image.open`.

  Raises:
    RequestError: a file cannot be read, or the files do not make a valid scene.
  """
  label_options = LabelOptions(**{key: options.pop(key) for key in LabelOptions._fields if key in options})
  if cube.suffix.lower() in SUFFIXES:
    cube_key = cube_key or find_cube_key(cube)
  image, values, nodata = _read_cube(cube, cube_key, whole_up_to, options)
  if label_options.labels is None and cube.suffix.lower() not in (".npz", ".mat"):
    raise RequestError(f"{cube.absolute()} contains only the cube; add the file with its labels (labels)")
  grid = Grid(values.shape[:2], image.georeference)
  labels = read_labels(name, label_options, label_file.Cube(cube, values.shape, grid, nodata))
  ids, tested = merge_split(name, labels)
  return Scene(
    name=name,
    cube=values,
    labels=ids,
    class_names=labels.names,
    class_colours=labels.colours,
    class_codes=labels.codes or None,
    sensor=sensor,
    wavelengths=image.wavelengths,
    widths=image.widths,
    nodata=nodata if nodata is not None and nodata.any() else None,
    georeference=image.georeference,
    file=ImageFile(len(image.kept) + len(image.dropped), tuple(image.dropped.tolist()), image.file_nodata),
    acquired=image.acquired,
    provenance=f"cube from {_origin(cube, cube_key)}, labels from {labels.origin}",
    remarks=(*image.remarks, *_band_remarks(image), *labels.remarks),
    tested=tested,
    trained=labels.trained,
    units=labels.units,
  )


def _read_cube(
  path: Path, key: str | None, whole_up_to: int | None, options: dict[str, Any]
) -> tuple[Image, Cube, np.ndarray | None]:
  """Returns the image, its values `[H, W, B]`, and its nodata pixels `[H, W]` or None."""
  image = Image.open(path, key, **options)
  size = image.height * image.width * image.bands * image.dtype.itemsize
  if whole_up_to is not None and size > whole_up_to:
    values = FileCube(image)
    nodata = values.read_nodata()
  else:
    memory.check_fits(size, image.origin)
    values, nodata = image.read(slice(None), slice(None))
  if nodata is not None and nodata.shape == values.shape[:2] and nodata.all():
    raise RequestError(
      f"{image.origin} has no measurement at all: every pixel is nodata in some band; "
      f"{_advice(image, values)}"
    )
  return image, values, nodata


def _advice(image: Image, values: Cube) -> str:
  """Returns what to do about an image of nodata: drop its empty bands, or check its nodata value."""
  constant = [_is_constant(every_nth(values, 1, [band])) for band in range(image.bands)]
  if not any(constant) or all(constant):
    return "check its nodata"
  empty = image.kept[constant]
  option = format_bands(np.union1d(image.dropped, empty))
  return f"bands {format_bands(empty)} (from 0) have the same value everywhere; set bad_bands={option}"


def _is_constant(band: np.ndarray) -> bool:
  return bool((band == band.flat[0]).all() or np.isnan(band).all())


def _band_remarks(image: Image) -> tuple[str, ...]:
  if not len(image.dropped):
    return ()
  return (f"{len(image.dropped)} bad bands dropped (from 0): {format_bands(image.dropped)}",)


def _origin(path: Path, key: str | None) -> str:
  return path.name if key is None else f"{path.name} ({key})"

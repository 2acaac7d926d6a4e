"""Reads scenes from files: the cube, and the labels in the same or in other files."""

from collections.abc import Mapping, Sequence
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
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.labels import label_file
from mtl_hsi.scenes.labels.combine import merge_split
from mtl_hsi.scenes.labels.label_set import Grid, Labels
from mtl_hsi.scenes.labels.read import LabelOptions, read_labels
from mtl_hsi.scenes.libraries.read import LibraryOptions, NamedSpectra, read_library, samples_of_scene
from mtl_hsi.scenes.scene import ImageFile, LibrarySpectra, Scene
from mtl_hsi.storage import memory


def read_scene(
  name: str,
  *,
  cube: Path,
  cube_key: str | None = None,
  sensor: str | None = None,
  whole_up_to: int | None = None,
  library: LibraryOptions | None = None,
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
    whole_up_to: bytes up to which a cube is read as a whole and not by windows; None for every cube.
    library: spectra that are further training samples, or None.
    options: the fields of `LabelOptions` and the options of `Image.open`.

  Raises:
    RequestError: a file cannot be read, or the files do not make a valid scene.
  """
  label_options = LabelOptions(**{key: options.pop(key) for key in LabelOptions._fields if key in options})
  if cube.suffix.lower() in SUFFIXES:
    cube_key = cube_key or find_cube_key(cube)
  image, values, nodata = _read_cube(cube, cube_key, whole_up_to, options)
  spectra = None if library is None else read_library(library)
  grid = Grid(values.shape[:2], image.georeference)
  labels = _read_labels(name, label_options, label_file.Cube(cube, values.shape, grid, nodata), spectra)
  ids, tested = merge_split(name, labels)
  samples, remarks = _spectra_of_scene(spectra, library, labels, image, (values, nodata))
  names = _names_in_use(labels.names, ids, samples)
  return Scene(
    name=name,
    cube=values,
    labels=ids,
    class_names=names,
    class_colours=labels.colours,
    class_codes={i: code for i, code in labels.codes.items() if i in names} or None,
    sensor=sensor,
    wavelengths=image.wavelengths,
    widths=image.widths,
    nodata=nodata if nodata is not None and nodata.any() else None,
    georeference=image.georeference,
    file=_image_file(image),
    acquired=image.acquired,
    provenance=_provenance(_origin(cube, cube_key), labels.origin, library if samples else None),
    remarks=(*image.remarks, *_band_remarks(image), *labels.remarks, *remarks),
    tested=tested,
    trained=labels.trained,
    units=labels.units,
    library=samples,
  )


def _read_labels(
  name: str, options: LabelOptions, cube: label_file.Cube, spectra: NamedSpectra | None
) -> Labels:
  if options.labels is None and spectra is None and cube.path.suffix.lower() not in (".npz", ".mat"):
    raise RequestError(
      f"{cube.path.absolute()} contains only the cube; add the file with its labels, "
      f"--config.files.{name}.labels=<path>"
    )
  return read_labels(name, options, cube, spectra and spectra.classes)


def _spectra_of_scene(
  spectra: NamedSpectra | None,
  options: LibraryOptions | None,
  labels: Labels,
  image: Image,
  values: tuple[np.ndarray, np.ndarray | None],
) -> tuple[LibrarySpectra | None, Sequence[str]]:
  """Returns the spectra of a library that train, and sentences for the user."""
  if spectra is None:
    return None, ()
  bands = Wavelengths(image.wavelengths, image.widths)
  return samples_of_scene(spectra, options, labels, bands, *values)


def _image_file(image: Image) -> ImageFile:
  bands = len(image.kept) + len(image.dropped)
  return ImageFile(bands, tuple(image.dropped.tolist()), image.file_nodata)


def _names_in_use(
  names: Mapping[int, str], labels: np.ndarray, samples: LibrarySpectra | None
) -> dict[int, str]:
  """Returns the names without those of classes of which only unused spectra exist."""
  present = np.unique(labels) if samples is None else np.union1d(labels, samples.class_ids)
  return {class_id: name for class_id, name in names.items() if class_id in present}


def _provenance(cube: str, labels: str, library: LibraryOptions | None) -> str:
  spectra = "" if library is None else f", spectra from {library.library.name}"
  return f"cube from {cube}, labels from {labels}{spectra}"


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

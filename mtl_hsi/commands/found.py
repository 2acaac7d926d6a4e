"""What the files of a new scene are, and what they contain."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.labels import columns, label_file, vector_files
from mtl_hsi.scenes.labels.label_kinds import Kind, find_kind
from mtl_hsi.scenes.labels.label_set import Grid, Labels
from mtl_hsi.scenes.labels.read import LabelOptions, read_labels
from mtl_hsi.scenes.labels.tables import read_table

_TABLES = (".csv", ".tsv", ".txt")
# Files of features with these endings may also be products: archives and STAC items.
_AMBIGUOUS = (".zip", ".json")
_WAVELENGTH = re.compile(r"cent(re|er)|wave|lambda|fwhm|^\s*(nm|um|wl)\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9.]+")


@dataclasses.dataclass(frozen=True)
class Files:
  """The files of a scene, by what they are; None for those that are missing."""

  cube: Path
  labels: Path | None = None
  classes: Path | None = None
  wavelengths: Path | None = None
  test: Path | None = None


def sort_files(paths: Sequence[Path], test: Path | None = None) -> Files:
  """Returns the files of a scene by their role, which their contents show; files of test labels are given.

  Raises:
    RequestError: a file cannot be read, two have the same role, or there is no image.
  """
  found = {}
  for path in paths:
    part = role(path)
    if part in found:
      raise RequestError(
        f"{found[part]} and {path} both look like {_NAMES[part]}; give one of them, and add the other to the "
        "scenes file"
      )
    found[part] = path
  if "cube" not in found:
    for path in paths:
      # Says why none of its arrays is an image.
      if find_kind(path) is Kind.ARRAY:
        Image.open(path)
    raise RequestError(f"no image among {', '.join(map(str, paths))}; give the file of the image too")
  return Files(**found, test=test)


_NAMES = {
  "cube": "images",
  "labels": "labels",
  "classes": "tables of classes",
  "wavelengths": "tables of wavelengths",
}


def role(path: Path) -> str:
  """Returns what a file is: "cube", "labels", "classes" or "wavelengths".

  Raises:
    RequestError: the file is missing or none of these.
  """
  if not path.exists():
    raise RequestError(f"no such file: {path.absolute()}")
  suffix = path.suffix.lower()
  if suffix in vector_files.SUFFIXES and suffix not in _AMBIGUOUS:
    return "labels"
  if suffix in _TABLES:
    return _role_of_table(path)
  try:
    image = Image.open(path)
  except RequestError:
    # A file of labels is no image, but a damaged image is no file of labels.
    if path.is_dir() or find_kind(path) is Kind.RASTER:
      raise
    return "labels"
  return "cube" if image.bands > 1 else "labels"


def _role_of_table(path: Path) -> str:
  if find_kind(path) is not Kind.TABLE:
    return "labels"
  titles = {title.lower() for title in read_table(path)[0]}
  if {"id", "name"} <= titles:
    return "classes"
  wavelengths = any(map(_WAVELENGTH.search, titles)) or all(map(_NUMBER.fullmatch, titles))
  return "wavelengths" if titles and wavelengths else "labels"


def open_image(files: Files) -> Image:
  """Opens the image of a scene.

  Raises:
    RequestError: it cannot be read, or its table of wavelengths does not fit.
  """
  return Image.open(files.cube, wavelengths=files.wavelengths)


def class_columns(files: Files, layer: str | None) -> columns.Columns | None:
  """Returns the columns of the labels; None if they have none, or are in the file of the image."""
  return None if files.labels is None else columns.list_columns(files.labels, layer)


def find_labels(files: Files, image: Image, column: str | None, layer: str | None) -> Labels:
  """Reads the labels of a scene; the image itself is not read.

  Raises:
    RequestError: they cannot be read, do not fit the image, or need a column.
  """
  if files.labels is None and files.cube.suffix.lower() not in (".npz", ".mat"):
    raise RequestError(f"{files.cube} contains only the image; give the file of the labels too")
  options = LabelOptions(
    labels=files.labels, labels_key=layer, label_column=column, classes=files.classes, test=files.test
  )
  shape = image.height, image.width, image.bands
  return read_labels(
    "scene", options, label_file.Cube(files.cube, shape, Grid(shape[:2], image.georeference), None)
  )

"""Names and colours of the classes that occur in a label image."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape, location, npz_contains, read_array
from mtl_hsi.scenes.labels.class_table import RGB


def name_classes(image: np.ndarray, given: Mapping[int, str] | None, *paths: Path) -> dict[int, str]:
  """Names from the caller, else from the first of the files that carries some, else by number.

  Raises:
    RequestError: a class that occurs has no name, or what a file carries are no names.
  """
  present = np.unique(image[image > 0]).tolist()
  names, source = given, "the class names that were given (classes)"
  for path in paths:
    if names is None and npz_contains(path, "class_names"):
      names, source = _read_class_names(path), location(path, "class_names")
  if names is None:
    return {label: f"class {label}" for label in present}
  unnamed = [label for label in present if label not in names]
  if unnamed:
    raise RequestError(
      f"{source}: names for ids {sorted(names)}, but the labels in {paths[0].absolute()} also hold {unnamed}"
    )
  return {label: names[label] for label in present}


def _read_class_names(path: Path) -> dict[int, str]:
  names = read_array(path, "class_names")
  if names.ndim != 1 or names.dtype.kind != "U":
    raise RequestError(
      f"{location(path, 'class_names')} is {names.dtype} of {format_shape(names.shape)}, expected one string "
      "per class, the first for class 1"
    )
  return dict(enumerate(names.tolist(), start=1))


def colours_of(image: np.ndarray, given: Mapping[int, RGB] | None) -> dict[int, RGB] | None:
  """Colours of the classes that occur, as far as there are some; None where there are none."""
  present = np.unique(image[image > 0]).tolist()
  return {label: given[label] for label in present if label in (given or {})} or None

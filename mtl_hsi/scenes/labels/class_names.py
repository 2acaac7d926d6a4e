"""Ids, names and colours of classes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape, location, npz_contains, read_array
from mtl_hsi.scenes.labels.class_table import LARGEST_ID, RGB, ClassTable

_INTEGER = re.compile(r"-?\d+(\.0*)?")


def resolve_ids(
  values: Sequence, table: ClassTable | None, where: str
) -> tuple[list[int], dict[int, str] | None]:
  """Returns class ids for values that are ids or names.

  Values are ids if all of them are integers. Names get the ids of the table or, without a table, 1, 2, ... in
  sorted order. An extensible table gives the names that it lacks the ids after its last one.

  Args:
    values: numbers or texts; none may be missing.
    table: classes by id, or None.
    where: the source, for messages.

  Returns:
    An id for every value, and the names by id if the values are names.

  Raises:
    RequestError: an id is negative or too large, or a name is not in the table.
  """
  texts = [str(value).strip() for value in values]
  if all(map(_INTEGER.fullmatch, texts)):
    # int() limits the number of digits, float() does not: it gives infinity.
    ids = [float(text) for text in texts]
    for class_id in (min(ids), max(ids)):
      if not 0 <= class_id <= LARGEST_ID:
        raise RequestError(f"{where}: class id {class_id:.15g}; expected 0 (unlabelled) to {LARGEST_ID}")
    return [int(class_id) for class_id in ids], None
  if table is None:
    ids = {name: class_id for class_id, name in enumerate(sorted(set(texts)), start=1)}
  else:
    ids = {name: class_id for class_id, name in table.names.items()}
  unknown = sorted(set(texts) - set(ids))
  if unknown and table.extensible:
    ids |= {name: class_id for class_id, name in enumerate(unknown, start=max(ids.values(), default=0) + 1)}
  elif unknown:
    raise RequestError(
      f"{where}: classes {', '.join(map(repr, unknown))} are not in the table of classes; it lists "
      f"{', '.join(map(repr, ids))}"
    )
  return [ids[text] for text in texts], {ids[text]: text for text in sorted(set(texts))}


def name_classes(image: np.ndarray, given: Mapping[int, str] | None, *paths: Path) -> dict[int, str]:
  """Returns a name for every class id in a label image.

  Names are those given, those in the first of the files with some, or "class 1" and so on.

  Raises:
    RequestError: a class in the image has no name, or the names in a file are invalid.
  """
  present = np.unique(image[image > 0]).tolist()
  names, source = given, "the given class names (classes)"
  for path in paths:
    if names is None and npz_contains(path, "class_names"):
      names, source = _read_class_names(path), location(path, "class_names")
  if names is None:
    return {class_id: f"class {class_id}" for class_id in present}
  unnamed = [class_id for class_id in present if class_id not in names]
  if unnamed:
    raise RequestError(
      f"{source}: names for ids {sorted(names)}, but the labels in {paths[0].absolute()} also "
      f"contain {unnamed}"
    )
  return {class_id: names[class_id] for class_id in present}


def select_colours(image: np.ndarray, given: Mapping[int, RGB] | None) -> dict[int, RGB] | None:
  """Returns the given colours of the class ids in a label image; None if there are none."""
  present = np.unique(image[image > 0]).tolist()
  return {class_id: given[class_id] for class_id in present if class_id in (given or {})} or None


def _read_class_names(path: Path) -> dict[int, str]:
  names = read_array(path, "class_names")
  if names.ndim != 1 or names.dtype.kind != "U":
    raise RequestError(
      f"{location(path, 'class_names')} has dtype {names.dtype} and shape {format_shape(names.shape)}; "
      "expected one string per class, starting with class 1"
    )
  return dict(enumerate(names.tolist(), start=1))

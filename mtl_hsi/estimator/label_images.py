"""Labels from Python: images of class ids or of class names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.estimator import array_images, data_arrays

_LARGEST_ID = 2**16 - 1


class LabelImage(NamedTuple):
  """Labels of a scene.

  Attributes:
    ids: class ids, 0 where unlabelled, int32 `[H, W]`.
    names: name of every class that occurs, by id.
  """

  ids: np.ndarray
  names: Mapping[int, str]


def read(labels: Any, class_names: Mapping[int, str] | Sequence[str] | None) -> LabelImage:
  """Returns ids and names of labels.

  Names get the ids 1, 2, 3 ... in alphabetical order; an empty text or None is unlabelled.

  Args:
    labels: class ids or names `[H, W]`, a DataArray of these, or an open rasterio dataset of one band.
    class_names: names by id, or in ascending order of the ids that occur; None: "class 1" and so on.

  Raises:
    RequestError: the labels are invalid, or a name is missing.
  """
  if data_arrays.is_data_array(labels):
    labels = data_arrays.read(labels).values
  elif array_images.is_dataset(labels):
    labels = labels.read(1, masked=True).filled(0)
  values = np.ma.filled(labels, 0) if np.ma.isMaskedArray(labels) else np.asarray(labels)
  if values.ndim != 2:
    raise RequestError(f"the labels have {values.ndim} axes; expected rows x columns")
  if values.dtype.kind in "OUS":
    return _from_names(values, class_names)
  if values.dtype.kind == "f":
    filled = np.nan_to_num(values, posinf=-1, neginf=-1)
    values = filled.astype(np.int64) if (filled == filled.round()).all() else values
  if values.dtype.kind not in "iu" or values.min(initial=0) < 0 or values.max(initial=0) > _LARGEST_ID:
    raise RequestError(
      f"the labels are not class ids (dtype {values.dtype}); expected whole numbers of 1 to {_LARGEST_ID}, 0 "
      "where unlabelled, or names"
    )
  found = np.unique(values[values > 0]).tolist()
  return LabelImage(values.astype(np.int32), _names(found, class_names))


def are_names(labels: Any) -> bool:
  """Returns whether labels are names of classes."""
  values = getattr(labels, "values", labels)
  return np.asarray(values).dtype.kind in "OUS" if not array_images.is_dataset(labels) else False


def _from_names(values: np.ndarray, class_names: Any) -> LabelImage:
  if class_names is not None:
    raise RequestError("class_names are given, but the labels are names already; remove one of them")
  texts = np.array(["" if text is None else str(text) for text in values.ravel()])
  names = np.unique(texts[texts != ""])
  ids = np.where(texts == "", 0, np.searchsorted(names, texts) + 1)
  return LabelImage(ids.reshape(values.shape).astype(np.int32), dict(enumerate(names.tolist(), start=1)))


def _names(found: Sequence[int], given: Mapping[int, str] | Sequence[str] | None) -> dict[int, str]:
  if given is None:
    return {class_id: f"class {class_id}" for class_id in found}
  if isinstance(given, Mapping):
    missing = [class_id for class_id in found if class_id not in given]
    if missing:
      raise RequestError(f"class_names has no name for the class {missing[0]}")
    return {class_id: given[class_id] for class_id in found}
  if isinstance(given, str) or len(given) != len(found):
    raise RequestError(f"class_names has {len(given)} names; expected one for each of {len(found)} classes")
  return dict(zip(found, given, strict=True))

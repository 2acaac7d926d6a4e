"""Scenes from files: which array is the cube, which the label image, and what they must be."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.arrays import Entry, by, file_type, list_arrays, only_key, place, read_array
from mtl_hsi.scenes.scene import Scene

LABEL_KEYS = ("label", "labels", "gt", "ground_truth", "y")

_NUMBERS = "iuf"


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
) -> Scene:
  """Reads a scene from one file or two.

  Keys that are None are looked for: the cube is `cube` or the file's only three-dimensional array; the label
  image is one of `LABEL_KEYS` or the only image of the cube's size, integers before floats. An .npz file may
  also carry `wavelengths` and `widths` in nm `[B]`, `class_names`, whose entry i names class i + 1, and
  `nodata`, bool `[H, W]`.

  Args:
    name: the scene's name.
    cube: file with the values `[H, W, B]`.
    labels: file with the class ids `[H, W]`; None means that they are in the cube's file.
    cube_key: name of the cube in an .npz or .mat file, or None.
    labels_key: name of the label image in an .npz or .mat file, or None.
    sensor: short name of the sensor, or None.
    nodata: value that stands for a missing measurement: a pixel that has it in any band is none. None means
      the mask in the file, or that every pixel was measured.
    class_names: names by class id; those of ids that do not occur are left out. None means the names in the
      file, or "class 1" and so on.

  Raises:
    RequestError: names the file, what is wrong with it and what was expected.
  """
  cube_key = cube_key or _find_cube(cube)
  values = read_array(cube, cube_key)
  if values.ndim != 3:
    raise RequestError(f"{place(cube, cube_key)} is {by(values.shape)}, expected rows x columns x bands")
  if labels is None and file_type(cube) == ".npy":
    raise RequestError(f"{cube.absolute()} holds one array only; name the file of the label image too")
  labels = labels or cube
  labels_key = labels_key or _find_labels(labels, values.shape[:2])
  image = read_labels(labels, labels_key)
  _check_size(place(labels, labels_key), image.shape, values.shape)
  return Scene(
    name=name,
    cube=values,
    labels=image,
    class_names=_name_classes(image, class_names, labels, cube),
    sensor=sensor,
    wavelengths=_read_bands(cube, "wavelengths"),
    widths=_read_bands(cube, "widths"),
    nodata=_read_nodata(cube) if nodata is None else _equals(values, nodata).any(axis=2),
    provenance=f"cube from {_origin(cube, cube_key)}, labels from {_origin(labels, labels_key)}",
  )


def read_labels(path: Path, key: str | None) -> np.ndarray:
  """Reads a label image as int32 `[H, W]`; 0 is unlabelled.

  Whole numbers of any dtype are taken, `[H, W, 1]` and `[1, H, W]` lose their third axis.

  Raises:
    RequestError: as `read_array`, or the array is not an image of whole numbers.
  """
  image = read_array(path, key)
  image = image.reshape(_image_shape(image.shape))
  where = f"the label image {place(path, key)}"
  if image.ndim != 2 or image.size == 0:
    raise RequestError(f"{where} is {by(image.shape)}, expected rows x columns")
  if image.dtype.kind not in _NUMBERS:
    raise RequestError(f"{where} holds {image.dtype}, expected integer class ids with 0 for unlabelled")
  # NaN is unequal to itself and so counts as not whole.
  broken = image[image != np.floor(image)]
  if broken.size:
    raise RequestError(f"{where} holds {broken[0]}, expected whole class ids with 0 for unlabelled")
  limits = np.iinfo(np.int32)
  if image.min() < limits.min or image.max() > limits.max:
    raise RequestError(f"{where} holds ids from {image.min()} to {image.max()}, expected 0 to {limits.max}")
  return image.astype(np.int32)


def _find_cube(path: Path) -> str | None:
  if file_type(path) == ".npy":
    return None
  entries = list_arrays(path)
  if "cube" in entries:
    return "cube"
  cubes = _keys(entries, _NUMBERS, lambda shape: len(shape) == 3 and min(shape) > 1)
  return only_key(path, "the cube (rows x columns x bands)", cubes)


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


def _name_classes(image: np.ndarray, given: Mapping[int, str] | None, *paths: Path) -> dict[int, str]:
  """Names from the caller, else from the first of the files that carries some, else by number."""
  present = np.unique(image[image > 0]).tolist()
  names, source = given, "the class names given"
  for path in paths:
    if names is None and _carries(path, "class_names"):
      names, source = _read_class_names(path), place(path, "class_names")
  if names is None:
    return {label: f"class {label}" for label in present}
  unnamed = [label for label in present if label not in names]
  if unnamed:
    raise RequestError(f"{source}: names for ids {sorted(names)}, but the label image also holds {unnamed}")
  return {label: names[label] for label in present}


def _read_class_names(path: Path) -> dict[int, str]:
  names = read_array(path, "class_names")
  if names.ndim != 1 or names.dtype.kind != "U":
    raise RequestError(
      f"{place(path, 'class_names')} is {names.dtype} of {by(names.shape)}, expected one string per class, "
      "the first for class 1"
    )
  return dict(enumerate(names.tolist(), start=1))


def _read_bands(path: Path, key: str) -> np.ndarray | None:
  if not _carries(path, key):
    return None
  values = read_array(path, key)
  if values.dtype.kind not in _NUMBERS:
    raise RequestError(f"{place(path, key)} holds {values.dtype}, expected numbers in nm")
  return values.astype(np.float64)


def _read_nodata(path: Path) -> np.ndarray | None:
  if not _carries(path, "nodata"):
    return None
  mask = read_array(path, "nodata")
  if mask.dtype != bool:
    raise RequestError(f"{place(path, 'nodata')} holds {mask.dtype}, expected bool of rows x columns")
  return mask


def _equals(values: np.ndarray, nodata: float) -> np.ndarray:
  return np.isnan(values) if np.isnan(nodata) else values == nodata


def _carries(path: Path, key: str) -> bool:
  return file_type(path) == ".npz" and key in list_arrays(path)


def _origin(path: Path, key: str | None) -> str:
  return path.name if key is None else f"{path.name} ({key})"

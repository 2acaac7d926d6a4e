"""Label images in .npy, .npz and .mat files."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mtl_hsi.scenes.images.arrays import (
  Entry,
  choose_key,
  format_shape,
  known_suffix,
  list_arrays,
  location,
  read_array,
)
from mtl_hsi.scenes.labels.class_codes import number_image, renumbered
from mtl_hsi.scenes.labels.label_set import Labels, Reading

LABEL_KEYS = ("label", "labels", "gt", "ground_truth", "y")

_NUMBERS = "iuf"


def read_label_array(path: Path, key: str | None, reading: Reading) -> Labels:
  """Reads a label image.

  The array may have any dtype of whole numbers and the shape `[H, W]`, `[H, W, 1]` or `[1, H, W]`.

  Raises:
    RequestError: as `read_array`, or the array is not an image of whole numbers.
  """
  image = read_array(path, key)
  values, where = image.reshape(_image_shape(image.shape)), f"the label image {location(path, key)}"
  found = number_image(values, (0,), reading, where)
  return Labels(found.image, remarks=found.remarks, codes=renumbered(found.ids))


def has_labels(path: Path) -> bool:
  """Returns whether an .npz or .mat file has an array with one of `LABEL_KEYS` as its name."""
  return path.suffix.lower() in (".npz", ".mat") and not set(LABEL_KEYS).isdisjoint(list_arrays(path))


def find_label_key(path: Path, size: tuple[int, int]) -> str | None:
  """Returns the key of the label image in an .npz or .mat file; None for an .npy file.

  It is one of `LABEL_KEYS` or that of the only image of the size, integers before floats. A transposed image
  and, last, one of another size are found as well, for the check of sizes to report them.

  Raises:
    RequestError: there is no such image; lists the arrays of the file.
  """
  if known_suffix(path) == ".npy":
    return None
  entries = list_arrays(path)
  for key in LABEL_KEYS:
    if key in entries:
      return key

  def fits(shape):
    return _image_shape(shape) in (size, size[::-1])

  def is_image(shape):
    return len(_image_shape(shape)) == 2 and min(_image_shape(shape)) > 1

  groups = _keys(entries, "iu", fits), _keys(entries, _NUMBERS, fits), _keys(entries, _NUMBERS, is_image)
  return choose_key(path, f"the label image ({format_shape(size)})", *groups)


def _keys(entries: Mapping[str, Entry], kinds: str, accept: Callable[[tuple[int, ...]], bool]) -> list[str]:
  return [key for key, entry in entries.items() if entry.kind in kinds and accept(entry.shape)]


def _image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
  """Removes the third axis of `[H, W, 1]` or `[1, H, W]`."""
  if len(shape) == 3 and shape[2] == 1:
    return shape[:2]
  return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape

"""Arrays of MATLAB 7.3 files, which are HDF5 with the axes in reverse order.

Other programs that write HDF5 to files of that ending, such as h5py, do not reverse the axes. Only MATLAB, or
what imitates it, names the class of every variable or writes a header before the HDF5.
"""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from mtl_hsi.storage import memory

# Structs within structs are followed as far as this.
_DEEPEST = 3
# Groups may contain one another many times.
_MOST_ITEMS = 10_000


def list_datasets(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
  """Returns shape, as MATLAB shows it, and kind, as in `numpy.dtype.kind`, of every variable.

  The kind is "O" for all but plain arrays. A field of a struct has a name such as "data.cube". Links to other
  files, or to nothing, are left out.
  """
  with h5py.File(path, "r") as file:
    found = itertools.islice(_items(file, "", _DEEPEST), _MOST_ITEMS)
    return {key: _describe(item, file) for key, item in found}


def _items(group: h5py.Group, prefix: str, depth: int) -> Iterator[tuple[str, h5py.Dataset | h5py.Group]]:
  for key in group:
    if not key.startswith("#") and _is_inside(group, key):
      item = group[key]
      yield prefix + key, item
      if depth and isinstance(item, h5py.Group):
        yield from _items(item, f"{prefix}{key}.", depth - 1)


def axes_of_python(path: Path, key: str) -> bool:
  """Returns whether the axes of a variable are not reversed."""
  with h5py.File(path, "r") as file:
    return not _is_reversed(_find(file, key), file)


def read_dataset(path: Path, key: str) -> np.ndarray:
  """Reads a variable in its own dtype, with its axes as MATLAB shows them.

  Raises:
    RequestError: it does not fit into memory, or declares more than its file can contain.
  """
  with h5py.File(path, "r") as file:
    data = _find(file, key)
    where = f"{path.absolute()} ({key})"
    # HDF5 fills in values that were never written, so a tiny file can declare any amount of data.
    memory.check_ratio(data.nbytes, data.id.get_storage_size(), where)
    # A chunk is decompressed as a whole, even if only a small part lies within the array.
    chunk = math.prod(data.chunks or ()) * data.dtype.itemsize
    memory.check_fits(max(data.nbytes, chunk), where)
    return data[()].T if _is_reversed(data, file) else data[()]


def _find(file: h5py.File, key: str) -> h5py.Dataset:
  return file[key if key in file else key.replace(".", "/")]


def _is_reversed(item: h5py.Dataset, file: h5py.File) -> bool:
  return "MATLAB_class" in item.attrs or file.userblock_size > 0


def _is_inside(group: h5py.Group, key: str) -> bool:
  return isinstance(group.get(key, getlink=True), h5py.HardLink)


def _describe(item: h5py.Dataset | h5py.Group, file: h5py.File) -> tuple[tuple[int, ...], str]:
  plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.shape is not None
  kind = item.attrs.get("MATLAB_class")
  # Text is stored as numbers, and an empty array as its shape.
  if not plain or kind == b"char" or "MATLAB_empty" in item.attrs:
    return (), "O"
  # The values are in other files.
  if item.external or item.is_virtual:
    return (), "O"
  shape = item.shape[::-1] if _is_reversed(item, file) else item.shape
  return shape, "b" if kind == b"logical" else item.dtype.kind

"""Arrays of MATLAB 7.3 files, which are HDF5 with the axes in reverse order."""

import math
from pathlib import Path

import h5py
import numpy as np

from mtl_hsi.storage import memory


def list_datasets(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
  """Returns shape, as MATLAB shows it, and kind, as in `numpy.dtype.kind`, of every variable.

  The kind is "O" for all but plain arrays. Links to other files, or to nothing, are left out.
  """
  with h5py.File(path, "r") as file:
    keys = [key for key in file if not key.startswith("#") and _is_inside(file, key)]
    return {key: _describe(file[key]) for key in keys}


def read_dataset(path: Path, key: str) -> np.ndarray:
  """Reads a variable in its own dtype, with its axes as MATLAB shows them.

  Raises:
    RequestError: it does not fit into memory, or declares more than its file can contain.
  """
  with h5py.File(path, "r") as file:
    data = file[key]
    where = f"{path.absolute()} ({key})"
    # HDF5 fills in values that were never written, so a tiny file can declare any amount of data.
    memory.check_ratio(data.nbytes, data.id.get_storage_size(), where)
    # A chunk is decompressed as a whole, even if only a small part lies within the array.
    chunk = math.prod(data.chunks or ()) * data.dtype.itemsize
    memory.check_fits(max(data.nbytes, chunk), where)
    return data[()].T


def _is_inside(file: h5py.File, key: str) -> bool:
  return isinstance(file.get(key, getlink=True), h5py.HardLink)


def _describe(item: h5py.Dataset | h5py.Group) -> tuple[tuple[int, ...], str]:
  plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.shape is not None
  kind = item.attrs.get("MATLAB_class")
  # Text is stored as numbers, and an empty array as its shape.
  if not plain or kind == b"char" or "MATLAB_empty" in item.attrs:
    return (), "O"
  # The values are in other files.
  if item.external or item.is_virtual:
    return (), "O"
  return item.shape[::-1], "b" if kind == b"logical" else item.dtype.kind

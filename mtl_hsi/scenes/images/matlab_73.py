"""Arrays of MATLAB 7.3 files, which are HDF5 with the axes in reverse."""

import math
from pathlib import Path

import h5py
import numpy as np

from mtl_hsi.storage import memory


def list_datasets(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
  """Shape as MATLAB shows it and kind, as in `numpy.dtype.kind`, of every variable; "O" is no plain array.

  Links that lead elsewhere, to another file or to nothing, are no variables.
  """
  with h5py.File(path, "r") as file:
    own = [key for key in file if not key.startswith("#") and _is_own(file, key)]
    return {key: _describe(file[key]) for key in own}


def read_dataset(path: Path, key: str) -> np.ndarray:
  """Reads a variable with its axes as MATLAB shows them and its own dtype.

  Raises:
    RequestError: it does not fit into memory, or declares more than its file can hold.
  """
  with h5py.File(path, "r") as file:
    data = file[key]
    where = f"{path.absolute()} ({key})"
    # HDF5 fills what was never written, of which a file of no size can declare any amount.
    memory.check_ratio(data.nbytes, data.id.get_storage_size(), where)
    # It inflates a chunk as a whole, however little of that lies within the array.
    chunk = math.prod(data.chunks or ()) * data.dtype.itemsize
    memory.check_fits(max(data.nbytes, chunk), where)
    return data[()].T


def _is_own(file: h5py.File, key: str) -> bool:
  return isinstance(file.get(key, getlink=True), h5py.HardLink)


def _describe(item: h5py.Dataset | h5py.Group) -> tuple[tuple[int, ...], str]:
  plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.shape is not None
  kind = item.attrs.get("MATLAB_class")
  # Text is stored as numbers; an empty array as its shape.
  if not plain or kind == b"char" or "MATLAB_empty" in item.attrs:
    return (), "O"
  # The values of others lie in files that this one names.
  if item.external or item.is_virtual:
    return (), "O"
  return item.shape[::-1], "b" if kind == b"logical" else item.dtype.kind

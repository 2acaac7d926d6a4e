"""Arrays of MATLAB 7.3 files, which are HDF5 with the axes in reverse."""

from pathlib import Path

import h5py
import numpy as np


def list_datasets(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
  """Shape as MATLAB shows it and kind, as in `numpy.dtype.kind`, of every variable; "O" is no plain array."""
  with h5py.File(path, "r") as file:
    return {key: _describe(item) for key, item in file.items() if not key.startswith("#")}


def read_dataset(path: Path, key: str) -> np.ndarray:
  """Reads a variable with its axes as MATLAB shows them and its own dtype."""
  with h5py.File(path, "r") as file:
    return file[key][()].T


def _describe(item: h5py.Dataset | h5py.Group) -> tuple[tuple[int, ...], str]:
  plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf"
  kind = item.attrs.get("MATLAB_class")
  # Text is stored as numbers; an empty array as its shape.
  if not plain or kind == b"char" or "MATLAB_empty" in item.attrs:
    return (), "O"
  return item.shape[::-1], "b" if kind == b"logical" else item.dtype.kind

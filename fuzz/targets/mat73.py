"""Arrays in .mat files of version 7.3, which are HDF5."""

from pathlib import Path

import h5py
import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import list_arrays, read_array


def seeds(folder: Path) -> list[bytes]:
  path = folder / "seed.mat"
  with h5py.File(path, "w", userblock_size=512) as file:
    for key, chunks in (("cube", (2, 3, 4)), ("gt", None)):
      file.create_dataset(key, data=np.arange(24.0).reshape(4, 3, 2)[: 4 if chunks else 1])
      file[key].attrs["MATLAB_class"] = np.bytes_("double")
    file.create_dataset("packed", data=np.zeros((8, 8), np.uint8), chunks=(4, 4), compression="gzip")
    file["away"] = h5py.ExternalLink("other.mat", "cube")
  with path.open("r+b") as file:
    file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
  return [path.read_bytes()]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.mat"
  path.write_bytes(data)
  for key in list_arrays(path):
    try:
      read_array(path, key)
    except RequestError:
      continue

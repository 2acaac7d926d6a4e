"""Arrays in .npy files."""

from pathlib import Path

import numpy as np

from fuzz import wrapping
from mtl_hsi.scenes.images.arrays import read_array


def seeds(folder: Path) -> list[bytes]:
  arrays = np.arange(24, dtype=">i2").reshape(2, 3, 4), np.zeros((0, 3)), np.array(["maize", "lawn"])
  return [wrapping.npy(array) for array in arrays]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.npy"
  path.write_bytes(data)
  np.array(read_array(path, None))

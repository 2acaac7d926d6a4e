"""Scenes in .npz files with all optional arrays."""

from pathlib import Path

import numpy as np

from fuzz import wrapping
from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.images.arrays import list_arrays, read_array

_CUBE = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
_LABELS = np.array([[0, 1, 2, 0], [1, 1, 2, 2], [0, 0, 1, 2]])
_ARRAYS = {
  **{"cube": _CUBE, "label": _LABELS, "wavelengths": np.linspace(400, 800, 5), "nodata": _LABELS == 9},
  "class_names": np.array(["maize", "lawn"]),
}


def seeds(folder: Path) -> list[bytes]:
  contents = [wrapping.npy(array) for array in _ARRAYS.values()]
  whole = wrapping.archive({f"{name}.npy": content for name, content in zip(_ARRAYS, contents, strict=True)})
  return [b"\0" + whole, b"\1" + wrapping.join(contents)]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.npz"
  names = [f"{name}.npy" for name in _ARRAYS]
  path.write_bytes(wrapping.members(data[1:], names) if data[:1] == b"\1" else data[1:])
  for key in list_arrays(path):
    read_array(path, key)
  read_scene("fields", cube=path)

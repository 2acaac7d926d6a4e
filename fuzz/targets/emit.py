"""EMIT L2A reflectance with its mask, in both geometries."""

from pathlib import Path

import numpy as np

from fuzz import products
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import product_files

_CENTRES = [450.0, 860.0, 1380.0]
_CUBE = np.linspace(0, 0.6, 36).reshape(3, 4, 3)
_IMAGE, _MASK = "EMIT_L2A_RFL_001_20220903T163129_1_1.nc", "EMIT_L2A_MASK_001_20220903T163129_1_1.nc"


def seeds(folder: Path) -> list[bytes]:
  table = np.array([[0, 1, 2], [1, -2, 3], [3, 4, 0]]), np.array([[0, 1, 1], [2, 2, 3], [3, 3, 0]])
  found = []
  for good in ([1, 1, 0], None):
    found.append(product_files.save_emit(folder / "seed.nc", _CUBE, _CENTRES, table, good).read_bytes())
  mask = product_files.save_emit_mask(folder / "seed.nc", np.ones((3, 4, 8)))
  return [b"\0" + data for data in found] + [b"\1" + data for data in found] + [b"\2" + mask.read_bytes()]


def feed(data: bytes, folder: Path) -> None:
  """Reads an image in the geometry of the map (0 as first byte) or of the sensor (1), or with a mask (2)."""
  which, content = data[:1], data[1:]
  if which == b"\2":
    (folder / _MASK).write_bytes(content)
    content = product_files.save_emit(folder / _IMAGE, _CUBE, _CENTRES).read_bytes()
  else:
    (folder / _MASK).unlink(missing_ok=True)
  products.feed(content, folder / _IMAGE, ProductOptions(geometry="sensor" if which == b"\1" else "map"))

"""AVIRIS L2A reflectance in netCDF."""

from pathlib import Path

import numpy as np

from fuzz import products
from mtl_hsi.scenes.images.products.aviris import Aviris
from tests.scenes import product_files

_CUBE = np.linspace(0, 0.6, 36).reshape(3, 4, 3)


def seeds(folder: Path) -> list[bytes]:
  return [
    product_files.save_aviris(folder / "seed.nc", _CUBE, [450.0, 860.0, 1380.0], transform).read_bytes()
    for transform in ("500000 4 0 5400000 0 -4", None)
  ]


def feed(data: bytes, folder: Path) -> None:
  products.feed(Aviris, data, folder / "a.nc")

"""Tanager surface reflectance, ortho and basic."""

from pathlib import Path

import numpy as np

from fuzz import products
from mtl_hsi.scenes.images.products.tanager import Tanager
from tests.scenes import product_files

_CUBE = np.linspace(0, 0.6, 36).reshape(3, 4, 3)


def seeds(folder: Path) -> list[bytes]:
  layers = dict.fromkeys(("beta_cloud_mask", "beta_cirrus_mask", "nodata_pixels"), np.eye(3, 4))
  return [
    product_files.save_tanager(
      folder / "seed.h5", _CUBE, [450.0, 860.0, 1380.0], [1, 1, 0], group, layers
    ).read_bytes()
    for group in ("GRIDS", "SWATHS")
  ]


def feed(data: bytes, folder: Path) -> None:
  products.feed(Tanager, data, folder / "a.h5")

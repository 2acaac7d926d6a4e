"""EMIT L2A reflectance with its mask, in both geometries."""

import functools
from pathlib import Path

import numpy as np

from fuzz import products
from mtl_hsi.scenes.images.products.emit import Emit
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import product_files

_CENTRES = [450.0, 860.0, 1380.0]
_CUBE = np.linspace(0, 0.6, 36).reshape(3, 4, 3)
_IMAGE, _MASK = "EMIT_L2A_RFL_001_20220903T163129_1_1.nc", "EMIT_L2A_MASK_001_20220903T163129_1_1.nc"


def seeds(folder: Path) -> list[bytes]:
  table = np.array([[0, 1, 2], [1, -2, 3], [3, 4, 0]]), np.array([[0, 1, 1], [2, 2, 3], [3, 3, 0]])
  images = [
    product_files.save_emit(folder / "seed.nc", _CUBE, _CENTRES, table, good).read_bytes()
    for good in ([1, 1, 0], None)
  ]
  return [*(b"\0" + image for image in images), *(b"\1" + image for image in images), b"\2" + _mask(folder)]


def feed(data: bytes, folder: Path) -> None:
  """Reads an image in the geometry of the map (0 as first byte) or of the sensor (1), or a mask (2)."""
  which, content = data[:1], data[1:]
  image, mask = (_image(folder), content) if which == b"\2" else (content, _mask(folder))
  (folder / _MASK).write_bytes(mask)
  options = ProductOptions(geometry="sensor" if which == b"\1" else "map")
  products.feed(Emit, image, folder / _IMAGE, options)


@functools.cache
def _image(folder: Path) -> bytes:
  return product_files.save_emit(folder / _IMAGE, _CUBE, _CENTRES).read_bytes()


@functools.cache
def _mask(folder: Path) -> bytes:
  return product_files.save_emit_mask(folder / _MASK, np.ones((3, 4, 8))).read_bytes()

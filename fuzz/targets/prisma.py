"""PRISMA L2D and L2C."""

from pathlib import Path

from fuzz import products
from mtl_hsi.scenes.images.products.prisma import Prisma
from tests.scenes import product_files


def seeds(folder: Path) -> list[bytes]:
  found = []
  for level in ("L2D", "L2C"):
    product_files.save_prisma(folder / "seed.he5", (2, 3), level)
    found.append((folder / "seed.he5").read_bytes())
  return found


def feed(data: bytes, folder: Path) -> None:
  products.feed(Prisma, data, folder / "a.he5")

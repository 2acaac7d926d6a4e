"""Feeds products in a single file to their readers."""

from pathlib import Path

import numpy as np

from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.product import NO_OPTIONS, Product, ProductOptions

_ALL = slice(None), slice(None)


def feed(kind: type[Product], data: bytes, path: Path, options: ProductOptions = NO_OPTIONS) -> None:
  """Reads everything of a product with the given content."""
  path.write_bytes(data)
  product = kind.find(Delivery(path), options)
  if product is not None:
    bands = product.describe().shape[2]
    product.read(*_ALL, np.arange(bands))
    if product.read_unclear is not None:
      product.read_unclear(*_ALL)

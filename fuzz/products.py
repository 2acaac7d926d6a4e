"""Feeds products in a single file to their readers."""

from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import NO_OPTIONS, ProductOptions

_ALL = slice(None), slice(None)


def feed(data: bytes, path: Path, product: ProductOptions = NO_OPTIONS) -> None:
  """Reads a product with the given content, with and without its quality layers."""
  path.write_bytes(data)
  try:
    Image.open(path, quality="clear", product=product).read(*_ALL)
  except RequestError:
    # Without the layers, more of the reader is reached.
    Image.open(path, product=product).read(*_ALL)

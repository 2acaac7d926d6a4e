"""The products that are known, and an image source for each of them."""

from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products.aviris import Aviris
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.desis import Desis
from mtl_hsi.scenes.images.products.emit import Emit
from mtl_hsi.scenes.images.products.enmap import EnMap
from mtl_hsi.scenes.images.products.hyperion import Hyperion
from mtl_hsi.scenes.images.products.prisma import Prisma
from mtl_hsi.scenes.images.products.product import Product, ProductOptions
from mtl_hsi.scenes.images.products.stac import Stac
from mtl_hsi.scenes.images.products.tanager import Tanager
from mtl_hsi.scenes.images.source import Source
from mtl_hsi.scenes.images.wavelengths import Wavelengths

PRODUCTS: tuple[type[Product], ...] = (EnMap, Desis, Prisma, Emit, Tanager, Aviris, Hyperion, Stac)


def open_product(delivery: Delivery, options: ProductOptions) -> Source | None:
  """Opens a product as an image; None if it is no known product.

  Args:
    delivery: the folder or archive of the product, or one of its main files.
    options: what the user chose of it.

  Raises:
    RequestError: a file of it is missing or damaged, or an option does not apply to it.
  """
  for kind in PRODUCTS:
    product = kind.find(delivery, options)
    if product is not None:
      _check_options(product, options, delivery.path)
      return _source(product, delivery)
  return None


def _options(product: Product) -> frozenset[str]:
  """Returns the names of the options that apply to a product."""
  applies = {
    "quality": product.read_unclear is not None,
    "overlap": product.overlaps,
    "geometry": product.geometries,
  }
  return frozenset(option for option, holds in applies.items() if holds)


def _check_options(product: Product, options: ProductOptions, path: Path) -> None:
  for option, value in options._asdict().items():
    if value is not None and option not in _options(product):
      raise RequestError(f"{path.absolute()} is a product of {product.title}; remove the option {option}")


def _source(product: Product, delivery: Delivery) -> Source:
  found = product.describe()

  def read_wavelengths(kept: np.ndarray) -> Wavelengths:
    centres, widths = found.wavelengths
    return Wavelengths(centres[kept], None if widths is None else widths[kept])

  return Source(
    str(delivery.path.absolute()),
    found.shape,
    found.dtype,
    read_window=product.read,
    read_wavelengths=read_wavelengths,
    read_bad_bands=lambda: found.left_out,
    unused_bands=found.overlapping,
    nodata=found.nodata,
    background=found.background,
    scaling=found.scaling,
    georeference=found.georeference,
    by_rows=found.by_rows,
    read_missing=found.read_missing,
    read_unclear=product.read_unclear,
    options=_options(product),
    acquired=found.acquired,
    remarks=(product.title, *found.remarks),
    product=product.title,
    holds=delivery,
  )

"""DESIS L2A: surface reflectance of 235 bands, 401 to 1000 nm, as GeoTIFF with METADATA.xml.

The facts of the format are those of the EnMAP-Box (importdesisl2aalgorithm.py), of krttdkit and of hyperproc
0.1.2.
"""

import functools
from xml.etree import ElementTree

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import band_raster, product_files
from mtl_hsi.scenes.images.products.band_raster import BandRaster
from mtl_hsi.scenes.images.products.band_table import read_band_table
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.images.products.product_files import ProductFiles

_TAGS = ("wavelengthCenterOfBand", "wavelengthWidthOfBand", "gainOfBand", "offsetOfBand")
_NODATA = -32768
# Shadow, snow, haze and cloud, the last two over land and over water. The other bands of the layer are land,
# water, aerosol and water vapour.
_LAYER, _UNCLEAR = "ql_quality-2", (0, 2, 3, 4, 5, 6)


class Desis:
  """A DESIS L2A product; see `product.Product`."""

  title = "DESIS L2A"
  overlaps = False
  geometries = False

  def __init__(self, files: ProductFiles, root: ElementTree.Element):
    self._files, self._root = files, root
    path = files.path(product_files.IMAGE)
    where = f"{files.names[product_files.METADATA]} of {files.origin}"
    # Elements of this name also stand under interiorOrientation.
    elements = root.findall(".//bandCharacterisation/band")
    self._table = read_band_table(elements, _TAGS, where)
    self._image = band_raster.open_image(path, self._table.order)

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Desis | None":
    found = product_files.find_product(delivery, "desis", "hsi_doc")
    return None if found is None else cls(*found)

  def describe(self) -> Description:
    bands = np.arange(self._image.shape[2])
    empty = self._image.find_empty(_NODATA, bands)
    if len(empty) == len(bands):
      raise RequestError(f"{self._files.origin}: no band has a measurement; download the product again")
    return Description(
      self._image.shape,
      self._image.dtype,
      self._table.wavelengths,
      empty,
      scaling=self._table.scaling,
      nodata=np.full(len(bands), float(_NODATA)),
      georeference=self._image.place.georeference,
      acquired=product_files.date(self._root),
      by_rows=self._image.by_rows,
      remarks=(*self._table.remarks(empty), *self._image.place.remarks),
    )

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    return self._image.read(rows, columns, bands)

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    return band_raster.read_flags([self._layer], rows, columns)

  @functools.cached_property
  def _layer(self) -> BandRaster:
    return band_raster.open_layer(self._files.path(_LAYER), _UNCLEAR, self._image)

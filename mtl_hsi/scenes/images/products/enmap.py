"""EnMAP L2A: surface reflectance of 224 bands in GeoTIFF, JPEG 2000 or ENVI format, with METADATA.XML.

The facts of the format are those of real metadata, of the EnMAP-Box (importenmapl2aalgorithm.py) and of the
Optical Toolbox (senbox-org/optical-toolbox).
"""

import functools
from xml.etree import ElementTree

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import band_raster, product_files
from mtl_hsi.scenes.images.products.band_raster import BandRaster
from mtl_hsi.scenes.images.products.band_table import read_band_table
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.detector_overlap import leave_out
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.images.products.product_files import ProductFiles

_TAGS = ("wavelengthCenterOfBand", "FWHMOfBand", "GainOfBand", "OffsetOfBand")
# `backgroundValue` in the metadata is another number, 0.
_NODATA = -32768
# The statistics of a band without a measurement.
_EMPTY = (-1_000_000.0, 0.0)
# Layers with 0 or 1; cirrus has 0 to 3, from none to thick.
_UNCLEAR = ("cloud", "cirrus", "cloudshadow", "haze", "snow")
# As in the EnMAP-Box: the sensitivity of the VNIR detector declines there.
_PREFERRED = "swir"


class EnMap:
  """An EnMAP L2A product; see `product.Product`."""

  title = "EnMAP L2A"
  overlaps = True
  geometries = False

  def __init__(self, files: ProductFiles, root: ElementTree.Element, options: ProductOptions):
    self._files, self._root, self._chosen = files, root, options.overlap
    path = files.path(product_files.IMAGE)
    self._where = f"{files.names[product_files.METADATA]} of {files.origin}"
    elements = root.findall(".//bandCharacterisation/bandID")
    self._table = read_band_table(elements, _TAGS, self._where)
    # The number of a band in all lists of the metadata.
    self._numbers = [elements[index].get("number", str(index + 1)) for index in self._table.order]
    self._image = band_raster.open_image(path, self._table.order)

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "EnMap | None":
    found = product_files.find_product(delivery, "enmap", "level_X")
    return None if found is None else cls(*found, options)

  def describe(self) -> Description:
    usable = ~self._flagged()
    usable[self._image.find_empty(_NODATA, np.flatnonzero(usable))] = False
    if not usable.any():
      raise RequestError(f"{self._files.origin}: no band has a measurement; download the product again")
    overlapping, remark = self._overlapping(usable)
    empty = np.flatnonzero(~usable)
    return Description(
      self._image.shape,
      self._image.dtype,
      self._table.wavelengths,
      empty,
      overlapping=overlapping,
      scaling=self._table.scaling,
      nodata=np.full(len(usable), float(_NODATA)),
      georeference=self._image.place.georeference,
      acquired=product_files.date(self._root),
      by_rows=self._image.by_rows,
      remarks=(*self._table.remarks(empty), *([remark] if remark else []), *self._image.place.remarks),
    )

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    return self._image.read(rows, columns, bands)

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    return band_raster.read_flags(self._layers, rows, columns)

  @functools.cached_property
  def _layers(self) -> list[BandRaster]:
    paths = [self._files.path(f"ql_quality_{layer}") for layer in _UNCLEAR]
    return [band_raster.open_layer(path, [0], self._image) for path in paths]

  def _flagged(self) -> np.ndarray:
    """Returns which bands have the statistics of no measurement, bool `[B]`."""
    flagged = set()
    for band in self._root.findall(".//bandStatistics/bandID"):
      texts = (band.findtext("mean", ""), band.findtext("stdDeviation", ""))
      try:
        if tuple(map(float, texts)) == _EMPTY:
          flagged.add(band.get("number"))
      # Bands without statistics are looked at in the image.
      except ValueError:
        continue
    return np.isin(self._numbers, list(flagged))

  def _overlapping(self, usable: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Returns the bands that the option overlap leaves out, and a remark on them."""
    is_vnir, is_swir = (self._channels(detector) for detector in ("vnir", "swir"))
    if (is_vnir != is_swir).all():
      choice = self._chosen or _PREFERRED
      return leave_out(self._table.wavelengths.centres, is_vnir, usable, choice)
    if self._chosen in (None, "all"):
      return np.empty(0, int), None
    raise RequestError(
      f"{self._where} does not list the bands of each detector (expectedChannelsList); remove the option "
      "overlap"
    )

  def _channels(self, detector: str) -> np.ndarray:
    """Returns which bands the metadata list for a detector, bool `[B]`."""
    text = self._root.findtext(f".//{detector}ProductQuality/expectedChannelsList", "")
    return np.isin(self._numbers, [number.strip() for number in text.split(",")])

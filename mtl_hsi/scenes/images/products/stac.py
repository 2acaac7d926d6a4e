"""STAC items, such as those of Wyvern: their image assets on disk as one image, described by the item."""

from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import wavelengths
from mtl_hsi.scenes.images.products import band_raster, stac_item
from mtl_hsi.scenes.images.products.band_raster import BandRaster
from mtl_hsi.scenes.images.products.band_stack import BandStack, StackedBand
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.images.products.stac_item import Asset, Band, Item

# How many assets a message names, and the longest unit that is no prose.
_SHOWN, _LONGEST_UNIT = 3, 40


class _Mask(NamedTuple):
  """A band of a mask: whether it marks clear pixels, its flags (none: all but 0), and its nodata value."""

  raster: BandRaster
  clear: bool
  flags: frozenset[int]
  nodata: float | None


class Stac:
  """The image of a STAC item; see `product.Product`."""

  title = "STAC item"
  overlaps = False
  geometries = False

  def __init__(self, delivery: Delivery, item: Item, images: list[tuple[Asset, str]], missing: list[Asset]):
    self._delivery, self._item, self._missing = delivery, item, missing
    paths = delivery.files([name for _, name in images])
    bands = [
      (band, StackedBand(path, number))
      for (asset, _), path in zip(images, paths, strict=True)
      for number, band in enumerate(asset.bands, start=1)
    ]
    # Of bands with equal centres, those of the first asset come first.
    bands.sort(key=lambda pair: pair[0].centre)
    self._bands: list[Band] = [band for band, _ in bands]
    self._stack = BandStack([place for _, place in bands])
    self._masks: list[_Mask] | None = None
    if not any(asset.is_mask for asset in item.assets):
      self.read_unclear = None

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Stac | None":
    item = stac_item.find_item(delivery)
    images = [asset for asset in item.assets if asset.is_image] if item else []
    if not images:
      if item and delivery.named == item.name:
        raise RequestError(
          f"{delivery.path.absolute()} is a STAC item without an asset whose bands have a center_wavelength; "
          "name its image file instead"
        )
      return None
    images = _without_copies(delivery, item, images)
    found = [(asset, stac_item.find_file(delivery, item, asset)) for asset in images]
    missing = [asset for asset, name in found if name is None]
    if len(missing) == len(found):
      raise RequestError(_not_on_disk(delivery, missing))
    return cls(delivery, item, [(asset, name) for asset, name in found if name is not None], missing)

  def describe(self) -> Description:
    remarks = list(self._stack.remarks)
    if self._missing:
      listed = ", ".join(repr(asset.key[:40]) for asset in self._missing[:_SHOWN])
      count = len(self._missing)
      remarks.insert(0, f"{count} {noun(count, 'asset is', 'assets are')} not on disk and left out: {listed}")
    units = {band.unit for band in self._bands} - {""}
    if len(units) == 1 and len(unit := units.pop()) <= _LONGEST_UNIT and unit.isprintable():
      remarks.append(f"the values are in {unit}")
    return Description(
      self._stack.shape,
      self._stack.dtype,
      self._wavelengths(),
      np.empty(0, int),
      scaling=self._scaling(),
      nodata=self._nodata(),
      georeference=self._stack.place.georeference,
      by_rows=self._stack.by_rows,
      acquired=self._item.acquired,
      remarks=tuple(remarks),
      read_missing=self._stack.read_missing,
    )

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    return self._stack.read(rows, columns, bands)

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    if self._masks is None:
      self._masks = self._open_masks()
    unclear = [_unclear(mask, rows, columns) for mask in self._masks]
    return np.logical_or.reduce(unclear)

  def _wavelengths(self) -> wavelengths.Wavelengths:
    where = f"{self._item.name} of {self._delivery.path.absolute()}"
    centres = np.array([band.centre for band in self._bands], float)
    widths = [band.width for band in self._bands]
    known = None if None in widths else np.array(widths, float)
    # By the specification in um; nm occur.
    return wavelengths.convert_to_nm(centres, known, "", where)

  def _scaling(self) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the scaling of the item, or that of the files if the item has none."""
    if all(band.scale is None and band.offset is None for band in self._bands):
      return self._stack.scaling
    scales = np.array([1.0 if band.scale is None else band.scale for band in self._bands])
    offsets = np.array([band.offset or 0.0 for band in self._bands])
    if not (np.isfinite(scales).all() and np.isfinite(offsets).all() and scales.all()):
      raise RequestError(f"{self._item.name}: a scale or offset is no finite number, or 0; correct the item")
    return scales, offsets

  def _nodata(self) -> np.ndarray | None:
    """Returns the nodata values of the item, or those of the files if the item has none."""
    if all(band.nodata is None for band in self._bands):
      return self._stack.nodata
    return np.array([np.nan if band.nodata is None else band.nodata for band in self._bands])

  def _open_masks(self) -> list[_Mask]:
    masks = []
    for asset in self._item.assets:
      if not asset.is_mask:
        continue
      name = stac_item.find_file(self._delivery, self._item, asset)
      if name is None:
        raise RequestError(_not_on_disk(self._delivery, [asset]))
      for index, band in enumerate(asset.bands):
        flags = asset.flags(band)
        if flags is not None:
          layer = band_raster.open_layer(self._delivery.file(name), [index], self._stack)
          masks.append(_Mask(layer, *flags, band.nodata))
    return masks


def _unclear(mask: _Mask, rows: slice, columns: slice) -> np.ndarray:
  values = mask.raster.read(rows, columns, np.array([0]))[..., 0]
  if mask.flags:
    return np.isin(values, list(mask.flags))
  unclear = values == 0 if mask.clear else values != 0
  return unclear if mask.nodata is None else unclear & (values != mask.nodata)


def _without_copies(delivery: Delivery, item: Item, images: list[Asset]) -> list[Asset]:
  """Returns the assets without those that have the bands of another one, as in another format."""
  kept: dict[tuple, Asset] = {}
  for asset in images:
    bands = tuple((band.name, band.centre) for band in asset.bands)
    if bands not in kept or stac_item.find_file(delivery, item, kept[bands]) is None:
      kept[bands] = asset
  return list(kept.values())


def _not_on_disk(delivery: Delivery, assets: list[Asset]) -> str:
  listed = ", ".join(f"{asset.key[:40]!r} ({stac_item.base_name(asset.href)!r})" for asset in assets[:_SHOWN])
  more = ", ..." if len(assets) > _SHOWN else ""
  where = "beside" if delivery.named is not None else "in"
  files = noun(len(assets), "the file of the asset", "the files of the assets")
  are, them = noun(len(assets), "is", "are"), noun(len(assets), "it", "them")
  return (
    f"{files} {listed}{more} {are} not {where} {delivery.path.absolute()}; download {them} to the folder of "
    "the item, as nothing is read from the network"
  )

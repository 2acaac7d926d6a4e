"""STAC items: which files an item names, and what it says about their bands.

Sources: the STAC specification 1.0 and 1.1, and its extensions eo, raster and classification.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.storage import memory

# Roles of pictures of the image, which have bands as well.
_PICTURES = {"thumbnail", "overview", "visual", "preview"}
_MASKS = {"cloud", "cloud-shadow", "snow-ice", "clear", "haze", "quality"}
_UNCLEAR = re.compile(r"cloud|cirrus|haze|shadow|snow", re.IGNORECASE)
_CLEAR = re.compile(r"(?<![a-z])clear(?![a-z])", re.IGNORECASE)
# A folder may have other JSON files; items are small.
_MOST_FILES, _LARGEST = 50, 1 << 24


class Band(NamedTuple):
  """A band of an asset, by the fields of STAC 1.0 and 1.1; None where a field is missing.

  Attributes:
    name: its name, or "".
    centre: central wavelength, in um by the specification.
    width: full width at half maximum, likewise.
    scale: scale of its values.
    offset: offset of its values.
    nodata: nodata value.
    unit: unit of the scaled values, or "".
    classes: values and names of a classification.
  """

  name: str
  centre: float | None
  width: float | None
  scale: float | None
  offset: float | None
  nodata: float | None
  unit: str
  classes: tuple[tuple[int, str], ...]


class Asset(NamedTuple):
  """A file that an item names.

  Attributes:
    key: name of the asset.
    href: its address.
    roles: its roles, in lower case.
    bands: its bands.
  """

  key: str
  href: str
  roles: frozenset[str]
  bands: tuple[Band, ...]

  @property
  def is_image(self) -> bool:
    """Whether all bands have wavelengths and the asset is no picture."""
    known = self.bands and all(band.centre is not None for band in self.bands)
    return bool(known) and not self.roles & _PICTURES and not self._may_be_mask

  @property
  def is_mask(self) -> bool:
    """Whether a band tells clear pixels from others."""
    return self._may_be_mask and not self.roles & _PICTURES and any(map(self.flags, self.bands))

  @property
  def _may_be_mask(self) -> bool:
    return any(role in _MASKS or "mask" in role for role in self.roles)

  def flags(self, band: Band) -> tuple[bool, frozenset[int]] | None:
    """Returns whether the values of a band flag clear pixels or others, and which values do, or None.

    No values stand for all but 0 and the nodata value.
    """
    if band.classes:
      unclear = frozenset(value for value, name in band.classes if _UNCLEAR.search(name))
      return (False, unclear) if unclear else None
    roles = " ".join(self.roles) if len(self.bands) == 1 and not band.name else ""
    if _CLEAR.search(band.name):
      return True, frozenset()
    if _UNCLEAR.search(band.name) or _UNCLEAR.search(roles):
      return False, frozenset()
    return (True, frozenset()) if _CLEAR.search(roles) else None


class Item(NamedTuple):
  """A STAC item: the name of its file in the delivery, its assets and its date."""

  name: str
  assets: tuple[Asset, ...]
  acquired: str | None


def find_item(delivery: Delivery) -> Item | None:
  """Returns the item that a user named, or the only one of a folder or archive; None if there is none.

  A file that is no JSON belongs to an item of the same name beside it, if that names it as an image.

  Raises:
    RequestError: there are several items, or one that cannot be read.
  """
  if delivery.named is None:
    names = [name for name in delivery.names if name.lower().endswith((".json", ".geojson"))][:_MOST_FILES]
    items = [item for name in names if (item := _read(delivery, name)) is not None]
    if len(items) > 1:
      raise RequestError(
        f"{delivery.path.absolute()} contains {len(items)} STAC items ({items[0].name}, ...); name one"
      )
    return items[0] if items else None
  path = PurePosixPath(delivery.named)
  if path.suffix.lower() in (".json", ".geojson"):
    return _read(delivery, delivery.named)
  beside = f"{path.stem}.json"
  item = _read(delivery, beside) if beside in delivery.names else None
  images = item.assets if item else ()
  names_it = any(asset.is_image and base_name(asset.href) == delivery.named for asset in images)
  return item if names_it else None


def find_file(delivery: Delivery, item: Item, asset: Asset) -> str | None:
  """Returns the name in the delivery of the file of an asset; None if it is not there.

  A relative address is that of a file in the folder of the item or below. Of any other one, a file of the
  same name beside the item counts, as people download it.
  """
  folder, _, _ = item.name.rpartition("/")
  parts = PurePosixPath(unquote(asset.href)).parts
  relative = not urlparse(asset.href).scheme and parts and parts[0] != "/" and ".." not in parts
  candidates = ["/".join(part for part in parts if part != ".")] if relative else []
  for candidate in (*candidates, base_name(asset.href)):
    name = f"{folder}/{candidate}" if folder else candidate
    if candidate and _exists(delivery, name):
      return name
  return None


def base_name(href: str) -> str:
  """Returns the name of a file in an address."""
  return unquote(urlparse(href).path).replace("\\", "/").rpartition("/")[2]


def _exists(delivery: Delivery, name: str) -> bool:
  # With a named file, only the files of its own folder are listed.
  return name in delivery.names or (delivery.named is not None and delivery.file(name).is_file())


def _read(delivery: Delivery, name: str) -> Item | None:
  """Returns the item in a file; None if the file has other content."""
  path = delivery.file(name)
  if path.stat().st_size > _LARGEST:
    return None
  memory.check_file(path, memory.JSON_RATIO)
  try:
    content = json.loads(path.read_bytes().decode("utf-8-sig"))
  except (ValueError, RecursionError):
    return None
  if not isinstance(content, dict) or "stac_version" not in content:
    return None
  if content.get("type") != "Feature":
    if delivery.named == name:
      raise RequestError(f"{path.absolute()} is no STAC item but a list of items; name the JSON file of one")
    return None
  assets, properties = content.get("assets"), content.get("properties")
  if not isinstance(assets, dict) or not isinstance(properties, dict):
    raise RequestError(f"{path.absolute()} is a STAC item without assets or properties; download it again")
  found = tuple(_assets(assets))
  date = re.match(r"\d{4}-\d{2}-\d{2}", str(properties.get("datetime") or properties.get("start_datetime")))
  return Item(name, found, date[0] if date else None)


def _assets(assets: Mapping[str, Any]) -> Iterator[Asset]:
  for key, asset in assets.items():
    if isinstance(asset, dict) and isinstance(asset.get("href"), str) and "\0" not in asset["href"]:
      roles = frozenset(str(role).lower() for role in _dictionaries(asset.get("roles"), str))
      yield Asset(key, asset["href"], roles, _bands(asset))


def _bands(asset: Mapping[str, Any]) -> tuple[Band, ...]:
  lists = [_dictionaries(asset.get(key), dict) for key in ("eo:bands", "raster:bands", "bands")]
  count = max(map(len, lists))
  # The fields of an asset without a list of bands, or of all its bands, are its own.
  merged = [dict(asset) for _ in range(max(count, 1))]
  for entries in lists:
    for fields, entry in zip(merged, entries, strict=False):
      fields.update(entry)
  return tuple(_band(fields, named=count > 0) for fields in merged)


def _band(fields: Mapping[str, Any], *, named: bool) -> Band:
  def number(*keys: str) -> float | None:
    return next((value for key in keys if (value := _number(fields.get(key))) is not None), None)

  classes = _dictionaries(fields.get("classification:classes"), dict)
  return Band(
    name=str(fields.get("name") or "") if named else "",
    centre=number("center_wavelength", "eo:center_wavelength"),
    width=number("full_width_half_max", "eo:full_width_half_max"),
    scale=number("scale", "raster:scale"),
    offset=number("offset", "raster:offset"),
    nodata=number("nodata"),
    unit=str(fields.get("unit") or ""),
    classes=tuple(
      (int(value), f"{entry.get('name')} {entry.get('description')}")
      for entry in classes
      if (value := _number(entry.get("value"))) is not None and value.is_integer()
    ),
  )


def _number(value: Any) -> float | None:
  """Returns a number of JSON, or one of the texts "nan", "inf" and "-inf" for nodata."""
  if isinstance(value, bool) or not isinstance(value, int | float | str):
    return None
  try:
    return float(value)
  except (ValueError, OverflowError):
    return None


def _dictionaries(value: Any, kind: type) -> list:
  return [item for item in value if isinstance(item, kind)] if isinstance(value, list) else []

"""Finds the files of a product that is an image with METADATA.XML and quality layers of the same prefix."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import xml_files
from mtl_hsi.scenes.images.products.delivery import Delivery

METADATA, IMAGE = "metadata", "spectral_image"
LEVEL = "L2A"
_IMAGE_ENDINGS = ("tif", "tiff", "jp2", "bsq", "bil", "bip", "img", "dat")
# A prefix that may be missing, what the file is, and the mark of a copy that is optimised for clouds.
_NAME = re.compile(
  rf"(?P<prefix>|.*[-_/])(?P<part>{METADATA}|{IMAGE}|ql_[a-z0-9_-]+?)(?P<cloud>_cog)?\.(?P<ending>[a-z0-9]+)"
)
_LEVEL = re.compile(r"(?<![A-Za-z0-9])L(1A|1B|1C|2A)(?![A-Za-z0-9])", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class ProductFiles(NamedTuple):
  """The files of one product.

  Attributes:
    delivery: where they are.
    prefix: the folder and the common prefix of their names, in lower case.
    names: their names, by part: `METADATA`, `IMAGE`, "ql_quality_cloud".
  """

  delivery: Delivery
  prefix: str
  names: Mapping[str, str]

  @property
  def origin(self) -> str:
    """What the user named, for messages."""
    return str(self.delivery.path.absolute())

  def path(self, part: str) -> Path:
    """Returns the path of a part on disk.

    Raises:
      RequestError: the product has no such file, or an empty one.
    """
    if part not in self.names:
      name = f"{part.upper()}.{'XML' if part == METADATA else 'TIF'}"
      where = f"beside {self.origin}" if self.delivery.named else f"in {self.origin}"
      raise RequestError(f"there is no file *-{name} {where}; add it, or download the product again")
    path = self.delivery.file(self.names[part])
    if not path.stat().st_size:
      raise RequestError(f"{self.names[part]} of {self.origin} is empty; download the product again")
    return path

  def read_metadata(self) -> ElementTree.Element:
    """Returns the root of the metadata.

    Raises:
      RequestError: they are missing, or are not XML.
    """
    path = self.path(METADATA)
    try:
      return xml_files.read_xml(path)
    except (OSError, ValueError) as error:
      raise RequestError(
        f"{self.names[METADATA]} of {self.origin} cannot be read as XML ({error}); download it again"
      ) from error


def find_product(
  delivery: Delivery, start: str, root: str
) -> tuple[ProductFiles, ElementTree.Element] | None:
  """Finds the files of one product of level L2A, and reads its metadata.

  Args:
    delivery: where to look.
    start: start of the names of the products of a sensor, in lower case, such as "enmap".
    root: name of the root of their metadata, by which products without such a name are recognised.

  Returns:
    The files with the root of their metadata, or None if there is no such product, or if the user named an
    image without metadata or of another level, which is a raster like any other.

  Raises:
    RequestError: there are several products, one of another level, or metadata are missing or damaged.
  """
  if delivery.named is not None and not _is_main_file(delivery.named):
    return None
  groups = _groups(delivery)
  found = {prefix: names for prefix, names in groups.items() if _name_of(prefix).startswith(start)}
  if not found:
    found = {
      prefix: names
      for prefix, names in groups.items()
      if METADATA in names and ProductFiles(delivery, prefix, names).read_metadata().tag == root
    }
  if len(found) > 1:
    listed = ", ".join(sorted(next(iter(names.values())) for names in found.values())[:3])
    raise RequestError(
      f"{delivery.path.absolute()} contains {len(found)} products ({listed}, ...); name the METADATA.XML or "
      "the folder of one of them"
    )
  if not found or (METADATA not in next(iter(found.values())) and delivery.named):
    return None
  files = ProductFiles(delivery, *next(iter(found.items())))
  metadata = files.read_metadata()
  return (files, metadata) if _has_level(files, metadata) else None


def date(root: ElementTree.Element) -> str | None:
  """Returns the day on which the image was taken, such as "2022-06-25"; None if the metadata lack it."""
  found = _DATE.match((root.findtext(".//startTime") or "").strip())
  return found[0] if found else None


def _has_level(files: ProductFiles, root: ElementTree.Element) -> bool:
  """Returns False for an image of another level, and refuses whole products."""
  stated = [root.findtext(path) or "" for path in ("metadata/schema/processingLevel", "base/level")]
  levels = [_LEVEL.search(text) for text in (*stated, _name_of(files.prefix).replace("_", "-"))]
  level = next((found[0].upper() for found in levels if found), LEVEL)
  if level == LEVEL:
    return True
  if files.delivery.named is not None and files.names.get(IMAGE) == files.delivery.named:
    return False
  raise RequestError(
    f"{files.origin} is a product of level {level}; expected {LEVEL}, surface reflectance: order that level, "
    "or name the image file itself with the options wavelengths and scale"
  )


def _is_main_file(name: str) -> bool:
  found = _NAME.fullmatch(name.lower())
  if found is None or found["part"] not in (METADATA, IMAGE):
    return False
  return _has_type(found) or (found["part"] == IMAGE and found["ending"] == "hdr")


def _has_type(found: re.Match[str]) -> bool:
  return found["ending"] in (("xml",) if found["part"] == METADATA else _IMAGE_ENDINGS)


def _groups(delivery: Delivery) -> dict[str, dict[str, str]]:
  """Returns the names of the files by prefix and part; with a named file, only those of its prefix."""
  groups = {}
  matches = [(name, _NAME.fullmatch(name.lower())) for name in delivery.names]
  # Of a file and its copy for clouds, the file counts.
  for name, found in sorted(matches, key=lambda match: bool(match[1] and match[1]["cloud"])):
    if found and _has_type(found):
      groups.setdefault(found["prefix"], {}).setdefault(found["part"], name)
  if delivery.named is None:
    return {prefix: names for prefix, names in groups.items() if METADATA in names or IMAGE in names}
  found = _NAME.fullmatch(delivery.named.lower())
  named = {found["part"]: delivery.named} if _has_type(found) else {}
  return {found["prefix"]: groups.get(found["prefix"], {}) | named}


def _name_of(prefix: str) -> str:
  """Returns the start of the names of files, or their folder if they have no prefix."""
  folder, _, start = prefix.rpartition("/")
  return start or folder.rpartition("/")[2]

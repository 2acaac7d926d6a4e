"""Folders and archives that are not a known product: the only image in them, or what they contain."""

from pathlib import PurePosixPath

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import arrays, envi_header
from mtl_hsi.scenes.images.products.delivery import Delivery

# Endings of the formats that can have many bands, and of those that mostly are previews.
_IMAGES = (
  *(".tif", ".tiff", ".jp2", ".j2k", ".nc", ".h5", ".he5", ".hdf5", ".rst", ".sdat", ".asc"),
  *arrays.SUFFIXES,
  *envi_header.DATA_SUFFIXES[1:],
)
_PREVIEWS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pnm")
_LISTED = 3


def only_image(delivery: Delivery) -> str:
  """Returns the name of the only image in a folder or an archive.

  Raises:
    RequestError: there is none, or there are several; lists some.
  """
  images = _find(delivery, _IMAGES) or _find(delivery, _PREVIEWS)
  if len(images) == 1:
    return images[0]
  is_folder = delivery.path.is_dir()
  what = f"{delivery.path.absolute()} is {'a folder' if is_folder else 'an archive'} and no known product"
  if not images:
    raise RequestError(f"{what}; it has no image ({_listed(delivery.names)}): name the file of an image")
  name = "name" if is_folder else "unpack it and name"
  raise RequestError(
    f"{what}; it has {len(images)} images ({_listed(images)}): {name} one of them or, if each of them is a "
    "band, join them first with gdal_merge.py -separate -o cube.tif <files>"
  )


def _find(delivery: Delivery, suffixes: tuple[str, ...]) -> list[str]:
  """Returns the files with one of the endings, and the data files of ENVI headers, whatever their ending."""
  found = {name: PurePosixPath(name).suffix.lower() for name in delivery.names}
  headers = {name[:-4] for name, suffix in found.items() if suffix == ".hdr"}
  return [
    name
    for name, suffix in found.items()
    if suffix != ".hdr"
    and (suffix in suffixes or name in headers or name[: len(name) - len(suffix)] in headers)
  ]


def _listed(names: list[str] | tuple[str, ...]) -> str:
  more = len(names) - _LISTED
  rest = f" and {more} more {noun(more, 'file')}" if more > 0 else ""
  return ", ".join(names[:_LISTED]) + rest if names else "it is empty"

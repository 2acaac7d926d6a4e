"""Features in a zip: its Shapefile, or the only other file of features in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products.archives import ZIP_SUFFIX
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.labels.vector_files import FOLDER_SUFFIX, SHAPEFILE_SUFFIXES, SUFFIXES


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
  """Yields the file of features in a zip, unpacked until the block ends, or the path itself if it is no zip.

  Raises:
    RequestError: the zip is damaged, or does not have exactly one file of features.
  """
  if path.suffix.lower() != ZIP_SUFFIX:
    yield path
    return
  delivery = Delivery(path, nested=False)
  found = sorted({_features(name) for name in delivery.names} - {None})
  if len(found) != 1:
    raise RequestError(
      f"{path.absolute()} has {len(found)} files of features ({', '.join(found[:5]) or 'none'}); unpack it "
      "and name the file of the labels"
    )
  yield _unpack(delivery, found[0])


def _unpack(delivery: Delivery, chosen: str) -> Path:
  """Returns the path of the file or folder of features; the files of a Shapefile stay side by side."""
  if chosen.lower().endswith(FOLDER_SUFFIX):
    return [delivery.file(name) for name in delivery.names if name.startswith(f"{chosen}/")].pop().parent
  stem, suffix = str(PurePosixPath(chosen).with_suffix("")), PurePosixPath(chosen).suffix.lower()
  if suffix == ".shp":
    for name in delivery.names:
      part = PurePosixPath(name)
      if str(part.with_suffix("")) == stem and part.suffix.lower() in SHAPEFILE_SUFFIXES:
        delivery.file(name)
  return delivery.file(chosen)


def _features(name: str) -> str | None:
  """Returns the file or FileGDB folder of features that a member of a zip is or belongs to, or None."""
  parts = name.split("/")
  for count, part in enumerate(parts[:-1], start=1):
    if part.lower().endswith(FOLDER_SUFFIX):
      return "/".join(parts[:count])
  suffix = PurePosixPath(name).suffix.lower()
  return name if suffix in SUFFIXES and suffix not in (ZIP_SUFFIX, FOLDER_SUFFIX) else None

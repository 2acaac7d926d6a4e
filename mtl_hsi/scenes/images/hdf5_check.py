"""A check of an HDF5 file before it is read: it contains its values itself, and its libraries can read it."""

import math
import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import hdf5_layout
from mtl_hsi.scenes.images.hdf5_heaps import check_heaps
from mtl_hsi.scenes.images.hdf5_lengths import check_lengths

if TYPE_CHECKING:
  import h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# The signature is at 0 or, after a user block, at 512, 1024, 2048 ... (HDF5 specification, II.A).
_FIRST_OFFSET = 512


def check_file(path: Path) -> None:
  """Rejects an HDF5 file (such as netCDF 4) with values in other files, as it could name any file.

  Files that would make HDF5 or GDAL's netCDF library hang or crash are rejected as well.

  Raises:
    RequestError: some values are in other files, or the file is damaged.
    OSError: the file cannot be read.
  """
  if not is_hdf5(path):
    return
  # Imported here as it is slow and few files are in this format.
  import h5py

  def external_name(name, item):
    # The visitors stop at the first item for which this is not None.
    if isinstance(item, h5py.ExternalLink):
      return name
    return name if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual) else None

  def damaged_name(name, item):
    return name if isinstance(item, h5py.Dataset) and not _has_valid_dimensions(item) else None

  with h5py.File(path, "r") as file:
    found = file.visititems_links(external_name) or file.visititems(external_name)
    if found is not None:
      raise RequestError(
        f"{path.absolute()}: the values of {found} are in other files, which are not read; save the image as "
        "GeoTIFF"
      )
    _check_bytes(path, file)
    found = file.visititems(damaged_name)
    if found is not None:
      raise RequestError(
        f"{path.absolute()} cannot be read as netCDF (the dimensions of {found} are damaged); get it again"
      )


def _check_bytes(path: Path, file: "h5py.File") -> None:
  """Checks heaps and lengths of texts, which HDF5 uses without a check."""
  import h5py

  if not hdf5_layout.has_usual_words(file):
    return
  items = hdf5_layout.objects(file)
  stored = [
    part for item in items if isinstance(item, h5py.Dataset) for part in hdf5_layout.value_ranges(item)
  ]
  with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
    ranges = list(hdf5_layout.between_values(stored, len(content)))
    check_heaps(path, content, ranges)
    check_lengths(path, items, content, ranges)


def _has_valid_dimensions(data: "h5py.Dataset") -> bool:
  """Returns whether attributes have the size that the netCDF library expects without a check."""
  import h5py

  for name, count in (
    ("DIMENSION_LIST", data.ndim),
    ("_Netcdf4Coordinates", data.ndim),
    ("_Netcdf4Dimid", 1),
  ):
    if name in data.attrs:
      found = data.attrs.get_id(name)
      is_list = h5py.check_vlen_dtype(found.dtype) is not None
      if math.prod(found.shape or ()) > max(count, 1) or is_list != (name == "DIMENSION_LIST"):
        return False
  return True


def is_hdf5(path: Path) -> bool:
  """Returns whether a file has the signature of HDF5.

  Raises:
    OSError: it cannot be read.
  """
  with path.open("rb") as file:
    offset = 0
    while True:
      file.seek(offset)
      found = file.read(len(_SIGNATURE))
      if found == _SIGNATURE or len(found) < len(_SIGNATURE):
        return found == _SIGNATURE
      offset = 2 * offset or _FIRST_OFFSET

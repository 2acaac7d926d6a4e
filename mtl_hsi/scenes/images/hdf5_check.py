"""A check that an HDF5 file contains its values itself, before GDAL reads it."""

from pathlib import Path

from mtl_hsi.errors import RequestError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# The signature is at 0 or, after a user block, at 512, 1024, 2048 ... (HDF5 specification, II.A).
_FIRST_OFFSET = 512


def check_values_are_inside(path: Path) -> None:
  """Rejects an HDF5 file (such as netCDF 4) with values in other files, as it could name any file.

  Raises:
    RequestError: some values are in other files.
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

  with h5py.File(path, "r") as file:
    found = file.visititems_links(external_name) or file.visititems(external_name)
  if found is not None:
    raise RequestError(
      f"{path.absolute()}: the values of {found} are in other files, which are not read; save the image as "
      "GeoTIFF"
    )


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

"""Whether an HDF5 file holds its values itself, asked before GDAL reads it."""

from pathlib import Path

from mtl_hsi.errors import RequestError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Where it stands behind a user block; or at twice that, and so on (HDF5's specification, II.A).
_OFFSET = 512


def check(path: Path) -> None:
  """Refuses an HDF5 file (netCDF 4 is such) of which parts lie in files that it names: it could name any.

  Raises:
    RequestError: it does.
    OSError: it cannot be read.
  """
  if not _is_hdf5(path):
    return
  # Imported here since it is slow, and few files are of that format.
  import h5py

  def elsewhere(name, item):
    """Stops the walk at the first name for which it is not None."""
    if isinstance(item, h5py.ExternalLink):
      return name
    return name if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual) else None

  with h5py.File(path, "r") as file:
    found = file.visititems_links(elsewhere) or file.visititems(elsewhere)
  if found is not None:
    raise RequestError(
      f"{path.absolute()}: the values of {found} lie in other files, which are not read for it; save the "
      "image as GeoTIFF"
    )


def _is_hdf5(path: Path) -> bool:
  with path.open("rb") as file:
    offset = 0
    while True:
      file.seek(offset)
      found = file.read(len(_SIGNATURE))
      if found == _SIGNATURE or len(found) < len(_SIGNATURE):
        return found == _SIGNATURE
      offset = 2 * offset or _OFFSET

"""AVIRIS-NG, AVIRIS-3 and AVIRIS-5 L2A reflectance in netCDF (`*_RFL_ORT.nc`).

The same products in ENVI form are opened as rasters. Source: emit-sds/SpectralUtil.
"""

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import positions
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.hdf5_cubes import Cube
from mtl_hsi.scenes.images.products.hdf5_files import Hdf5File, find_file
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.scene import Georeference

_GROUP = "reflectance"
_CUBE = f"{_GROUP}/reflectance"
# Other files of the same flight, by the group that only they have.
_RELATIVES = {"radiance": "radiance", "uncertainty": "the uncertainty of the reflectance"}
_SENSORS = (("ang", "AVIRIS-NG"), ("av3", "AVIRIS-3"), ("av5", "AVIRIS-5"))
_CRS_ATTRIBUTES = ("spatial_ref", "crs_wkt")
# 84 degrees north, the end of UTM, in metres from the equator.
_LARGEST_NORTHING = 9_329_000.0
# EPSG codes of UTM on WGS 84; those of the southern zones are larger by 100.
_NORTHERN_ZONES = range(32601, 32661)


class Aviris:
  """A product of an AVIRIS sensor; see `Product`."""

  overlaps = False
  geometries = False
  # The product has no quality layers.
  read_unclear = None

  def __init__(self, file: Hdf5File):
    self._file = file
    name = file.path.name.lower()
    sensor = next((title for prefix, title in _SENSORS if name.startswith(prefix)), "AVIRIS")
    self.title = f"{sensor} L2A reflectance"
    count = file.array(_CUBE, 3).shape[0]
    centres, widths = (self._find_list(name, count) for name in ("wavelength", "fwhm"))
    if centres is None:
      raise RequestError(f"{file.where} has no array {_GROUP}/wavelength; download it again")
    self._cube = Cube.open(file, _CUBE, "brc", centres, widths, None)

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Aviris | None":
    """Opens the product in a delivery; None if it is no product of this kind."""
    file = find_file(delivery, r".*_rfl_ort\.nc")
    if file is None:
      return None
    if file.has_array(_CUBE):
      return cls(file)
    for name, what in _RELATIVES.items():
      if file.has_array(f"{name}/{name}"):
        raise RequestError(f"{file.where} contains {what} of AVIRIS; name the file ..._RFL_ORT.nc instead")
    return None

  def describe(self) -> Description:
    """Returns the properties of the product."""
    georeference, remarks = self._georeference()
    date = positions.find_date(self._file.path.name, self._file.attribute_text("/", "time_coverage_start"))
    return self._cube.describe(self._cube.shape[:2], georeference, date, remarks)

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads the values of a window, as stored, `[h, w, b]`."""
    return self._cube.read(rows, columns, bands)

  def _find_list(self, name: str, count: int) -> np.ndarray | None:
    for path in (f"{_GROUP}/{name}", name):
      if self._file.has_array(path):
        return self._file.read_list(path, count)
    return None

  def _georeference(self) -> tuple[Georeference | None, tuple[str, ...]]:
    """Returns the position, and remarks on it."""
    mapping = self._grid_mapping()
    if mapping is None:
      return None, ("not georeferenced: the file names no coordinate reference system",)
    name, crs = mapping
    transform = self._transform(name)
    if transform is None:
      return None, ("not georeferenced: the file has no GeoTransform, nor easting and northing",)
    found = positions.georeference(crs, transform, self._file.where)
    south = _southern(found)
    if south is None:
      return found, ()
    remark = (
      f"{south} instead of the northern zone in the file, in which its northing is beyond 84 degrees north"
    )
    return positions.georeference(south, transform, self._file.where), (remark,)

  def _grid_mapping(self) -> tuple[str, str] | None:
    """Returns name and WKT of the variable with the reference system."""
    named = self._file.attribute_text(_CUBE, "grid_mapping")
    for group in ("", f"{_GROUP}/"):
      for name in ([named] if named else []) + list(self._file.names(group or "/")):
        for attribute in _CRS_ATTRIBUTES:
          crs = self._file.attribute_text(f"{group}{name}", attribute)
          if crs:
            return f"{group}{name}", crs
    return None

  def _transform(self, mapping: str) -> tuple[float, ...] | None:
    """Returns the transform of the grid mapping or, without one, that of the coordinates of the pixels."""
    found = positions.parse_geotransform(self._file.attribute_text(mapping, "GeoTransform"))
    height, width, _ = self._cube.shape
    x, y = self._find_list("easting", width), self._find_list("northing", height)
    if x is None or y is None or min(height, width) < 2:
      return found
    across, down = (x[-1] - x[0]) / (width - 1), (y[-1] - y[0]) / (height - 1)
    # Rows may be stored from south to north, whatever the geotransform says.
    if found is not None and (found[1] or found[3] or found[4] * down > 0):
      return found
    return across, 0.0, x[0] - across / 2, 0.0, down, y[0] - down / 2


def _southern(found: Georeference) -> str | None:
  """Returns the southern zone of UTM if the northing is too large for the northern one, else None."""
  code = rasterio.CRS.from_wkt(found.crs).to_epsg()
  is_wrong = code in _NORTHERN_ZONES and found.transform[5] > _LARGEST_NORTHING
  return f"EPSG:{code + 100}" if is_wrong else None

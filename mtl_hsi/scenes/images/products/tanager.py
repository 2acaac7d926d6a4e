"""Tanager surface reflectance of Planet (HDF5), orthorectified (ortho_sr) or not (basic_sr).

Source: Planet, Tanager Product Specification, November 2025.
"""

import re

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import positions
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.hdf5_cubes import Cube
from mtl_hsi.scenes.images.products.hdf5_files import Hdf5File, find_file
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.scene import Georeference

_ORTHO, _BASIC = "HDFEOS/GRIDS/HYP", "HDFEOS/SWATHS/HYP"
_REFLECTANCE, _RADIANCE = "surface_reflectance", "toa_radiance"
_MASKS = ("beta_cloud_mask", "beta_cirrus_mask")
_POINT = r"{}=\(\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\)"


class Tanager:
  """A product of Tanager; see `Product`."""

  title = "Tanager surface reflectance"
  overlaps = False
  geometries = False

  def __init__(self, file: Hdf5File, group: str):
    self._file = file
    self._group = group
    self._fields = f"{group}/Data Fields"
    name = f"{self._fields}/{_REFLECTANCE}"
    centres = file.numbers(name, "wavelengths")
    if centres is None:
      raise RequestError(f"{file.where} has no attribute wavelengths of {_REFLECTANCE}; download it again")
    widths, good = (file.numbers(name, attribute) for attribute in ("fwhm", "good_wavelengths"))
    self._cube = Cube.open(file, name, "brc", centres, widths, good)
    self._outside = self._layer("nodata_pixels")

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Tanager | None":
    """Opens the product in a delivery; None if it is no product of this kind."""
    file = find_file(delivery, r".*_(ortho|basic)_sr.*\.h5", r".*_(ortho|basic)_radiance.*\.h5")
    for group in () if file is None else (_ORTHO, _BASIC):
      if file.has_array(f"{group}/Data Fields/{_REFLECTANCE}"):
        return cls(file, group)
      if file.has_array(f"{group}/Data Fields/{_RADIANCE}"):
        raise RequestError(f"{file.where} is radiance of Tanager; get the product surface reflectance (sr)")
    return None

  def describe(self) -> Description:
    """Returns the properties of the product."""
    georeference = self._georeference()
    remarks = ()
    if self._group == _BASIC:
      remarks = ("not georeferenced: a basic product has the geometry of the sensor; take the ortho product",)
    elif georeference is None:
      remarks = ("not georeferenced: the file names no coordinate reference system",)
    date = positions.find_date(self._file.path.name, self._file.attribute_text(self._group, "strip_id"))
    return self._cube.describe(self._cube.shape[:2], georeference, date, remarks)

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads the values of a window, as stored, `[h, w, b]`."""
    values = self._cube.read(rows, columns, bands)
    if self._outside is not None and self._cube.fill is not None:
      values[self._flags(self._outside, rows, columns)] = self._cube.fill
    return values

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    """Reads which pixels the cloud and cirrus masks flag, bool `[h, w]`."""
    layers = [layer for layer in map(self._layer, _MASKS) if layer is not None]
    if not layers:
      raise RequestError(f"{self._file.where} has no {' or '.join(_MASKS)}; remove the option quality")
    return np.logical_or.reduce([self._flags(layer, rows, columns) for layer in layers])

  def _layer(self, name: str):
    """Returns the array of a layer of flags, or None."""
    path = f"{self._fields}/{name}"
    if not self._file.has_array(path):
      return None
    layer = self._file.array(path, 2)
    if layer.shape != self._cube.shape[:2]:
      raise RequestError(f"{self._file.where}: {name} and {_REFLECTANCE} differ in size; download it again")
    return layer

  def _flags(self, layer, rows: slice, columns: slice) -> np.ndarray:
    return self._file.read(layer, "rc", rows, columns) > 0

  def _georeference(self) -> Georeference | None:
    """Returns the position of an ortho product; its corners in the metadata are outer edges."""
    text = self._file.text("HDFEOS INFORMATION/StructMetadata.0") if self._group == _ORTHO else None
    corners = [self._corner(text or "", name) for name in ("UpperLeftPointMtrs", "LowerRightMtrs")]
    crs = self._crs(text or "")
    if crs is None or None in corners:
      return None
    transform = positions.north_up(*corners[0], *corners[1], self._cube.shape[:2])
    return positions.georeference(crs, transform, self._file.where)

  def _corner(self, text: str, name: str) -> tuple[float, float] | None:
    found = re.search(_POINT.format(name), text)
    try:
      return (float(found[1]), float(found[2])) if found else None
    except ValueError:
      return None

  def _crs(self, text: str) -> int | str | None:
    """Returns the EPSG code of the group or, without one, that of the UTM zone, negative in the south."""
    code = self._file.number(self._group, "epsg_code")
    if code is not None and code.is_integer():
      return int(code)
    named = self._file.attribute_text(self._group, "epsg_code")
    if named:
      return named
    zone = re.search(r"ZoneCode=(-?\d{1,2})\b", text)
    if zone is None or "Projection=HE5_GCTP_UTM" not in text:
      return None
    return 32600 + int(zone[1]) if int(zone[1]) > 0 else 32700 - int(zone[1])

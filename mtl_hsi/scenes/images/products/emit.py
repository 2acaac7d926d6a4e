"""EMIT L2A reflectance (netCDF), orthorectified by its lookup table or in the geometry of the sensor.

Source: emit-sds/emit-utils, daac_converter.py; nasa/EMIT-Data-Resources, emit_tools.py.
"""

import functools
import re

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import positions
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.hdf5_cubes import Cube
from mtl_hsi.scenes.images.products.hdf5_files import Hdf5File, find_file, open_file
from mtl_hsi.scenes.images.products.lookup_table import LookupTable
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.scene import Georeference

_BANDS = "sensor_band_parameters"
_AXES = "rcb"
# Other files of the same scene, by the array that only they have.
_RELATIVES = {
  "radiance": "the radiance (L1B)",
  "obs": "the observation geometry (L1B)",
  "reflectance_uncertainty": "the uncertainty of the reflectance",
  "mask": "the mask",
}
_NAME = re.compile(r"EMIT_L2A_RFL_(.+)\.nc", re.IGNORECASE)
# Bands of the mask of a file that does not name them: cloud, cirrus, spacecraft, dilated cloud.
_FLAGS = (0, 1, 3, 4)
_FLAG_NAME = re.compile(r"(?=.*flag)(?=.*(cloud|cirrus|spacecraft))")
_MOST_FLAGS = 64
# What a pixel of the map has that shows nothing of the image, if the file does not say.
_FILL = -9999.0


class Emit:
  """A product of EMIT; see `Product`."""

  title = "EMIT L2A reflectance"
  overlaps = False
  geometries = True

  def __init__(self, file: Hdf5File, delivery: Delivery, geometry: str | None):
    # The delivery is kept, as what is unpacked from an archive exists as long as it does.
    self._file, self._delivery = file, delivery
    count = file.array("reflectance", 3).shape[2]
    widths, good = (
      file.read_list(f"{_BANDS}/{name}", count) if file.has_array(f"{_BANDS}/{name}") else None
      for name in ("fwhm", "good_wavelengths")
    )
    centres = file.read_list(f"{_BANDS}/wavelengths", count)
    self._cube = Cube.open(file, "reflectance", _AXES, centres, widths, good)
    has_table = file.has_array("location/glt_x")
    if geometry == "map" and not has_table:
      raise RequestError(f"{file.where} has no lookup table location/glt_x; use the option geometry: sensor")
    self._table = LookupTable(file, self._cube.shape[:2]) if has_table and geometry != "sensor" else None
    self._fill = _FILL if self._cube.fill is None else self._cube.fill

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Emit | None":
    """Opens the product in a delivery; None if it is no product of this kind."""
    file = find_file(delivery, r"emit_l2a_rfl_.*\.nc", r"emit_l\d\w_.*\.nc")
    if file is None or not file.has_group(_BANDS):
      return None
    if file.has_array("reflectance"):
      return cls(file, delivery, options.geometry)
    for name, what in _RELATIVES.items():
      if file.has_array(name):
        raise RequestError(f"{file.where} contains {what} of EMIT; name the file EMIT_L2A_RFL_... instead")
    return None

  def describe(self) -> Description:
    """Returns the properties of the product."""
    date = positions.find_date(self._file.attribute_text("/", "time_coverage_start"), self._file.path.name)
    if self._table is None:
      remark = "not georeferenced: the image has the geometry of the sensor"
      return self._cube.describe(self._cube.shape[:2], None, date, (remark,))
    return self._cube.describe(self._table.shape, self._georeference(), date, ())

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads the values of a window, as stored, `[h, w, b]`."""
    if self._table is None:
      return self._cube.read(rows, columns, bands)
    return self._table.read(rows, columns, lambda *window: self._cube.read(*window, bands), self._fill)

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    """Reads which pixels are flagged as cloud, cirrus, spacecraft or near a cloud, bool `[h, w]`."""
    if self._table is None:
      return self._read_flags(rows, columns)[..., 0]
    return self._table.read(rows, columns, self._read_flags, False)[..., 0]

  def _georeference(self) -> Georeference | None:
    coefficients = self._file.numbers("/", "geotransform")
    crs = self._file.attribute_text("/", "spatial_ref")
    if coefficients is None or len(coefficients) != 6 or not crs:
      raise RequestError(
        f"{self._file.where} has no valid geotransform or spatial_ref; download it again, or use the option "
        "geometry: sensor"
      )
    return positions.georeference(crs, positions.from_gdal(coefficients), self._file.where)

  def _read_flags(self, rows: slice, columns: slice) -> np.ndarray:
    """Returns whether any flag is set in the geometry of the sensor, bool `[h, w, 1]`."""
    file, layer, flags = self._mask
    return (file.read(layer, _AXES, rows, columns, flags) > 0).any(axis=-1, keepdims=True)

  @functools.cached_property
  def _mask(self):
    """The file of the masks, their array, and the indices of the flags in it."""
    file = self._open_mask()
    layer = file.array("mask", 3)
    if layer.shape[:2] != self._cube.shape[:2]:
      raise RequestError(f"{file.where} and {self._file.where} differ in size; download both again")
    names = file.texts(f"{_BANDS}/mask_bands", _MOST_FLAGS)[: layer.shape[2]]
    flags = [index for index, name in enumerate(names) if _FLAG_NAME.match(name.lower())] if names else _FLAGS
    if not flags or max(flags) >= layer.shape[2]:
      raise RequestError(f"{file.where} has no flag of clouds; download it again")
    return file, layer, np.array(flags)

  def _open_mask(self) -> Hdf5File:
    """Opens the file of masks beside the image, of whatever version of the processor."""
    found = _NAME.fullmatch(self._file.path.name)
    expected = f"EMIT_L2A_MASK_{found[1] if found else '...'}.nc"
    scene = found[1].rpartition("_")[0] or found[1] if found else ""
    pattern = rf"emit_l2a_mask_{re.escape(scene.lower())}.*\.nc"
    names = sorted(self._delivery.find(re.compile(pattern).fullmatch)) if found else []
    exact = [name for name in names if name.lower().endswith(expected.lower())]
    file = open_file(self._delivery.file((exact or names)[-1])) if names else None
    if file is None:
      raise RequestError(
        f"{self._file.where}: its mask {expected} is not in the same folder; add it, or remove the option "
        "quality"
      )
    return file

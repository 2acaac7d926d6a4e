"""PRISMA L2D (map) and L2C (geometry of the sensor), HDF5 (.he5).

Source: IREA-CNR-MI/prismaread; senbox-org/optical-toolbox.
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import wavelengths
from mtl_hsi.scenes.images.products import positions
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.detector_overlap import leave_out
from mtl_hsi.scenes.images.products.hdf5_files import Hdf5File, copy_bands, find_file, is_stored_by_rows
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.scene import Georeference

_SWATHS = "HDFEOS/SWATHS"
_LEVELS = ("L2D", "L2C")
_DETECTORS = ("Vnir", "Swir")
_AXES = "rbc"
_LARGEST_VALUE = 65535
_PIXEL = 30.0
_ERRORS = "{}_PIXEL_L2_ERR_MATRIX"
# The bands of SWIR have less noise where both detectors measure; prismaread prefers them as well.
_OVERLAP = "swir"
# Codes of the error matrix: not valid in L1, and saturated. Negative reflectance (2) is not among them, as
# whole absorption bands have it.
_UNCLEAR_CODES = (1, 3)


class _Detector(NamedTuple):
  """The bands of a detector that were acquired.

  Attributes:
    name: "Vnir" or "Swir".
    indices: index of every band in the cube of the detector, `[b]`.
    centres: band centres in nm, `[b]`.
    widths: band widths in nm, `[b]`.
    good: False for bands that are flagged as unused, `[b]`.
    scale: reflectance is scale x stored value + offset.
    offset: see `scale`.
    not_acquired: number of bands in the cube that were not acquired.
  """

  name: str
  indices: np.ndarray
  centres: np.ndarray
  widths: np.ndarray
  good: np.ndarray
  scale: float
  offset: float
  not_acquired: int


class Prisma:
  """A product of PRISMA; see `Product`."""

  overlaps = True
  geometries = False

  def __init__(self, file: Hdf5File, level: str, overlap: Literal["vnir", "swir", "all"] | None):
    self._file, self._level = file, level
    self._fields = f"{_SWATHS}/PRS_{level}_HCO/Data Fields"
    self.title = f"PRISMA {level}"
    cubes = [self._array(f"{name.upper()}_Cube") for name in _DETECTORS]
    self._detectors = [_detector(file, name, cube) for name, cube in zip(_DETECTORS, cubes, strict=True)]
    self._shape = cubes[0].shape[::2]
    self._dtype = np.result_type(*cubes).newbyteorder("=")
    if cubes[1].shape[::2] != self._shape:
      raise RequestError(f"{file.where}: VNIR_Cube and SWIR_Cube differ in size; download it again")
    centres, widths, indices, good = (
      np.concatenate([getattr(detector, key) for detector in self._detectors])
      for key in ("centres", "widths", "indices", "good")
    )
    if not len(centres):
      raise RequestError(f"{file.where} has the wavelength 0 for all bands; download it again")
    order = np.argsort(centres, kind="stable")
    self._wavelengths = wavelengths.convert_to_nm(centres, widths, "nm", file.where, order)
    # Detector, and index in its cube, of every band in ascending order of wavelength.
    self._of = np.repeat([0, 1], [len(detector.indices) for detector in self._detectors])[order]
    self._indices, self._good = indices[order], good[order]
    if not self._good.any():
      raise RequestError(f"{file.where} flags all bands as unused; download it again")
    self._overlapping, self._overlap_remark = leave_out(
      self._wavelengths.centres, self._of == 0, self._good, overlap or _OVERLAP
    )

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Prisma | None":
    """Opens the product in a delivery; None if it is no product of this kind."""
    file = find_file(delivery, r"prs_l2[cd]_.*\.he5", r"prs_.*\.he5")
    names = () if file is None else file.names(_SWATHS)
    for level in _LEVELS:
      if f"PRS_{level}_HCO" in names:
        return cls(file, level, options.overlap)
    others = [name for name in names if name.startswith("PRS_")]
    if others:
      level = others[0].split("_")[1]
      raise RequestError(
        f"{file.where} is PRISMA {level}, which is radiance; get the product L2D or L2C (reflectance)"
      )
    return None

  def describe(self) -> Description:
    """Returns the properties of the product."""
    scales, offsets = np.array([(d.scale, d.offset) for d in self._detectors])[self._of].T
    return Description(
      shape=(*self._shape, len(self._of)),
      dtype=self._dtype,
      wavelengths=self._wavelengths,
      left_out=np.flatnonzero(~self._good),
      overlapping=self._overlapping,
      scaling=(scales, offsets),
      background=0,
      georeference=self._georeference() if self._level == "L2D" else None,
      by_rows=is_stored_by_rows(self._array("VNIR_Cube"), _AXES),
      acquired=positions.find_date(self._file.attribute_text("/", "Product_StartTime"), self._file.path.name),
      remarks=self._remarks(),
    )

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads the values of a window, as stored, `[h, w, b]`."""
    return self._read("{}_Cube", rows, columns, bands)

  def read_unclear(self, rows: slice, columns: slice) -> np.ndarray:
    """Reads which pixels are not valid or saturated in a band that is not left out, bool `[h, w]`."""
    if not self._file.has_array(f"{self._fields}/{_ERRORS.format('VNIR')}"):
      raise RequestError(f"{self._file.where} has no {_ERRORS.format('VNIR')}; remove the option quality")
    bands = np.setdiff1d(np.flatnonzero(self._good), self._overlapping)
    return np.isin(self._read(_ERRORS, rows, columns, bands), _UNCLEAR_CODES).any(axis=-1)

  def _array(self, name: str):
    return self._file.array(f"{self._fields}/{name}", len(_AXES))

  def _read(self, name: str, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads a window of the arrays of both detectors, `[h, w, b]`."""
    parts = []
    for number, detector in enumerate(self._detectors):
      indices = self._indices[bands[self._of[bands] == number]]
      array = self._array(name.format(detector.name.upper()))
      if array.shape[::2] != self._shape or indices.max(initial=-1) >= array.shape[1]:
        raise RequestError(f"{self._file.where}: {array.name} has the shape {array.shape}; download it again")
      parts.append(self._file.read(array, _AXES, rows, columns, indices))
    out = np.empty((*parts[0].shape[:2], len(bands)), np.result_type(*parts))
    for number, part in enumerate(parts):
      copy_bands(part, np.arange(part.shape[2]), out, np.flatnonzero(self._of[bands] == number))
    return out

  def _georeference(self) -> Georeference:
    """Returns the position of a map; its corners in the metadata are the centres of the corner pixels."""
    names = ("ULcorner_easting", "ULcorner_northing", "LRcorner_easting", "LRcorner_northing")
    left, top, right, bottom = (self._number(f"Product_{name}") for name in names)
    height, width = self._shape
    # The corners of some files are rounded to half a metre.
    across = _pixel((right - left) / (width - 1) if width > 1 else _PIXEL)
    down = _pixel((top - bottom) / (height - 1) if height > 1 else _PIXEL)
    transform = (across, 0.0, left - across / 2, 0.0, -down, top + down / 2)
    code = self._number("Epsg_Code")
    return positions.georeference(int(code) if code.is_integer() else str(code), transform, self._file.where)

  def _number(self, attribute: str) -> float:
    return _number(self._file, attribute)

  def _remarks(self) -> tuple[str, ...]:
    remarks = []
    count = sum(detector.not_acquired for detector in self._detectors)
    if count:
      remarks.append(f"{count} {noun(count, 'band')} that were not acquired left out (wavelength 0)")
    count = np.count_nonzero(~self._good)
    if count:
      remarks.append(f"{count} {noun(count, 'band')} flagged as unused left out")
    if self._overlap_remark is not None:
      remarks.append(self._overlap_remark)
    if self._level == "L2C":
      remarks.append("not georeferenced: L2C has the geometry of the sensor; L2D is the map")
    return tuple(remarks)


def _detector(file: Hdf5File, name: str, cube) -> _Detector:
  count = cube.shape[1]
  keys = f"List_Cw_{name}", f"List_Fwhm_{name}", f"List_Cw_{name}_Flags"
  centres, widths, flags = (file.numbers("/", key) for key in keys)
  if flags is None:
    flags = np.ones(count)
  if centres is None or widths is None or not len(centres) == len(widths) == len(flags) == count:
    raise RequestError(
      f"{file.where}: {', '.join(keys)} must have {count} values each, one per band; download it again"
    )
  acquired = np.flatnonzero(centres > 0)
  lowest, highest = (_number(file, f"L2Scale{name}{end}") for end in ("Min", "Max"))
  return _Detector(
    name,
    acquired,
    centres[acquired],
    widths[acquired],
    flags[acquired] != 0,
    (highest - lowest) / _LARGEST_VALUE,
    lowest,
    count - len(acquired),
  )


def _number(file: Hdf5File, attribute: str) -> float:
  value = file.number("/", attribute)
  if value is None or not math.isfinite(value):
    raise RequestError(f"{file.where} has no valid attribute {attribute}; download it again")
  return value


def _pixel(size: float) -> float:
  return _PIXEL if abs(size - _PIXEL) < 0.01 else size

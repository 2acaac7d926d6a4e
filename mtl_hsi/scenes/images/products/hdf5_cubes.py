"""Cubes of reflectance in HDF5 with a wavelength, a width and perhaps a flag for every band."""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import wavelengths
from mtl_hsi.scenes.images.products.empty_bands import find_empty_bands
from mtl_hsi.scenes.images.products.hdf5_files import Hdf5File, is_stored_by_rows
from mtl_hsi.scenes.images.products.product import Description
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.scene import Georeference

if TYPE_CHECKING:
  import h5py


@dataclasses.dataclass(frozen=True, eq=False)
class Cube:
  """A cube in an HDF5 file.

  Attributes:
    file: the file.
    name: name of the array.
    array: the array.
    axes: its axes in the order of the file: r for rows, c for columns, b for bands.
    order: index in the file of every band, in ascending order of wavelength, int `[B]`.
    wavelengths: centres and widths in that order.
    bad: bands that the file flags as bad, in that order, ascending; or None without flags.
  """

  file: Hdf5File
  name: str
  array: "h5py.Dataset"
  axes: str
  order: np.ndarray
  wavelengths: Wavelengths
  bad: np.ndarray | None

  @classmethod
  def open(
    cls,
    file: Hdf5File,
    name: str,
    axes: str,
    centres: np.ndarray,
    widths: np.ndarray | None,
    good: np.ndarray | None,
  ) -> "Cube":
    """Opens a cube.

    Args:
      file: the file.
      name: name of the array.
      axes: see `Cube`.
      centres: band centres in nm or um, in the order of the file, `[B]`.
      widths: band widths likewise, or None.
      good: 0 for every band that is flagged as bad, or None without flags.

    Raises:
      RequestError: the array is missing, or does not fit the bands, or all bands are flagged.
    """
    array = file.array(name, 3)
    count = array.shape[axes.index("b")]
    for what, values in (("wavelengths", centres), ("widths", widths), ("good_wavelengths", good)):
      if values is not None and len(values) != count:
        raise RequestError(
          f"{file.where} has {len(values)} {what} for {count} {noun(count, 'band')}; download it again"
        )
    order = np.argsort(centres, kind="stable")
    known = wavelengths.convert_to_nm(centres, widths, "", file.where, order)
    bad = None if good is None else np.flatnonzero(good[order] == 0)
    if bad is not None and len(bad) == count:
      raise RequestError(f"{file.where} flags all {count} bands as bad; download it again")
    return cls(file, name, array, axes, order, known, bad)

  @property
  def shape(self) -> tuple[int, int, int]:
    """Rows, columns and bands."""
    height, width, bands = (self.array.shape[self.axes.index(axis)] for axis in "rcb")
    return height, width, bands

  @property
  def fill(self) -> float | None:
    """The value without measurement, or None."""
    for attribute in ("_FillValue", "missing_value"):
      value = self.file.number(self.name, attribute)
      if value is not None and _is_representable(value, self.array.dtype):
        return value
    return None

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads a window, `[h, w, b]`; see `Product.read`."""
    return self.file.read(self.array, self.axes, rows, columns, self.order[bands])

  def describe(
    self,
    shape: tuple[int, int],
    georeference: Georeference | None,
    acquired: str | None,
    remarks: tuple[str, ...],
  ) -> Description:
    """Returns the properties of a product of this cube.

    Args:
      shape: H and W of the product.
      georeference: its position, or None.
      acquired: its date, or None.
      remarks: further remarks.
    """
    left_out, reason = self.bad, "flagged as bad (good_wavelengths)"
    if left_out is None:
      centres = self.wavelengths.centres
      left_out, reason = find_empty_bands(self.read, self.shape, centres, self.fill), "without a measurement"
    if len(left_out):
      remarks = (*remarks, f"{len(left_out)} {noun(len(left_out), 'band')} {reason} left out")
    return Description(
      shape=(*shape, self.shape[2]),
      dtype=self.array.dtype.newbyteorder("="),
      wavelengths=self.wavelengths,
      left_out=left_out,
      scaling=self._scaling(),
      nodata=None if self.fill is None else np.full(self.shape[2], self.fill),
      georeference=georeference,
      by_rows=shape == self.shape[:2] and is_stored_by_rows(self.array, self.axes),
      acquired=acquired,
      remarks=remarks,
    )

  def _scaling(self) -> tuple[np.ndarray, np.ndarray] | None:
    scale, offset = (self.file.number(self.name, name) for name in ("scale_factor", "add_offset"))
    if scale is None and offset is None:
      return None
    scale, offset = 1.0 if scale is None else scale, offset or 0.0
    if not (math.isfinite(scale) and scale and math.isfinite(offset)):
      raise RequestError(f"{self.file.where} has scale {scale} and offset {offset}; download it again")
    return np.full(self.shape[2], scale), np.full(self.shape[2], offset)


def _is_representable(value: float, dtype: np.dtype) -> bool:
  if dtype.kind == "f":
    return not math.isfinite(value) or abs(value) <= np.finfo(dtype).max
  return dtype.kind in "iu" and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max

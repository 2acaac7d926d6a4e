"""Opens products, array files and rasters as images with the same interface."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import containers, raster_source, wavelengths
from mtl_hsi.scenes.images.arrays import (
  SUFFIXES,
  axes_of_python,
  choose_key,
  format_shape,
  known_suffix,
  list_arrays,
  location,
  npz_contains,
  read_array,
)
from mtl_hsi.scenes.images.products import registry
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.product import NO_OPTIONS, ProductOptions
from mtl_hsi.scenes.images.source import Source
from mtl_hsi.scenes.images.wavelengths import Wavelengths

_PYTHON_AXES = "the file is not by MATLAB, so the axes of its arrays are rows, columns, bands as in Python"


def open_source(path: Path, key: str | None, options: ProductOptions = NO_OPTIONS) -> Source:
  """Opens a product, an image in an .npy, .npz or .mat file, or a raster of one of `rasters.FORMATS`.

  Args:
    path: the file, or the folder or archive of a product or of a single image.
    key: name of the array in an .npz or .mat file, or None.
    options: what the user chose of a product.

  Raises:
    RequestError: the file is missing, damaged or not an image, or has no such key, or is no product and has
      an option of one.
  """
  delivery = Delivery.of(path)
  product = registry.open_product(delivery, options) if key is None else None
  if product is not None:
    return product
  for option, value in options._asdict().items():
    if value is not None:
      raise RequestError(f"{path.absolute()} is no known product; remove the option {option} ({value!r})")
  if delivery.named is not None:
    return _open_file(path, key)
  name = containers.only_image(delivery)
  source = _open_file(delivery.file(name), key)
  origin = f"{name} in {path.absolute()}"
  remark = f"{path.name} is no known product; its only image, {name}, is read"
  return dataclasses.replace(source, origin=origin, holds=delivery, remarks=(*source.remarks, remark))


def _open_file(path: Path, key: str | None) -> Source:
  return OPENERS.get(path.suffix.lower(), raster_source.open_raster_source)(path, key)


def find_cube_key(path: Path) -> str | None:
  """Returns the key of the cube in an .npz or .mat file; None for an .npy file.

  The key is `cube`, or that of the only three-dimensional array.

  Raises:
    RequestError: there is no such array; lists the arrays of the file.
  """
  if known_suffix(path) == ".npy":
    return None
  entries = list_arrays(path)
  if "cube" in entries:
    return "cube"
  shapes = {key: entry.shape for key, entry in entries.items() if entry.kind in "iuf"}
  cubes = [key for key, shape in shapes.items() if len(shape) == 3 and min(shape) > 1]
  return choose_key(path, "the cube (rows x columns x bands)", cubes)


def _open_array(path: Path, key: str | None) -> Source:
  key = key or find_cube_key(path)
  values, origin = read_array(path, key), location(path, key)
  if values.ndim != 3:
    raise RequestError(f"{origin} is {format_shape(values.shape)}; expected rows x columns x bands")
  if values.dtype.kind not in "iuf":
    raise RequestError(f"{origin} has dtype {values.dtype}; expected an integer or floating-point dtype")

  def read_window(rows, columns, kept):
    window = values[rows, columns]
    # Without a copy if all bands are kept, so that a memory-mapped file stays mapped.
    return window if len(kept) == values.shape[2] else window[..., kept]

  return Source(
    origin,
    values.shape,
    values.dtype,
    read_window,
    read_wavelengths=lambda kept: _npz_wavelengths(path, values.shape[2], kept),
    read_bad_bands=lambda: np.empty(0, int),
    read_missing=_npz_mask_reader(path, values.shape[:2]),
    by_rows=True,
    remarks=(_PYTHON_AXES,) if axes_of_python(path, key) else (),
  )


def _npz_wavelengths(path: Path, count: int, kept: np.ndarray) -> Wavelengths:
  """Returns the arrays `wavelengths` and `widths` beside a cube of `count` bands, for the kept bands."""
  centres, widths = (_npz_numbers(path, key, count) for key in ("wavelengths", "widths"))
  if centres is None:
    return Wavelengths(None, None if widths is None else widths[kept])
  return wavelengths.convert_to_nm(centres, widths, "", str(path.absolute()), kept)


def _npz_numbers(path: Path, key: str, count: int) -> np.ndarray | None:
  if not npz_contains(path, key):
    return None
  values = read_array(path, key)
  if values.dtype.kind not in "iuf":
    raise RequestError(f"{location(path, key)} has dtype {values.dtype}; expected numbers in nm or um")
  if values.shape != (count,):
    raise RequestError(
      f"{path.absolute()}: {key} have shape {values.shape} for {count} bands; expected one value per band"
    )
  return values.astype(np.float64)


def _npz_mask_reader(path: Path, shape: tuple[int, int]) -> Callable[[slice, slice], np.ndarray] | None:
  if not npz_contains(path, "nodata"):
    return None
  mask = read_array(path, "nodata")
  if mask.dtype != bool:
    raise RequestError(f"{location(path, 'nodata')} has dtype {mask.dtype}; expected bool, rows x columns")
  if mask.shape != shape:
    raise RequestError(
      f"{location(path, 'nodata')} is {format_shape(mask.shape)}; expected {format_shape(shape)}, the rows x "
      "columns of the cube"
    )
  return lambda rows, columns: mask[rows, columns]


# By file name suffix. Files with any other suffix are opened as rasters.
OPENERS: dict[str, Callable[[Path, str | None], Source]] = dict.fromkeys(SUFFIXES, _open_array)

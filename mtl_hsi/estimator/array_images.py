"""Images from Python: arrays, DataArrays of xarray, datasets of rasterio, and paths.

xarray and rasterio are recognised by their attributes, so neither has to be installed.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.estimator import data_arrays
from mtl_hsi.scenes.images import wavelengths as units
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.source import Source
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.scene import Georeference

_EXPECTED = "rows x columns x bands"


def opener(image: Any, wavelengths: Any = None, widths: Any = None) -> Callable[..., Image]:
  """Returns a function that opens the image with options of `Image.open`.

  Args:
    image: numbers `[H, W, B]`, whose masked pixels are not measured; a DataArray with dimensions for rows,
      columns and bands; an open rasterio dataset; or the path of a file.
    wavelengths: band centres in nm or um `[B]` of an array or a DataArray, or None.
    widths: full widths at half maximum in the same unit `[B]`, or None.

  Raises:
    RequestError: the image is none of these, or has another shape.
  """
  path = path_of(image)
  if path is not None:
    if wavelengths is not None or widths is not None:
      raise RequestError("the image is a file, but its wavelengths are not; give the path of a CSV file")
    return functools.partial(Image.open, path, None)
  if data_arrays.is_data_array(image):
    found = data_arrays.read(image)
    wavelengths = found.wavelengths if wavelengths is None else wavelengths
    widths = found.widths if widths is None else widths
    source = _source(found.values, found.origin, found.georeference, found.nodata, wavelengths, widths)
  elif is_dataset(image):
    values = np.moveaxis(np.ma.asarray(image.read(masked=True)), 0, -1)
    source = _source(values, f"dataset {image.name}", place_of(image), None, wavelengths, widths)
  else:
    source = _source(image, "the image", None, None, wavelengths, widths)

  def open_with(product: Any = None, **options: Any) -> Image:
    return Image.of_source(source, **options)

  return open_with


def path_of(image: Any) -> Path | None:
  """Returns the path of a file, also of an open rasterio dataset; None for values in memory."""
  if isinstance(image, str | os.PathLike):
    return Path(image)
  if is_dataset(image) and os.path.isfile(image.name):
    return Path(image.name)
  return None


def is_dataset(image: Any) -> bool:
  """Returns whether this is an open rasterio dataset."""
  return all(hasattr(image, name) for name in ("read", "block_shapes", "transform", "name"))


def place_of(dataset: Any) -> Georeference | None:
  """Returns the georeference of a rasterio dataset, or None."""
  transform = tuple(dataset.transform)[:6]
  if transform == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0):
    return None
  return Georeference(dataset.crs.to_wkt() if dataset.crs else None, transform)


def _source(image, origin, georeference, nodata, wavelengths, widths) -> Source:
  mask = np.ma.getmaskarray(image).any(axis=-1) if np.ma.isMaskedArray(image) else None
  values = np.ma.getdata(image) if np.ma.isMaskedArray(image) else np.asarray(image)
  if values.ndim != 3 or not values.size:
    shape = " x ".join(map(str, values.shape)) or "a single value"
    raise RequestError(f"{origin} is {shape}; expected {_EXPECTED}")
  if values.dtype.kind not in "iuf":
    raise RequestError(f"{origin} has dtype {values.dtype}; expected an integer or floating-point dtype")
  bands = values.shape[2]
  known = _known(wavelengths, widths, bands, origin)
  return Source(
    origin,
    values.shape,
    values.dtype,
    lambda rows, columns, kept: values[rows, columns] if len(kept) == bands else values[rows, columns, kept],
    read_wavelengths=lambda kept: Wavelengths(*(x if x is None else x[kept] for x in known)),
    read_bad_bands=lambda: np.empty(0, int),
    nodata=None if nodata is None else np.full(bands, nodata),
    read_missing=None if mask is None else lambda rows, columns: mask[rows, columns],
    georeference=georeference,
    by_rows=True,
  )


def _known(wavelengths, widths, bands, origin) -> Wavelengths:
  """Returns the wavelengths in nm."""
  numbers = [None if given is None else np.asarray(given, float) for given in (wavelengths, widths)]
  for values in numbers:
    if values is not None and values.shape != (bands,):
      raise RequestError(f"wavelengths or widths have shape {values.shape} for {bands} bands of {origin}")
  if numbers[0] is None:
    return Wavelengths(None, None)
  return units.convert_to_nm(*numbers, "", "wavelengths")

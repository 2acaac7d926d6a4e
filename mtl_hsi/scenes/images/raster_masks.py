"""Pixels that a raster marks as without a measurement: transparent ones of an alpha band, and masks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags

from mtl_hsi.scenes.images import raster_tags, rasters
from mtl_hsi.storage import memory

MaskReader = Callable[[slice, slice], np.ndarray]


def data_bands(raster: rasterio.DatasetReader) -> list[int]:
  """Returns the numbers, from 1, of all bands that are no alpha bands."""
  alpha = _alpha_bands(raster)
  return [band for band in raster.indexes if band not in alpha]


def mask_reader(path: Path, raster: rasterio.DatasetReader) -> tuple[MaskReader | None, tuple[str, ...]]:
  """Returns a function that finds pixels without a measurement, and remarks on where it finds them.

  Args:
    path: file of the raster.
    raster: the open raster.

  Returns:
    From slices of rows and columns to True where a pixel is transparent or masked, bool `[h, w]`; None if the
    raster has neither alpha bands nor a mask.
  """
  alpha, masked = _alpha_bands(raster), _has_mask(raster)
  if not alpha and not masked:
    return None, ()
  if masked:
    # A block of the mask may be as large as the image.
    memory.check_fits(raster.height * raster.width, f"the mask of {path.absolute()}")

  def read(rows: slice, columns: slice) -> np.ndarray:
    window = rasters.window_of(raster, rows, columns)
    (top, bottom), (left, right) = window
    missing = np.zeros((bottom - top, right - left), bool)
    if alpha:
      missing |= (rasters.read_window(path, raster, alpha, window) == 0).any(axis=0)
    if masked:
      missing |= rasters.read_mask(path, raster, window) == 0
    return missing

  remarks = []
  if alpha:
    listed = ", ".join(str(band - 1) for band in alpha)
    remarks.append(
      f"band {listed} (from 0) is marked as alpha and not used as a band; its transparent pixels are nodata "
      f"(if it is a measurement: gdal_edit.py -colorinterp_{alpha[0]} undefined <image>)"
    )
  if masked:
    remarks.append("the pixels that the mask of the file excludes are nodata")
  return read, tuple(remarks)


def _alpha_bands(raster: rasterio.DatasetReader) -> list[int]:
  """Returns the numbers of the alpha bands: those marked as such, unless they have a wavelength.

  GDAL marks the last of four bands of 8 bits, whatever it is.
  """
  with rasters.gdal_errors_as_requests(Path(raster.name)):
    marked = [band for band, kind in zip(raster.indexes, raster.colorinterp) if kind == ColorInterp.alpha]
  found = [
    band
    for band in marked
    if "wavelength" not in map(str.lower, raster_tags.tags(raster, band))
    and "CENTRAL_WAVELENGTH_UM" not in raster_tags.tags(raster, band, "IMAGERY")
  ]
  return found if len(found) < raster.count else []


def _has_mask(raster: rasterio.DatasetReader) -> bool:
  with rasters.gdal_errors_as_requests(Path(raster.name)):
    flags = raster.mask_flag_enums[0]
  # That of an alpha band is read as a band, in the type of the raster.
  return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags

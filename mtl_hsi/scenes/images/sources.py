"""What an image file holds and says of itself, the same for arrays and rasters."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import bad_bands, band_metadata, rasters
from mtl_hsi.scenes.images.arrays import (
  SUFFIXES,
  by,
  carries,
  file_type,
  list_arrays,
  only_key,
  place,
  read_array,
)
from mtl_hsi.scenes.images.band_metadata import Bands
from mtl_hsi.scenes.scene import Georeference

_NONE = np.empty(0, int)


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
  """An image file, bad bands included.

  Attributes:
    origin: file and key, for messages.
    shape: H, W and B.
    dtype: of the values in the file, in the machine's byte order.
    read: from row and column slices and the places of bands to values `[h, w, b]`.
    bands: from the places of bands to their centres and widths; reads them when it is called, so that what is
      wrong with them matters only where they are asked for.
    bad_bands: places of the bands that the file calls bad, read when it is called.
    nodata: the value of every band that stands for no measurement `[B]`, or None.
    mask: True where nothing was measured `[H, W]`, or None.
    scaling: scale and offset of every band, each `[B]`, or None.
    georeference: place on the ground, or None.
  """

  origin: str
  shape: tuple[int, int, int]
  dtype: np.dtype
  read: Callable[[slice, slice, np.ndarray], np.ndarray]
  bands: Callable[[np.ndarray], Bands]
  bad_bands: Callable[[], np.ndarray]
  nodata: np.ndarray | None = None
  mask: np.ndarray | None = None
  scaling: tuple[np.ndarray, np.ndarray] | None = None
  georeference: Georeference | None = None


def open_source(path: Path, key: str | None) -> Source:
  """Opens an image in an .npy, .npz or .mat file, or in a raster of one of `raster_files.FORMATS`.

  Raises:
    RequestError: the file is missing, damaged or no image, or has no such key.
  """
  return _from_array(path, key) if path.suffix.lower() in SUFFIXES else _from_raster(path, key)


def find_cube(path: Path) -> str | None:
  """Key of the cube in an .npz or .mat file: `cube`, or the only three-dimensional array; None for .npy.

  Raises:
    RequestError: it cannot be told; lists the arrays of the file.
  """
  if file_type(path) == ".npy":
    return None
  entries = list_arrays(path)
  if "cube" in entries:
    return "cube"
  numbers = {key: entry.shape for key, entry in entries.items() if entry.kind in "iuf"}
  cubes = [key for key, shape in numbers.items() if len(shape) == 3 and min(shape) > 1]
  return only_key(path, "the cube (rows x columns x bands)", cubes)


def _from_array(path: Path, key: str | None) -> Source:
  key = key or find_cube(path)
  values, origin = read_array(path, key), place(path, key)
  if values.ndim != 3:
    raise RequestError(f"{origin} is {by(values.shape)}, expected rows x columns x bands")
  if values.dtype.kind not in "iuf":
    raise RequestError(f"{origin} holds {values.dtype}, expected integers or floating point")

  def read(rows, columns, kept):
    part = values[rows, columns]
    # Left as it is where all bands are wanted: a mapped file stays mapped.
    return part if len(kept) == values.shape[2] else part[..., kept]

  return Source(
    origin,
    values.shape,
    values.dtype,
    read,
    bands=lambda kept: _carried_bands(path, values.shape[2], kept),
    bad_bands=lambda: _NONE,
    mask=_carried_mask(path),
  )


def _from_raster(path: Path, key: str | None) -> Source:
  raster = rasters.open_raster(path)
  if key is not None:
    raise RequestError(f"{path.absolute()} is a raster without named arrays; leave the key {key!r} out")
  origin = str(path.absolute())
  values = np.array([np.nan if value is None else value for value in raster.nodatavals], float)
  entries = rasters.bad_band_entries(raster)
  return Source(
    origin,
    (raster.height, raster.width, raster.count),
    np.dtype(raster.dtypes[0]),
    functools.partial(_read_window, path, raster),
    bands=lambda kept: band_metadata.of_raster(raster, path, kept),
    bad_bands=lambda: bad_bands.from_header(entries, raster.count, origin) if entries else _NONE,
    nodata=None if all(value is None for value in raster.nodatavals) else values,
    scaling=rasters.band_scaling(raster),
    georeference=rasters.georeference(raster),
  )


def _read_window(
  path: Path, raster: rasterio.DatasetReader, rows: slice, columns: slice, kept: np.ndarray
) -> np.ndarray:
  (top, bottom, _), (left, right, _) = rows.indices(raster.height), columns.indices(raster.width)
  part = rasters.read_window(path, raster, (kept + 1).tolist(), ((top, bottom), (left, right)))
  return np.ascontiguousarray(np.moveaxis(part, 0, -1))


def _carried_bands(path: Path, count: int, kept: np.ndarray) -> Bands:
  """Those kept of `count` bands, as the arrays beside a cube have them, all in nm or all in um."""
  centres, widths = (_carried(path, key, count) for key in ("wavelengths", "widths"))
  if centres is None:
    return Bands(None, None if widths is None else widths[kept])
  return band_metadata.in_nm(centres, widths, "", str(path.absolute()), kept)


def _carried(path: Path, key: str, count: int) -> np.ndarray | None:
  """An array of `count` numbers beside the cube, float64; None where the file has no such array."""
  if not carries(path, key):
    return None
  values = read_array(path, key)
  if values.dtype.kind not in "iuf":
    raise RequestError(f"{place(path, key)} holds {values.dtype}, expected numbers in nm or um")
  if values.shape != (count,):
    raise RequestError(
      f"{path.absolute()}: {key} of shape {values.shape} for {count} bands; one per band is needed"
    )
  return values.astype(np.float64)


def _carried_mask(path: Path) -> np.ndarray | None:
  if not carries(path, "nodata"):
    return None
  mask = read_array(path, "nodata")
  if mask.dtype != bool:
    raise RequestError(f"{place(path, 'nodata')} holds {mask.dtype}, expected bool of rows x columns")
  return mask

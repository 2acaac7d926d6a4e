"""Writes scenes in all supported formats."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import geopandas
import h5py
import numpy as np
import rasterio
import shapely
from rasterio.errors import NotGeoreferencedWarning

from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.scene import Scene

# Pixels of 10 m, north up, in UTM zone 33 N.
CRS = "EPSG:32633"
TRANSFORM = rasterio.Affine(10, 0, 500_000, 0, -10, 5_400_000)


def read(cube: Path, labels: Path | None = None, **options) -> Scene:
  return read_scene("field", cube=cube, labels=labels, **options)


def save_matlab_73(path: Path, **variables: np.ndarray | str) -> Path:
  """Writes a file like MATLAB's `save -v7.3`: a header of 512 bytes, and HDF5 with the axes reversed."""
  with h5py.File(path, "w", userblock_size=512) as file:
    for key, value in variables.items():
      text = isinstance(value, str)
      values = np.array([[ord(letter)] for letter in value], np.uint16) if text else value.T
      data = file.create_dataset(key, data=values.astype(np.uint8) if values.dtype == bool else values)
      kind = {"bool": "logical", "float64": "double", "float32": "single"}.get(values.dtype.name)
      data.attrs["MATLAB_class"] = np.bytes_("char" if text else kind or values.dtype.name)
  with path.open("r+b") as file:
    file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
  return path


def save_raster(
  path: Path,
  values: np.ndarray,
  driver: str = "GTiff",
  crs: str | None = CRS,
  transform: rasterio.Affine = TRANSFORM,
  **profile,
) -> Path:
  """Writes `[H, W, B]` or `[H, W]` as a raster, without georeference if `crs` is None."""
  if crs is not None:
    profile |= {"crs": crs, "transform": transform}
  return save_unplaced(path, values, driver, **profile)


def save_unplaced(path: Path, values: np.ndarray, driver: str = "GTiff", **profile) -> Path:
  """Writes `[H, W, B]` or `[H, W]` as a raster with no more than the profile says."""
  bands = np.moveaxis(np.atleast_3d(values), -1, 0)
  shape = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype}
  with warnings.catch_warnings():
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    with rasterio.open(path, "w", driver=driver, **shape, **profile) as raster:
      raster.write(bands)
  return path


def save_envi(path: Path, values: np.ndarray, interleave: str = "BSQ", header: str = "") -> Path:
  """Writes an ENVI image with further lines in its header; returns the path of the header."""
  save_raster(path, values, "ENVI", interleave=interleave)
  side = path.with_suffix(".hdr")
  side.write_text(f"{side.read_text()}\n{header}")
  return side


def squares(labels: np.ndarray) -> tuple[list[shapely.Polygon], list[int]]:
  """Returns a polygon within each labelled pixel, and its class."""
  pixels = np.argwhere(labels > 0)
  boxes = [shapely.box(c + 0.1, r + 0.1, c + 0.9, r + 0.9) for r, c in pixels]
  return [in_crs(box) for box in boxes], labels[tuple(pixels.T)].tolist()


def in_crs(shape: shapely.Geometry) -> shapely.Geometry:
  """Transforms columns and rows to coordinates."""
  return shapely.transform(shape, lambda points: points * (10, -10) + (500_000, 5_400_000))


def save_features(
  path: Path,
  shapes: Sequence,
  crs: str | None = CRS,
  to: str | None = None,
  layer: str | None = None,
  driver: str | None = None,
  **columns: Sequence,
) -> Path:
  """Writes features as a layer of a file, reprojected to the reference system `to` if given.

  `driver` is GDAL's name of the format; None finds it by the ending of the file.
  """
  frame = geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
  with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
    (frame.to_crs(to) if to else frame).to_file(path, layer=layer, driver=driver, engine="pyogrio")
  return path


def boxes(height: int, width: int) -> list[shapely.Polygon]:
  """Returns a polygon within each pixel, row by row, in columns and rows."""
  return [shapely.box(c + 0.1, r + 0.1, c + 0.9, r + 0.9) for r in range(height) for c in range(width)]

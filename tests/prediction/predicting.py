"""Predictions from tests: the command, and the rasters that it reads and writes."""

import json
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.runs import workdir
from tests import launching

PREDICT = f"--config={launching.ROOT / 'configs' / 'predict.py'}"
TRANSFORM = rasterio.Affine(2.0, 0.0, 500000.0, 0.0, -2.0, 5000000.0)


def predict(run: Path, image: Path, **overrides: object) -> launching.Outcome:
  """Maps an image with a finished run; `overrides` are keys of the config."""
  changes = [f"--config.{key}={value}" for key, value in {"run": run, "image": image, **overrides}.items()]
  return launching.launch(PREDICT, *changes)


def refresh_checksums(run: Path) -> None:
  """Writes the checksums of a run again after a test has changed its files."""
  workdir.finish(run, json.loads((run / "metrics.json").read_text()))


def write_raster(path: Path, values: np.ndarray, **profile: object) -> None:
  """Writes `[H, W, B]` as a GeoTIFF in UTM zone 32."""
  height, width, count = values.shape
  options = {"driver": "GTiff", "height": height, "width": width, "count": count, "dtype": values.dtype}
  with rasterio.open(
    path, "w", **{**options, "crs": "EPSG:32632", "transform": TRANSFORM, **profile}
  ) as raster:
    raster.write(values.transpose(2, 0, 1))


def read_band(path: Path, band: int = 1) -> np.ndarray:
  """Returns one band of a raster, `[H, W]`."""
  with rasterio.open(path) as raster:
    return raster.read(band)

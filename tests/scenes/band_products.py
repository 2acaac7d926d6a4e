"""Writes small products with a file for each band, or with an item of STAC, as their providers do."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.scenes import formats

HYPERION = "EO1H0410332012204110KZ"
_MTL = """GROUP = L1_METADATA_FILE
  GROUP = METADATA_FILE_INFO
    ORIGIN = "Image courtesy of the U.S. Geological Survey"
  END_GROUP = METADATA_FILE_INFO
  GROUP = PRODUCT_METADATA
    PRODUCT_TYPE = "L1T"
    ACQUISITION_DATE = 2012-07-22
    START_TIME = "2012 204 09:50:14"
    BAND1_FILE_NAME = "{scene}_B001_L1T.TIF"
  END_GROUP = PRODUCT_METADATA
  GROUP = RADIANCE_SCALING
    SCALING_FACTOR_VNIR = 40.000000
    SCALING_FACTOR_SWIR = 80.000000
  END_GROUP = RADIANCE_SCALING
END_GROUP = L1_METADATA_FILE
END
"""

WYVERN = "wyvern_dragonette-003_20250508T092313_a60915a4"


def save_hyperion(
  folder: Path, values: np.ndarray, numbers: Sequence[int], scene: str = HYPERION, mtl: str = _MTL
) -> Path:
  """Writes a Hyperion L1T product with the bands of some numbers, `[H, W, B]`; returns its MTL file."""
  for index, number in enumerate(numbers):
    formats.save_raster(folder / f"{scene}_B{number:03}_L1T.TIF", values[..., index].astype(np.int16))
  path = folder / f"{scene}_MTL_L1T.TXT"
  path.write_text(mtl.format(scene=scene))
  (folder / "README.txt").write_text("USGS EROS Data Center\n")
  return path


def save_wyvern(
  folder: Path,
  values: np.ndarray,
  centres: Sequence[float],
  clear: np.ndarray | None = None,
  name: str = WYVERN,
) -> Path:
  """Writes an image of Wyvern with its item and its masks; returns the item.

  Args:
    folder: where to write the files.
    values: radiance `[H, W, B]`, NaN where there is none.
    centres: wavelengths in nm.
    clear: 1 for clear pixels, 0 for others, 255 for nodata, `[H, W]`; None for clear ones everywhere.
    name: of the item.
  """
  formats.save_raster(folder / f"{name}.tiff", values.astype(np.float32), nodata=-9999)
  clear = np.ones(values.shape[:2]) if clear is None else clear
  cloud = np.where(clear == 255, 255, clear == 0)
  formats.save_raster(folder / f"{name}_data_mask.tiff", np.dstack([clear, cloud]).astype(np.uint8))
  bands = [
    {"name": f"Band_{centre:.0f}", "center_wavelength": centre / 1000, "full_width_half_max": 0.02}
    for centre in centres
  ]
  rasters = [{"nodata": -9999, "data_type": "float32", "unit": "W/m2/sr/um"}] * len(centres)
  image = {"href": f"./{name}.tiff", "roles": ["data"], "eo:bands": bands, "raster:bands": rasters}
  names = [{"name": "QA_CLEAR_MASK"}, {"name": "QA_CLOUD_MASK"}]
  mask = {
    "href": f"./{name}_data_mask.tiff",
    "roles": ["data-mask", "clear", "cloud"],
    "eo:bands": names,
    "raster:bands": [{"nodata": 255}] * 2,
  }
  preview = {"href": f"./{name}_preview.png", "roles": ["overview"], "eo:bands": bands[:3]}
  item = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": name,
    "properties": {"datetime": "2025-05-08T09:23:13Z", "platform": "dragonette-003"},
    "geometry": None,
    "links": [],
    "assets": {"Cloud optimized GeoTiff": image, "Data Mask": mask, "Preview": preview},
  }
  path = folder / f"{name}.json"
  path.write_text(json.dumps(item))
  return path

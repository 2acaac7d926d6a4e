"""Images in rasters: mutations of GeoTIFF and other formats that GDAL detects by content."""

from pathlib import Path

import numpy as np

from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


def seeds(folder: Path) -> list[bytes]:
  found = []
  tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16}
  for options in ({}, {"compress": "deflate", "nodata": 7}, tiles):
    found.append(formats.save_raster(folder / "seed.tif", _CUBE, **options).read_bytes())
  found.append(formats.save_raster(folder / "seed.png", _CUBE[..., 0].astype(np.uint8), "PNG").read_bytes())
  asc = b"ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2\n3 4\n"
  return [*found, asc, b'<VRTDataset rasterXSize="2" rasterYSize="2"></VRTDataset>']


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.tif"
  path.write_bytes(data)
  Image.open(path).read(slice(None), slice(None))

"""Label rasters with class names in an ENVI header or in the side file of GDAL."""

from pathlib import Path

import numpy as np

from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.rasters import read_label_raster
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_BETWEEN = b"\0\0"
_LABELS = np.array([[0, 1, 2, 0], [1, 1, 2, 2], [0, 0, 1, 2]], np.uint8)
_GRID = Grid((3, 4), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_CLASSES = """classes = 3
class lookup = {0,0,0, 255,0,0, 0,255,0}
class names = {Unclassified, maize, lawn}
"""
_SIDE = b"""<?xml version="1.0"?>
<PAMDataset><PAMRasterBand band="1"><CategoryNames><Category></Category><Category>maize &amp; more</Category>
</CategoryNames></PAMRasterBand></PAMDataset>"""


def seeds(folder: Path) -> list[bytes]:
  side = formats.save_envi(folder / "a.dat", _LABELS, header=_CLASSES)
  moved = side.read_bytes().replace(b"500000", b"500010")
  return [side.read_bytes() + _BETWEEN, moved + _BETWEEN + _SIDE]


def feed(data: bytes, folder: Path) -> None:
  header, _, side = data.partition(_BETWEEN)
  (folder / "a.hdr").write_bytes(header)
  (folder / "a.dat.aux.xml").write_bytes(side)
  read_label_raster(folder / "a.hdr", _GRID, Reading())

"""Regions of interest of ENVI as text."""

from pathlib import Path

from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.roi_text import read_roi_text
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((3, 4), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_HEAD = b"""; ENVI Output of ROIs (5.3)
; Number of ROIs: 2
; File Dimension: 4 x 3
; ROI name: meadow
; ROI rgb value: {0, 0, 255}
; ROI npts: 2
; ROI name: roof
; ROI npts: 1
"""


def seeds(folder: Path) -> list[bytes]:
  plain = b";   ID    X    Y   B1\n 1 1 1 17\n 2 2 1 18\n\n 1 3 2 20\n"
  placed = b"; ID X Y Map X Map Y\n 1 5 5 500005 5399995\n 2 6 5 500015 5399995\n 1 7 6 500025 5399985\n"
  return [_HEAD + plain, _HEAD.replace(b"4 x 3", b"20 x 10") + placed]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.txt"
  path.write_bytes(data)
  read_roi_text(path, _GRID, Reading())

"""Labels from tables of points and of pixels, separated by anything."""

from pathlib import Path

from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.point_table import read_point_table
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))


def seeds(folder: Path) -> list[bytes]:
  return [
    b"x,y,class,crs\n500015,5399995,maize,EPSG:32633\n500035.5,5399975,lawn,\n",
    b"lon;lat;class\n15,0001;48,7526;1\n15,0002;48,7527;0\n",
    b"x\ty\tclass_id\n15.0001\t48.7526\t33010301\n15.0002\t48.7527\t-1\n",
    b"Row Col Label\n1.0 2.0 01\n3.0 4.0 1\n",
  ]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.txt"
  path.write_bytes(data)
  read_point_table(path, _GRID, Reading(unlabelled=(0,) if len(data) % 2 else ()))

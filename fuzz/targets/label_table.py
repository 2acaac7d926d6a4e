"""Labels from CSV files of pixels."""

from pathlib import Path

from mtl_hsi.scenes.labels.class_table import ClassTable
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.point_table import read_point_table

_GRID = Grid((12, 10), None)


def seeds(folder: Path) -> list[bytes]:
  return [b"row,column,class\n1,1,maize\n2,2,lawn\n", b"\xef\xbb\xbfrow;column;class\n0;0;1\n1;1;65535.0\n"]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.csv"
  path.write_bytes(data)
  table = ClassTable({1: "maize", 2: "lawn"}, {}) if len(data) % 2 else None
  read_point_table(path, _GRID, Reading(table=table))

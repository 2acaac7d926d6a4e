"""Tables of classes."""

from pathlib import Path

from mtl_hsi.scenes.labels.class_table import read_class_table


def seeds(folder: Path) -> list[bytes]:
  return [b"id,name,colour\n1,maize,#1a9641\n2,lawn,\n", b'id;name\n1;"ma\nize"\n']


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.csv"
  path.write_bytes(data)
  read_class_table(path)

"""Files of scenes in TOML."""

from pathlib import Path

from mtl_hsi.settings import scenes_file


def seeds(folder: Path) -> list[bytes]:
  values = b"[fields]\ncube = 'a.tif'\nnodata = -9999\nscale = 1e-4\nbad_bands = [0, '103:108']\n"
  return [values, b"town = {cube = 'a.mat', offset = 0xff, sensor = 1979-05-27}\n"]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "scenes.toml"
  path.write_bytes(data)
  scenes_file.read(path)

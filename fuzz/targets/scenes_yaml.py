"""Files of scenes in YAML."""

from pathlib import Path

from mtl_hsi.settings import scenes_file


def seeds(folder: Path) -> list[bytes]:
  example = Path("configs", "own_scenes.yaml").read_bytes()
  aliases = b"town: &t\n  cube: town.mat\n  bad_bands: [1, 2]\nfields: *t\n"
  return [example, aliases, b"town: {cube: !!python/object:os.system a, scale: 1:20}\n? [a]\n: b\n"]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "scenes.yaml"
  path.write_bytes(data)
  scenes_file.read(path)

"""Packs the QGIS plugin, as QGIS installs it: python -m qgis_plugin.pack mtl_hsi_map.zip."""

import sys
import zipfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PLUGIN = _ROOT / "qgis_plugin" / "mtl_hsi_map"
# Equal files give equal bytes.
_TIME = (2020, 1, 1, 0, 0, 0)


def main(path: Path) -> None:
  """Writes the zip."""
  files = {file.relative_to(_PLUGIN.parent): file for file in sorted(_PLUGIN.iterdir()) if file.is_file()}
  files[Path(_PLUGIN.name, "LICENSE")] = _ROOT / "LICENSE"
  with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, file in files.items():
      entry = zipfile.ZipInfo(name.as_posix(), _TIME)
      entry.external_attr = 0o644 << 16
      archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
  print(path)


if __name__ == "__main__":
  main(Path(sys.argv[1]))

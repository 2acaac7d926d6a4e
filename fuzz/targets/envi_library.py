"""Headers of ENVI spectral libraries; the data file does not change."""

from pathlib import Path

from mtl_hsi.scenes.libraries.envi_library import read_envi_library
from tests.scenes.libraries import writing


def seeds(folder: Path) -> list[bytes]:
  path = writing.save_envi(folder / "a.sli", writing.spectra()[:, ::-1].copy(), data_ignore_value=-1)
  header = path.with_suffix(".hdr").read_bytes()
  return [header, header.replace(b"data type = 4", b"data type = 2\nreflectance scale factor = 10000")]


def feed(data: bytes, folder: Path) -> None:
  side = folder / "a.hdr"
  side.write_bytes(data)
  read_envi_library(side)

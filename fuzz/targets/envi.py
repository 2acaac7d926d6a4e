"""Headers of ENVI images; the data file does not change."""

from pathlib import Path

import numpy as np

from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_MORE = """wavelength units = Nanometers
wavelength = {400, 500, 600, 700, 800}
fwhm = {10, 10, 10, 10, 10}
bbl = {1, 1, 0, 1, 1}
data ignore value = 7
data gain values = {2, 2, 2, 2, 2}
"""


def seeds(folder: Path) -> list[bytes]:
  cube = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
  side = formats.save_envi(folder / "a.dat", cube, header=_MORE)
  (folder / "a.dat.aux.xml").unlink(missing_ok=True)
  return [side.read_bytes(), side.read_bytes().replace(b"header offset = 0", b"header offset = 10")]


def feed(data: bytes, folder: Path) -> None:
  side = folder / "a.hdr"
  side.write_bytes(data)
  Image.open(side).read(slice(None), slice(None))

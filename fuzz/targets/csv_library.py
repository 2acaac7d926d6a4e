"""Tables of spectra, resampled to the bands of a scene."""

from pathlib import Path

import numpy as np

from mtl_hsi.scenes.libraries.classes import find_classes
from mtl_hsi.scenes.libraries.csv_library import read_csv_library
from mtl_hsi.scenes.libraries.resample import resample


def seeds(folder: Path) -> list[bytes]:
  return [
    b"name,class,450,550,650\na,soil,0.1,0.2,0.3\nb,lake,,0.2,nan\n",
    b"Class;X0,45;X0,55um;0.65\n1;0,1;0,2;0,3\n",
    b"Wavelength\t1\t2\nclass\tsoil\tlake\n450\t1\t2\n650 nm\t3\t4\n",
  ]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.csv"
  path.write_bytes(data)
  spectra = read_csv_library(path)
  find_classes(spectra, None, None)
  resample(spectra, np.array([450.0, 600.0]), None)

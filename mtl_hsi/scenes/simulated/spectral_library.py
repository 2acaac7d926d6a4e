"""Spectra of the earthlib package.

The library has 7,261 reflectance spectra from 400 to 2450 nm in steps of 10 nm, without the two ranges in
which the atmosphere is opaque (1350-1460 and 1790-1960 nm). The 2,000 canopy spectra were computed with the
PROSAIL model; all others were measured in the field or in the laboratory. earthlib has the MIT licence. Its
files are read from the installed package.
"""

import csv
import dataclasses
import functools
import importlib.util
import pathlib
import re

import numpy as np

from mtl_hsi.errors import RequestError

_FORMAT = {"wavelength units": "micrometers", "data type": "4", "byte order": "0", "header offset": "0"}


@dataclasses.dataclass(frozen=True, eq=False)
class Library:
  """Spectra and their names. Element i of every attribute except `wavelengths` belongs to spectrum i.

  Attributes:
    wavelengths: nm, float64 `[L]`, ascending.
    spectra: reflectance, 0 to about 1, float32 `[spectra, L]`.
    names: names in earthlib; a few occur twice.
    covers: land covers, earthlib's LEVEL_2, such as "built", "bare" or "vegetation".
    materials: materials, earthlib's LEVEL_3, such as "road", "soil" or "canopy".
  """

  wavelengths: np.ndarray
  spectra: np.ndarray
  names: tuple[str, ...]
  covers: tuple[str, ...]
  materials: tuple[str, ...]


@functools.cache
def load() -> Library:
  """Reads earthlib's library without importing earthlib, which would import pandas.

  Raises:
    RequestError: earthlib is not installed, or its files do not match each other.
  """
  spec = importlib.util.find_spec("earthlib")
  if spec is None:
    raise RequestError("simulated scenes need the Python package earthlib; pip install earthlib")
  return read(pathlib.Path(spec.origin).parent / "data")


def read(directory: pathlib.Path) -> Library:
  """Reads spectra.sli, spectra.sli.hdr (ENVI spectral library) and spectra.csv from a directory.

  Raises:
    RequestError: a file is missing, or the files do not match each other.
  """
  try:
    header = _header((directory / "spectra.sli.hdr").read_text("utf-8"))
    values = np.fromfile(directory / "spectra.sli", "<f4")
    with (directory / "spectra.csv").open(newline="", encoding="utf-8") as lines:
      rows = list(csv.DictReader(lines))
  except OSError as error:
    raise RequestError(f"spectral library: cannot read {error.filename}; install earthlib again") from error
  wavelengths = np.array(re.findall(r"[\d.]+", header.get("wavelength", "")), np.float64)
  if any(header.get(key, "").lower() != value for key, value in _FORMAT.items()):
    raise RequestError(
      f"spectral library: {directory / 'spectra.sli.hdr'} is not in the expected format {_FORMAT}"
    )
  if values.size != len(rows) * len(wavelengths):
    raise RequestError(
      f"spectral library in {directory}: {len(rows)} rows in spectra.csv and {len(wavelengths)} wavelengths "
      f"in spectra.sli.hdr do not match the {values.size} values of spectra.sli; install earthlib again"
    )
  return Library(
    wavelengths=np.round(1000.0 * wavelengths, 6),
    spectra=values.reshape(len(rows), len(wavelengths)).astype(np.float32),
    names=tuple(row["NAME"] for row in rows),
    covers=tuple(row["LEVEL_2"] for row in rows),
    materials=tuple(row["LEVEL_3"] for row in rows),
  )


def members(library: Library, material: str, name: str) -> np.ndarray:
  """Returns the indices, int `[n]`, of the spectra of a material whose names match a regular expression.

  The expression must match at the start of the name. Spectra with missing values (three spectra of litter)
  are excluded; the library stores such values as zeros.

  Raises:
    RequestError: the library has no such material; the message lists those that it has.
  """
  if material not in library.materials:
    raise RequestError(
      f"unknown material {material!r}; the spectral library has {', '.join(sorted(set(library.materials)))}"
    )
  pairs = zip(library.materials, library.names, strict=True)
  found = [i for i, (m, n) in enumerate(pairs) if m == material and re.match(name, n)]
  return np.array([i for i in found if library.spectra[i].min() > 0], np.int64)


def _header(text: str) -> dict[str, str]:
  """Returns the fields of an ENVI header; a list in braces remains one comma-separated string."""
  fields = re.findall(r"^([\w ]+?)\s*=\s*(?:\{([^}]*)\}|(.*))$", text, re.MULTILINE)
  return {key: (listed or plain).strip() for key, listed, plain in fields}

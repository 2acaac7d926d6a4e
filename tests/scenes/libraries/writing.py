"""Writes spectral libraries."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

# From 400 to 1000 nm.
WAVELENGTHS = np.arange(400.0, 1001.0, 10.0)
NAMES = ("bright soil", "dark soil", "lake")


def spectra() -> np.ndarray:
  """Returns three straight spectra of reflectance, float32 `[3, 61]`."""
  return np.stack([WAVELENGTHS / 2000, WAVELENGTHS / 4000, 0.1 - WAVELENGTHS / 20_000]).astype(np.float32)


def save_envi(path: Path, values: np.ndarray | None = None, names: Sequence[str] = NAMES, **fields) -> Path:
  """Writes an ENVI spectral library; further fields replace those of its header, or drop them if None."""
  values = spectra() if values is None else values
  path.write_bytes(np.ascontiguousarray(values).tobytes())
  header = {
    "description": "{measured in the field}",
    "samples": values.shape[1],
    "lines": len(values),
    "bands": 1,
    "header offset": 0,
    "file type": "ENVI Spectral Library",
    "data type": {"f4": 4, "f8": 5, "i2": 2, "u2": 12}[values.dtype.str[1:]],
    "interleave": "bsq",
    "byte order": int(values.dtype.byteorder == ">"),
    "wavelength units": "Nanometers",
    "spectra names": f"{{{', '.join(names)}}}",
    "wavelength": f"{{\n {', '.join(f'{w:g}' for w in WAVELENGTHS)}}}",
  } | {key.replace("_", " "): value for key, value in fields.items()}
  lines = [f"{key} = {value}" for key, value in header.items() if value is not None]
  path.with_suffix(".hdr").write_text("\n".join(["ENVI", *lines]) + "\n", "utf-8")
  return path


def save_csv(path: Path, titles: Sequence[str], rows: Sequence[Sequence], separator: str = ",") -> Path:
  """Writes a table."""
  path.write_text("\n".join(separator.join(map(str, row)) for row in [titles, *rows]) + "\n", "utf-8")
  return path

"""ENVI spectral libraries: a header, and a file with one spectrum after the other. GDAL does not read them.

Source: the header fields of ENVI (NV5 Geospatial, "ENVI Header Files").
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import wavelengths
from mtl_hsi.scenes.images.envi_header import split_list
from mtl_hsi.scenes.libraries.spectra import Spectra, make_spectra
from mtl_hsi.storage import memory

_DATA_SUFFIXES = (".sli", ".slb", ".lib", "", ".dat", ".img")
_DTYPES = {
  **{"1": "u1", "2": "i2", "3": "i4", "4": "f4", "5": "f8"},
  **{"12": "u2", "13": "u4", "14": "i8", "15": "u8"},
}
# The most memory, in bytes, for a byte of a header: that of lists of short items.
_MEMORY_RATIO = 100


def read_envi_library(path: Path) -> Spectra:
  """Reads an ENVI spectral library by the path of its header or of its data.

  Values are divided by the "reflectance scale factor" of the header, and its "data ignore value" is missing.

  Raises:
    RequestError: a file is missing, or is no such library.
  """
  header, data = _find_files(path)
  where = str(data.absolute())
  fields = _read_header(header)
  if "library" not in fields.get("file type", "").lower():
    raise RequestError(
      f"{header.absolute()} describes no spectral library (its file type is "
      f"{fields.get('file type', 'not given')!r}); expected 'ENVI Spectral Library'"
    )
  values = _read_values(data, fields, where)
  centres = _numbers(fields.get("wavelength", ""), "wavelength", where)
  if len(centres) != values.shape[1]:
    raise RequestError(
      f"{header.absolute()} has {len(centres)} wavelengths for {values.shape[1]} values of every spectrum; a "
      "library needs one for each"
    )
  widths = _numbers(fields.get("fwhm", ""), "fwhm", where)
  bands = wavelengths.convert_to_nm(
    centres, widths if len(widths) == len(centres) else None, fields.get("wavelength units", ""), where
  )
  names = split_list(fields.get("spectra names", ""))
  return make_spectra(values, bands, names if len(names) == len(values) else None, {}, where)


def _find_files(path: Path) -> tuple[Path, Path]:
  """Returns header and data file."""
  if path.suffix.lower() == ".hdr":
    header, stem = path, path.with_suffix("")
    candidates = [stem, *(stem.with_name(stem.name + suffix) for suffix in _DATA_SUFFIXES if suffix)]
    data = next((file for file in candidates if file.is_file()), None)
    if data is None:
      raise RequestError(f"{path.absolute()} has no file of data beside it, such as {candidates[1].name}")
  else:
    data, sides = path, (path.with_name(f"{path.name}.hdr"), path.with_suffix(".hdr"))
    header = next((file for file in sides if file.is_file()), None)
    if header is None:
      names = " or ".join(file.name for file in sides)
      raise RequestError(f"{path.absolute()} has no header beside it; expected {names}")
  return header, data


def _read_header(path: Path) -> dict[str, str]:
  """Returns the fields of a header by their names in lower case; lists are text without braces."""
  try:
    memory.check_file(path, _MEMORY_RATIO)
    content = path.read_bytes()
  except OSError as error:
    raise RequestError(f"cannot read {path.absolute()}: {error}") from error
  try:
    text = content.decode("utf-8-sig")
  except UnicodeDecodeError:
    text = content.decode("latin-1")
  if not text.startswith("ENVI"):
    raise RequestError(f"{path.absolute()} is no ENVI header: its first line is not ENVI")
  fields, lines = {}, iter(text.splitlines())
  for line in lines:
    key, equals, value = line.partition("=")
    if "{" in value:
      # A list ends with a brace, some lines further down.
      parts = [value.partition("{")[2]]
      while "}" not in parts[-1] and (further := next(lines, None)) is not None:
        parts.append(further)
      value = " ".join(parts).partition("}")[0]
    if equals:
      fields[key.strip().lower()] = value.strip()
  return fields


def _read_values(path: Path, fields: Mapping[str, str], where: str) -> np.ndarray:
  """Returns the values of all spectra, float32 `[n, L]`."""
  count, length, bands = (_whole(fields, key, where) for key in ("lines", "samples", "bands"))
  offset = _whole(fields, "header offset", where, "0")
  kind, order = fields.get("data type", ""), fields.get("byte order", "0")
  if bands != 1 or not count or not length or kind not in _DTYPES or order not in ("0", "1"):
    raise RequestError(
      f"{where}: its header has {count} lines, {length} samples, {bands} bands, data type {kind!r} and byte "
      f"order {order!r}; expected a spectrum a line, 1 band, a type of real numbers, and byte order 0 or 1"
    )
  if fields.get("file compression", "0") != "0":
    raise RequestError(f"{where} is compressed; save it without compression")
  dtype = np.dtype(_DTYPES[kind]).newbyteorder("<>"[int(order)])
  needed = offset + count * length * dtype.itemsize
  size = os.path.getsize(path)
  if size < needed:
    raise RequestError(
      f"{where} has {size} bytes, but its header declares {count} spectra of {length} values, which need "
      f"{needed}; it is truncated, or the header belongs to another file"
    )
  memory.check_fits(count * length * (dtype.itemsize + 8), where)
  try:
    values = np.fromfile(path, dtype, count * length, offset=offset).reshape(count, length)
  except OSError as error:
    raise RequestError(f"cannot read {where}: {error}") from error
  ignored = _numbers(fields.get("data ignore value", ""), "data ignore value", where)
  missing = np.isin(values, ignored.astype(values.dtype))
  scale = _numbers(fields.get("reflectance scale factor", ""), "reflectance scale factor", where)
  factor = float(scale[0]) if len(scale) and scale[0] > 0 else 1.0
  with np.errstate(all="ignore"):
    values = (values / factor).astype(np.float32)
  values[missing] = np.nan
  return values


def _whole(fields: Mapping[str, str], key: str, where: str, default: str = "") -> int:
  text = fields.get(key, default)
  if not re.fullmatch(r"[0-9]{1,12}", text):
    raise RequestError(f"{where}: its header has {key} = {text[:40]!r}; expected a whole number")
  return int(text)


def _numbers(text: str, key: str, where: str) -> np.ndarray:
  """Returns the numbers of a list, float64."""
  try:
    return np.array([float(item) for item in split_list(text)])
  except ValueError as error:
    raise RequestError(f"{where}: the field {key!r} of its header has other items than numbers") from error

"""Band centres and widths in nm, from rasters' metadata and from tables, whatever their unit."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import wavelength_limits
from mtl_hsi.scenes.images.rasters import header, header_list

_NM, _UM = "nm", "um"
_UNITS = {_NM: 1.0, _UM: 1000.0}
_SPELLINGS = {
  _NM: re.compile(r"nm|nanomet(er|re)s?", re.IGNORECASE),
  _UM: re.compile(r"[uµμ]m|micromet(er|re)s?|microns?", re.IGNORECASE),
}
_ALL = slice(None)


class Bands(NamedTuple):
  """Centres and full widths at half maximum in nm, float64 `[B]`, or None where unknown."""

  centres: np.ndarray | None
  widths: np.ndarray | None


def in_nm(
  centres: np.ndarray, widths: np.ndarray | None, unit: str, where: str, kept: np.ndarray | slice = _ALL
) -> Bands:
  """Turns centres and widths of one unit into nm.

  Args:
    centres: `[B]`.
    widths: `[B]`, or None. All 0 means unknown.
    unit: any spelling of nm or um; "" or "unknown": the one in which the centres are light.
    where: the source, for messages.
    kept: places of the bands that count; what others have may be no wavelengths.

  Raises:
    RequestError: the unit is another one, values are of another unit than the rest, or are no lengths.
  """
  centres = _check_positive(centres[kept], where)
  widths = None if widths is None else _check_positive(widths[kept], where)
  name = unit_of(unit, where)
  if name is None:
    name = _UM if centres.max() < wavelength_limits.SHORTEST else _NM
  factor = _UNITS[name]
  # Rounding takes away what the change of units adds: 0.4 um are 400 nm.
  centres = np.round(factor * centres, 6)
  if not wavelength_limits.are_plausible_centres(centres):
    raise RequestError(
      f"{where}: wavelengths from {centres.min():g} to {centres.max():g} when read in {name}; units are "
      f"mixed or wrong, expected all in nm or all in um, between {wavelength_limits.SHORTEST:g} and "
      f"{wavelength_limits.LONGEST:g} nm"
    )
  if widths is None or not widths.any():
    return Bands(centres, None)
  widths = np.round(factor * widths, 6)
  _check_widths(centres, widths, where)
  return Bands(centres, widths)


def unit_of(text: str, where: str) -> str | None:
  """The unit that a text names, "nm" or "um"; None for "" and "unknown".

  Raises:
    RequestError: it is another unit.
  """
  text = text.strip()
  if text.lower() in ("", "unknown"):
    return None
  for name, spelling in _SPELLINGS.items():
    if spelling.fullmatch(text):
      return name
  raise RequestError(
    f"{where}: wavelengths in {text!r}, expected nm or um; give them as a CSV file by the option wavelengths"
  )


def of_raster(raster: rasterio.DatasetReader, path: Path, kept: np.ndarray) -> Bands:
  """Centres and widths of the bands at some places, as an ENVI header or the metadata of the bands have them.

  Raises:
    RequestError: there are some but not for every band, or units are mixed or unknown.
  """
  where = f"metadata of {path.absolute()}"
  fields = {key.lower(): value for key, value in (header(raster) or raster.tags()).items()}
  if "wavelength" in fields:
    centres = _numbers(header_list(fields["wavelength"]), raster.count, where)
    widths = header_list(fields.get("fwhm", ""))
    widths = _numbers(widths, raster.count, where) if widths else None
    # ENVI's word for numbers of bands.
    if fields.get("wavelength_units", "").strip().lower() == "index":
      return Bands(None, None)
    return in_nm(centres, widths, fields.get("wavelength_units", ""), where, kept)
  tags = [_band_tags(raster, band) for band in raster.indexes]
  if not any("wavelength" in own for own in tags):
    return Bands(None, None)
  units = sorted({own.get("wavelength_units", "") for own in tags})
  if len(units) > 1:
    raise RequestError(f"{where}: wavelengths in {' and '.join(map(repr, units))}; units are mixed")
  centres = _numbers([own["wavelength"] for own in tags if "wavelength" in own], raster.count, where)
  widths = [own["fwhm"] for own in tags if "fwhm" in own]
  return in_nm(centres, _numbers(widths, raster.count, where) if widths else None, units[0], where, kept)


def _band_tags(raster: rasterio.DatasetReader, band: int) -> dict[str, str]:
  """`wavelength`, `fwhm` and `wavelength_units` of a band, where it has them."""
  tags = {key.lower(): value for key, value in raster.tags(band).items()}
  imagery = raster.tags(band, ns="IMAGERY")
  # GDAL's copy of an ENVI file has the width in its own terms only.
  lacking = "wavelength" not in tags or ("fwhm" not in tags and "FWHM_UM" in imagery)
  if lacking and "CENTRAL_WAVELENGTH_UM" in imagery:
    tags |= {"wavelength": imagery["CENTRAL_WAVELENGTH_UM"], "wavelength_units": _UM}
    if "FWHM_UM" in imagery:
      tags["fwhm"] = imagery["FWHM_UM"]
  return tags


def _numbers(texts: list[str], count: int, where: str) -> np.ndarray:
  if len(texts) != count:
    raise RequestError(f"{where}: {len(texts)} wavelengths or widths for {count} bands; expected one a band")
  try:
    return np.array([float(text) for text in texts])
  except ValueError as error:
    raise RequestError(f"{where}: {error}; expected wavelengths and widths as numbers") from error


def _check_positive(values: np.ndarray, where: str) -> np.ndarray:
  """Returns the values, which must be finite and not negative."""
  if not (np.isfinite(values).all() and (values >= 0).all()):
    raise RequestError(f"{where}: wavelengths and widths must be positive numbers")
  return values


def _check_widths(centres: np.ndarray, widths: np.ndarray, where: str) -> None:
  if not wavelength_limits.are_plausible_widths(widths, centres):
    raise RequestError(
      f"{where}: widths from {widths.min():g} to {widths.max():g} nm at wavelengths from {centres.min():g} "
      f"to {centres.max():g} nm; units are mixed, expected both in nm or both in um"
    )

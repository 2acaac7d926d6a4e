"""Wavelengths of the bands of a raster, from its ENVI header, from GDAL's metadata or from names of bands."""

import re
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import wavelength_limits
from mtl_hsi.scenes.images import envi_header, raster_masks, raster_tags, wavelengths
from mtl_hsi.scenes.images.wavelengths import Wavelengths

_UNKNOWN = Wavelengths(None, None)
# "450.5 nm" within a name, and a name that is nothing but a number.
_IN_NAME = re.compile(
  r"(?<![\d.])(\d+(?:\.\d+)?)\s*(nm|nanomet(?:er|re)s?|[uµμ]m|micromet(?:er|re)s?|microns?)(?![a-z])",
  re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*\d+(\.\d+)?\s*")


def read_raster_wavelengths(raster: rasterio.DatasetReader, path: Path, kept: np.ndarray) -> Wavelengths:
  """Returns the centres and widths of the bands with the indices `kept`, alpha bands not counted.

  Those of the whole raster come first (the fields of an ENVI header, or metadata of the same names), then
  those in the metadata of each band, then those in the names of the bands.

  Raises:
    RequestError: they do not cover every band, or units are mixed or unknown.
  """
  where = f"metadata of {path.absolute()}"
  data_bands = raster_masks.data_bands(raster)
  fields = {key.lower(): value for key, value in _fields(raster).items()}
  if "wavelength" in fields:
    centres = envi_header.split_list(fields["wavelength"])
    widths = envi_header.split_list(fields.get("fwhm", ""))
    unit = fields.get("wavelength_units", "")
    # An ENVI header with these units lists the numbers of the bands.
    if unit.strip().lower() == "index":
      return _UNKNOWN
  else:
    bands = [_band_fields(raster, band) for band in data_bands]
    if not any("wavelength" in band for band in bands):
      return _in_names(raster, data_bands, where, kept)
    units = sorted({band.get("wavelength_units", "") for band in bands})
    if len(units) > 1:
      raise RequestError(f"{where}: wavelengths in {' and '.join(map(repr, units))}; units are mixed")
    centres, widths = ([band[key] for band in bands if key in band] for key in ("wavelength", "fwhm"))
    (unit,) = units
  return wavelengths.convert_to_nm(
    _numbers(centres, raster.count, data_bands, where),
    _numbers(widths, raster.count, data_bands, where) if widths else None,
    unit,
    where,
    kept,
  )


def _fields(raster: rasterio.DatasetReader) -> dict[str, str]:
  return envi_header.fields(raster) or raster_tags.tags(raster)


def _band_fields(raster: rasterio.DatasetReader, band: int) -> dict[str, str]:
  """Returns `wavelength`, `fwhm` and `wavelength_units` of a band, as far as it has them."""
  tags = {key.lower(): value for key, value in raster_tags.tags(raster, band).items()}
  imagery = raster_tags.tags(raster, band, "IMAGERY")
  # In a copy of an ENVI file that GDAL made, only this namespace has the width.
  lacking = "wavelength" not in tags or ("fwhm" not in tags and "FWHM_UM" in imagery)
  if lacking and "CENTRAL_WAVELENGTH_UM" in imagery:
    tags |= {"wavelength": imagery["CENTRAL_WAVELENGTH_UM"], "wavelength_units": wavelengths.UM}
    if "FWHM_UM" in imagery:
      tags["fwhm"] = imagery["FWHM_UM"]
  return tags


def _in_names(raster: rasterio.DatasetReader, bands: list[int], where: str, kept: np.ndarray) -> Wavelengths:
  """Returns the wavelengths in the names of the bands; unknown unless every name has a single one."""
  names = [raster_tags.descriptions(raster)[band - 1] for band in bands]
  found = [_IN_NAME.findall(name) for name in names]
  if all(len(items) == 1 for items in found) and len({unit.lower() for ((_, unit),) in found}) == 1:
    centres = np.array([float(number) for ((number, _),) in found])
    return wavelengths.convert_to_nm(centres, None, found[0][0][1], f"names of bands in the {where}", kept)
  if not all(map(_NUMBER.fullmatch, names)):
    return _UNKNOWN
  centres = np.array([float(name) for name in names])
  # Numbers without a unit may count the bands.
  ascending = len(centres) > 1 and (np.diff(centres) > 0).all()
  likely = ascending and wavelength_limits.are_plausible_centres(centres)
  return Wavelengths(centres[kept], None) if likely else _UNKNOWN


def _numbers(texts: list[str], count: int, bands: list[int], where: str) -> np.ndarray:
  """Returns one number for each of the data bands, of all `count` bands or of these only."""
  if len(texts) not in (count, len(bands)):
    raise RequestError(f"{where}: {len(texts)} wavelengths or widths for {count} bands; expected one each")
  try:
    numbers = np.array([float(text) for text in texts])
  except ValueError as error:
    raise RequestError(f"{where}: wavelengths and widths must be numbers ({error})") from error
  return numbers if len(texts) == len(bands) else numbers[np.array(bands) - 1]

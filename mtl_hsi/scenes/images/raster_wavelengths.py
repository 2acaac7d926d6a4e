"""Wavelengths of the bands of a raster, from its ENVI header or from GDAL's metadata."""

from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header, wavelengths
from mtl_hsi.scenes.images.wavelengths import Wavelengths

_UNKNOWN = Wavelengths(None, None)


def read_raster_wavelengths(raster: rasterio.DatasetReader, path: Path, kept: np.ndarray) -> Wavelengths:
  """Returns the centres and widths of the bands with the indices `kept`.

  Those of the whole raster come first (the fields of an ENVI header, or metadata of the same names), then
  those in the metadata of each band.

  Raises:
    RequestError: they do not cover every band, or units are mixed or unknown.
  """
  where = f"metadata of {path.absolute()}"
  fields = {key.lower(): value for key, value in (envi_header.fields(raster) or raster.tags()).items()}
  if "wavelength" in fields:
    centres = envi_header.split_list(fields["wavelength"])
    widths = envi_header.split_list(fields.get("fwhm", ""))
    unit = fields.get("wavelength_units", "")
    # An ENVI header with these units lists the numbers of the bands.
    if unit.strip().lower() == "index":
      return _UNKNOWN
  else:
    bands = [_band_fields(raster, band) for band in raster.indexes]
    if not any("wavelength" in band for band in bands):
      return _UNKNOWN
    units = sorted({band.get("wavelength_units", "") for band in bands})
    if len(units) > 1:
      raise RequestError(f"{where}: wavelengths in {' and '.join(map(repr, units))}; units are mixed")
    centres, widths = ([band[key] for band in bands if key in band] for key in ("wavelength", "fwhm"))
    (unit,) = units
  return wavelengths.convert_to_nm(
    _numbers(centres, raster.count, where),
    _numbers(widths, raster.count, where) if widths else None,
    unit,
    where,
    kept,
  )


def _band_fields(raster: rasterio.DatasetReader, band: int) -> dict[str, str]:
  """Returns `wavelength`, `fwhm` and `wavelength_units` of a band, as far as it has them."""
  tags = {key.lower(): value for key, value in raster.tags(band).items()}
  imagery = raster.tags(band, ns="IMAGERY")
  # In a copy of an ENVI file that GDAL made, only this namespace has the width.
  lacking = "wavelength" not in tags or ("fwhm" not in tags and "FWHM_UM" in imagery)
  if lacking and "CENTRAL_WAVELENGTH_UM" in imagery:
    tags |= {"wavelength": imagery["CENTRAL_WAVELENGTH_UM"], "wavelength_units": wavelengths.UM}
    if "FWHM_UM" in imagery:
      tags["fwhm"] = imagery["FWHM_UM"]
  return tags


def _numbers(texts: list[str], count: int, where: str) -> np.ndarray:
  if len(texts) != count:
    raise RequestError(f"{where}: {len(texts)} wavelengths or widths for {count} bands; expected one each")
  try:
    return np.array([float(text) for text in texts])
  except ValueError as error:
    raise RequestError(f"{where}: wavelengths and widths must be numbers ({error})") from error

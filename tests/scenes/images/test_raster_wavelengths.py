"""Wavelengths of the bands of rasters, in nm."""

import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.ones((2, 3, 4), np.uint8)
_CENTRES = [400.0, 500.5, 600.0, 2500.0]
_WIDTHS = [10.0, 10.0, 12.0, 9.5]
_UM = "wavelength = {0.4, 0.5005, 0.6,\n 2.5}"
_NM = "wavelength = {400, 500.5, 600, 2500}"


def _envi(folder, *lines):
  return Image.open(formats.save_envi(folder / "a.dat", _CUBE, header="\n".join(lines)))


@pytest.mark.parametrize(
  "lines",
  [
    ("wavelength units = Micrometers", _UM, "fwhm = {0.01, 0.01, 0.012, 0.0095}"),
    ("wavelength units = Unknown", _UM, "fwhm = {0.01, 0.01, 0.012, 0.0095}"),
    (_UM, "fwhm = {0.01, 0.01, 0.012, 0.0095}"),
    ("wavelength units = Nanometers", _NM, "fwhm = {10, 10, 12, 9.5}"),
    (_NM, "fwhm = {10, 10, 12, 9.5}"),
  ],
)
def test_an_envi_header_in_any_unit(tmp_path, lines):
  image = _envi(tmp_path, *lines)
  assert image.wavelengths.tolist() == _CENTRES
  assert image.widths.tolist() == _WIDTHS


def test_wavelengths_missing_in_a_header_are_unknown(tmp_path):
  assert _envi(tmp_path).wavelengths is None
  image = _envi(tmp_path, _NM, "fwhm = {0, 0, 0, 0}")
  assert image.wavelengths.tolist() == _CENTRES
  assert image.widths is None


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["wavelength = {0.4, 500, 600, 700}"], "from 0.4 to 700 nm when read in nm; units are mixed or wrong"),
    (["wavelength units = Nanometers", _UM], "from 0.4 to 2.5 nm when read in nm; units are mixed or wrong"),
    (["wavelength units = Micrometers", _NM], "when read in um; units are mixed or wrong"),
    ([_UM, "fwhm = {10, 10, 10, 10}"], "units are mixed: expected both in nm or both in um"),
    ([_NM, "fwhm = {0.01, 0.01, 0.01, 0.01}"], "units are mixed: expected both in nm or both in um"),
    (["wavelength = {400, 500, 600}"], "3 wavelengths or widths for 4 bands"),
    (["wavelength = {400, 500, 600, red}"], "wavelengths and widths must be numbers"),
    (["wavelength = {400, 500, 600, nan}"], "must be positive numbers"),
    (["wavelength units = Wavenumber", _NM], "wavelengths are in 'Wavenumber'; expected nm or um"),
  ],
)
def test_inconsistent_headers_are_rejected(tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    _envi(tmp_path, *lines)


def test_a_table_replaces_an_inconsistent_header(tmp_path):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE, header="wavelength units = Wavenumber\n" + _NM)
  (tmp_path / "bands.csv").write_text("1\n2\n3\n4\n")
  assert Image.open(header, wavelengths=tmp_path / "bands.csv").wavelengths.tolist() == [
    1000,
    2000,
    3000,
    4000,
  ]


def test_wavelengths_of_dropped_bands_need_not_be_valid(tmp_path):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE, header="wavelength = {400, 500, 0, nan}")
  with pytest.raises(RequestError, match="must be positive numbers"):
    Image.open(header)
  assert Image.open(header, bad_bands="2:4").wavelengths.tolist() == [400, 500]
  (tmp_path / "bands.csv").write_text("410\n510\n-1\n0\n")
  table = {"wavelengths": tmp_path / "bands.csv", "bad_bands": "2,3"}
  assert Image.open(header, **table).wavelengths.tolist() == [410, 510]
  np.savez(tmp_path / "a.npz", cube=_CUBE, wavelengths=np.arange(_CUBE.shape[2] - 1))
  with pytest.raises(RequestError, match="expected one value per band"):
    Image.open(tmp_path / "a.npz", bad_bands="0")


def test_band_numbers_are_not_wavelengths(tmp_path):
  header = formats.save_envi(
    tmp_path / "a.dat", _CUBE, header="wavelength units = Index\nwavelength = {1, 2, 3, 4}"
  )
  assert Image.open(header).wavelengths is None


def _tagged(folder, tags):
  path = formats.save_raster(folder / "a.tif", _CUBE)
  with rasterio.open(path, "r+") as raster:
    for band, entries in enumerate(tags, start=1):
      namespace = {"ns": "IMAGERY"} if "CENTRAL_WAVELENGTH_UM" in entries else {}
      raster.update_tags(band, **namespace, **entries)
  return path


def test_band_metadata_of_a_tiff(tmp_path):
  tags = [
    {"wavelength": c, "WAVELENGTH_UNITS": "nm", "fwhm": w} for c, w in zip(_CENTRES, _WIDTHS, strict=True)
  ]
  image = Image.open(_tagged(tmp_path, tags))
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (_CENTRES, _WIDTHS)
  tags = [{"CENTRAL_WAVELENGTH_UM": c / 1000, "FWHM_UM": 0.01} for c in _CENTRES]
  image = Image.open(_tagged(tmp_path, tags))
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (_CENTRES, [10] * 4)


def test_a_copy_of_an_envi_file_by_gdal_keeps_its_widths(tmp_path):
  path = _tagged(tmp_path, [{"wavelength": c, "wavelength_units": "nm"} for c in _CENTRES])
  with rasterio.open(path, "r+") as raster:
    for band, (centre, width) in enumerate(zip(_CENTRES, _WIDTHS, strict=True), start=1):
      raster.update_tags(band, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=centre / 1000, FWHM_UM=width / 1000)
  image = Image.open(path)
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (_CENTRES, _WIDTHS)


def test_bands_of_a_tiff_in_different_units_are_rejected(tmp_path):
  tags = [{"wavelength": 400, "wavelength_units": "nm"}] * 3
  with pytest.raises(RequestError, match="wavelengths in 'nm' and 'um'; units are mixed"):
    Image.open(_tagged(tmp_path, [*tags, {"wavelength": 0.5, "wavelength_units": "um"}]))
  with pytest.raises(RequestError, match="wavelengths in '' and 'nm'; units are mixed"):
    Image.open(_tagged(tmp_path, [*tags, {"other": 1}]))

"""Wavelengths of the bands of rasters, in nm."""

import re

import numpy as np
import pytest
import rasterio

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
    (["wavelength units = Fahrenheit", _NM], "wavelengths are in 'Fahrenheit'; expected nm or um"),
    (["wavelength units = Wavenumber", "wavelength = {0, 1, 2, 3}"], "a wavelength is 0 1/cm"),
    (["wavelength = {0, 0, 0, 0}"], "wavelengths range from 0 to 0 nm"),
  ],
)
def test_wavelengths_of_inconsistent_headers_are_unknown_and_a_remark_tells_why(tmp_path, lines, message):
  image = _envi(tmp_path, *lines)
  assert image.wavelengths is None
  (remark,) = image.remarks
  assert remark.startswith("the wavelengths in the file are not used")
  assert re.search(message, remark)


@pytest.mark.parametrize(
  ("unit", "centre", "width", "nanometres"),
  [
    ("Wavenumber", 4000, 8, (2500, 5)),
    ("1/cm", 20_000, 100, (500, 2.5)),
    ("Angstroms", 5000, 100, (500, 10)),
    ("mm", 0.0005, 1e-5, (500, 10)),
    ("Meters", 5e-7, 1e-8, (500, 10)),
    ("GHz", 299_792.458, 299.792458, (1000, 1)),
  ],
)
def test_other_units_are_converted(tmp_path, unit, centre, width, nanometres):
  four = "{" + ", ".join([str(centre)] * 4) + "}", "{" + ", ".join([str(width)] * 4) + "}"
  image = _envi(tmp_path, f"wavelength units = {unit}", f"wavelength = {four[0]}", f"fwhm = {four[1]}")
  np.testing.assert_allclose([image.wavelengths[0], image.widths[0]], nanometres)


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
  assert "must be positive numbers" in Image.open(header).remarks[0]
  assert Image.open(header, bad_bands="2:4").wavelengths.tolist() == [400, 500]
  (tmp_path / "bands.csv").write_text("410\n510\n-1\n0\n")
  table = {"wavelengths": tmp_path / "bands.csv", "bad_bands": "2,3"}
  assert Image.open(header, **table).wavelengths.tolist() == [410, 510]
  np.savez(tmp_path / "a.npz", cube=_CUBE, wavelengths=np.arange(_CUBE.shape[2] - 1))
  assert "expected one value per band" in Image.open(tmp_path / "a.npz", bad_bands="0").remarks[0]


def test_band_numbers_are_not_wavelengths(tmp_path):
  header = formats.save_envi(
    tmp_path / "a.dat", _CUBE, header="wavelength units = Index\nwavelength = {1, 2, 3, 4}"
  )
  assert Image.open(header).wavelengths is None


@pytest.mark.parametrize(("first", "unit"), [(0, "Unknown"), (1, "Micrometers"), (1, "Nanometers")])
def test_numbers_of_bands_in_any_unit_are_not_wavelengths(tmp_path, first, unit):
  numbers = ", ".join(map(str, range(first, first + 6)))
  header = f"wavelength units = {unit}\nwavelength = {{{numbers}}}"
  image = Image.open(formats.save_envi(tmp_path / "a.dat", np.ones((2, 3, 6), np.uint8), header=header))
  assert image.wavelengths is None
  assert "numbers of bands" in image.remarks[0]


@pytest.mark.parametrize(
  ("names", "centres"),
  [
    (["Band 1 (400.0 nm)", "Band 2 (500.5 nm)"], [400, 500.5]),
    (["B1: 0.4 um", "B2: 0.5005 um"], [400, 500.5]),
    (["400.019 Nanometers", "500 Nanometers"], [400.019, 500]),
    (["400.0", "500.5"], [400, 500.5]),
    (["1", "2"], None),
    (["red 400 nm", "green"], None),
    (["400 to 410 nm, 3 nm apart", "500 to 510 nm, 3 nm apart"], None),
    (["400 nm", "0.5 um"], None),
  ],
)
def test_wavelengths_in_names_of_bands(tmp_path, names, centres):
  path = formats.save_raster(tmp_path / "a.tif", _CUBE[..., :2])
  with rasterio.open(path, "r+") as raster:
    raster.descriptions = names
  found = Image.open(path).wavelengths
  assert (found if found is None else found.tolist()) == centres


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


def test_wavelengths_of_a_tiff_in_different_units_are_unknown(tmp_path):
  tags = [{"wavelength": 400, "wavelength_units": "nm"}] * 3
  image = Image.open(_tagged(tmp_path, [*tags, {"wavelength": 0.5, "wavelength_units": "um"}]))
  assert "wavelengths in 'nm' and 'um'; units are mixed" in image.remarks[0]
  image = Image.open(_tagged(tmp_path, [{"other": 1}, *tags]))
  assert "wavelengths in '' and 'nm'; units are mixed" in image.remarks[0]

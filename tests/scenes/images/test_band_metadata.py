"""Band centres and widths in nm, from headers, metadata and tables."""

import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import wavelength_table
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


def test_what_a_header_leaves_open_is_unknown(tmp_path):
  assert _envi(tmp_path).wavelengths is None
  image = _envi(tmp_path, _NM, "fwhm = {0, 0, 0, 0}")
  assert image.wavelengths.tolist() == _CENTRES
  assert image.widths is None


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["wavelength = {0.4, 500, 600, 700}"], "from 0.4 to 700 when read in nm; units are mixed or wrong"),
    (["wavelength units = Nanometers", _UM], "from 0.4 to 2.5 when read in nm; units are mixed or wrong"),
    (["wavelength units = Micrometers", _NM], "when read in um; units are mixed or wrong"),
    ([_UM, "fwhm = {10, 10, 10, 10}"], "units are mixed, expected both in nm or both in um"),
    ([_NM, "fwhm = {0.01, 0.01, 0.01, 0.01}"], "units are mixed, expected both in nm or both in um"),
    (["wavelength = {400, 500, 600}"], "3 wavelengths or widths for 4 bands"),
    (["wavelength = {400, 500, 600, red}"], "expected wavelengths and widths as numbers"),
    (["wavelength = {400, 500, 600, nan}"], "must be positive numbers"),
    (["wavelength units = Wavenumber", _NM], "wavelengths in 'Wavenumber', expected nm or um"),
  ],
)
def test_headers_that_make_no_sense(tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    _envi(tmp_path, *lines)


def test_a_table_replaces_a_header_that_makes_no_sense(tmp_path):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE, header="wavelength units = Wavenumber\n" + _NM)
  (tmp_path / "bands.csv").write_text("1\n2\n3\n4\n")
  assert Image.open(header, wavelengths=tmp_path / "bands.csv").wavelengths.tolist() == [
    1000,
    2000,
    3000,
    4000,
  ]


_ENMAP = """<?xml version="1.0"?>
<level_X><metadata/><specific><bandCharacterisation>{bands}</bandCharacterisation></specific></level_X>
"""
_ENMAP_BAND = """<bandID number="{n}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>
<FWHMOfBand> {width} </FWHMOfBand><GainOfBand>0.0001</GainOfBand></bandID>"""


def test_the_metadata_of_enmap_are_a_table(tmp_path):
  bands = [
    _ENMAP_BAND.format(n=n, centre=c, width=w) for n, (c, w) in enumerate(zip(_CENTRES, _WIDTHS, strict=True))
  ]
  (tmp_path / "a-METADATA.XML").write_text(_ENMAP.format(bands="".join(bands)))
  found = wavelength_table.read(tmp_path / "a-METADATA.XML", 4, None)
  assert (found.centres.tolist(), found.widths.tolist()) == (_CENTRES, _WIDTHS)


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("<level_X>", "cannot read wavelengths from .*no element found"),
    (_ENMAP.format(bands=""), "describes no bands; expected the METADATA.XML of an EnMAP product"),
    (_ENMAP.format(bands="<bandID/>" * 4), "row 1 .* lacks a number in column 1"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><level_X encoding="nothing">&d;</level_X>', "cannot read wavelengths"),
  ],
)
def test_other_xml_is_refused(tmp_path, text, message):
  (tmp_path / "a.xml").write_text(text)
  with pytest.raises(RequestError, match=message):
    wavelength_table.read(tmp_path / "a.xml", 4, None)


def test_what_bands_that_are_left_out_have_does_not_matter(tmp_path):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE, header="wavelength = {400, 500, 0, nan}")
  with pytest.raises(RequestError, match="must be positive numbers"):
    Image.open(header)
  assert Image.open(header, bad_bands="2:4").wavelengths.tolist() == [400, 500]
  (tmp_path / "bands.csv").write_text("410\n510\n-1\n0\n")
  table = {"wavelengths": tmp_path / "bands.csv", "bad_bands": "2,3"}
  assert Image.open(header, **table).wavelengths.tolist() == [410, 510]
  np.savez(tmp_path / "a.npz", cube=_CUBE, wavelengths=np.arange(_CUBE.shape[2] - 1))
  with pytest.raises(RequestError, match="one per band is needed"):
    Image.open(tmp_path / "a.npz", bad_bands="0")


def test_numbers_of_bands_are_no_wavelengths(tmp_path):
  header = formats.save_envi(
    tmp_path / "a.dat", _CUBE, header="wavelength units = Index\nwavelength = {1, 2, 3, 4}"
  )
  assert Image.open(header).wavelengths is None


def _tagged(folder, tags):
  path = formats.save_raster(folder / "a.tif", _CUBE)
  with rasterio.open(path, "r+") as raster:
    for band, own in enumerate(tags, start=1):
      namespace = "IMAGERY" if "CENTRAL_WAVELENGTH_UM" in own else None
      raster.update_tags(band, ns=namespace, **own) if namespace else raster.update_tags(band, **own)
  return path


def test_the_bands_of_a_tiff_have_tags(tmp_path):
  tags = [
    {"wavelength": c, "WAVELENGTH_UNITS": "nm", "fwhm": w} for c, w in zip(_CENTRES, _WIDTHS, strict=True)
  ]
  image = Image.open(_tagged(tmp_path, tags))
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (_CENTRES, _WIDTHS)
  tags = [{"CENTRAL_WAVELENGTH_UM": c / 1000, "FWHM_UM": 0.01} for c in _CENTRES]
  image = Image.open(_tagged(tmp_path, tags))
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (_CENTRES, [10] * 4)


def test_a_copy_by_gdal_of_an_envi_file_keeps_its_widths(tmp_path):
  path = _tagged(tmp_path, [{"wavelength": c, "wavelength_units": "nm"} for c in _CENTRES])
  with rasterio.open(path, "r+") as raster:
    for band, (centre, width) in enumerate(zip(_CENTRES, _WIDTHS, strict=True), start=1):
      raster.update_tags(band, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=centre / 1000, FWHM_UM=width / 1000)
  image = Image.open(path)
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (_CENTRES, _WIDTHS)


def test_bands_of_a_tiff_in_different_units_are_refused(tmp_path):
  tags = [{"wavelength": 400, "wavelength_units": "nm"}] * 3
  with pytest.raises(RequestError, match="wavelengths in 'nm' and 'um'; units are mixed"):
    Image.open(_tagged(tmp_path, [*tags, {"wavelength": 0.5, "wavelength_units": "um"}]))
  with pytest.raises(RequestError, match="wavelengths in '' and 'nm'; units are mixed"):
    Image.open(_tagged(tmp_path, [*tags, {"other": 1}]))


@pytest.mark.parametrize(
  "text",
  [
    "400,10\n500.5,10\n600,12\n2500,9.5\n",
    "0.4,0.01\n0.5005,0.01\n0.6,0.012\n2.5,0.0095\n",
    "band orband wl fwhm\n1 1 400 10\n2 2 500.5 10\n3 3 600 12\n4 4 2500 9.5\n",
    "centre,width\n400,10\n500.5,10\n600,12\n2500,9.5",
    "\ufeffwavelength (um);fwhm (um)\r\n0.4;0.01\r\n0.5005;0.01\r\n0.6;0.012\r\n2.5;0.0095\r\n",
    "# measured in May\n\nband\tfwhm_nm\twavelength_nm\n1\t10\t400\n2\t10\t500.5\n3\t12\t600\n4\t9.5\t2500\n",
    "400 10\n500.5 10\n600 12\n2500 9.5",
    "wavelength;fwhm\n400,0;10\n500,5;10\n600;12\n2500;9,5",
    "400,0\t10,0\n500,5\t10\n600\t12\n2500\t9,5",
  ],
)
def test_tables_of_many_forms(tmp_path, text):
  (tmp_path / "bands.csv").write_text(text, newline="")
  found = wavelength_table.read(tmp_path / "bands.csv", 4, None)
  assert (found.centres.tolist(), found.widths.tolist()) == (_CENTRES, _WIDTHS)


@pytest.mark.parametrize(
  ("text", "unit", "message"),
  [
    ("400\n500\n600", None, "has wavelengths of 3 bands, the scene's file has 4 bands"),
    ("400\n500\n600\nred", None, r"row 4 \(red\) lacks a number in column 1"),
    ("1,400,5\n2,500,5\n3,600,5\n4,700,5", None, "has 3 columns; expected centre"),
    ("centre (um)\n400\n500\n600\n700", None, "units are mixed or wrong"),
    ("centre (um)\n1\n2\n3\n4", "nm", "mix nm and um"),
    ("centre (um), width (nm)\n1,5\n2,5\n3,5\n4,5", None, "mix nm and um"),
    ("", None, "holds no wavelengths"),
  ],
)
def test_tables_that_are_refused(tmp_path, text, unit, message):
  (tmp_path / "bands.csv").write_text(text)
  with pytest.raises(RequestError, match=message):
    wavelength_table.read(tmp_path / "bands.csv", 4, unit)


def test_a_table_that_is_not_there(tmp_path):
  with pytest.raises(RequestError, match=r"cannot read wavelengths from .*nowhere.csv"):
    wavelength_table.read(tmp_path / "nowhere.csv", 4, None)

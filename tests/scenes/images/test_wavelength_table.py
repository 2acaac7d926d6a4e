"""Wavelengths from CSV files and from the metadata of EnMAP."""

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.wavelength_table import read_wavelength_table

_CENTRES = [400.0, 500.5, 600.0, 2500.0]
_WIDTHS = [10.0, 10.0, 12.0, 9.5]

_ENMAP = """<?xml version="1.0"?>
<level_X><metadata/><specific><bandCharacterisation>{bands}</bandCharacterisation></specific></level_X>
"""
_ENMAP_BAND = """<bandID number="{n}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>
<FWHMOfBand> {width} </FWHMOfBand><GainOfBand>0.0001</GainOfBand></bandID>"""


def test_the_metadata_of_enmap(tmp_path):
  bands = [
    _ENMAP_BAND.format(n=n, centre=c, width=w) for n, (c, w) in enumerate(zip(_CENTRES, _WIDTHS, strict=True))
  ]
  (tmp_path / "a-METADATA.XML").write_text(_ENMAP.format(bands="".join(bands)))
  found = read_wavelength_table(tmp_path / "a-METADATA.XML", 4, None)
  assert (found.centres.tolist(), found.widths.tolist()) == (_CENTRES, _WIDTHS)


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("<level_X>", "cannot read wavelengths from .*no element found"),
    (_ENMAP.format(bands=""), "describes no bands; expected the METADATA.XML of an EnMAP product"),
    (_ENMAP.format(bands="<bandID/>" * 4), "row 1 .* has no number in column 1"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><level_X encoding="nothing">&d;</level_X>', "cannot read wavelengths"),
  ],
)
def test_other_xml_is_rejected(tmp_path, text, message):
  (tmp_path / "a.xml").write_text(text)
  with pytest.raises(RequestError, match=message):
    read_wavelength_table(tmp_path / "a.xml", 4, None)


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
def test_supported_tables(tmp_path, text):
  (tmp_path / "bands.csv").write_text(text, newline="")
  found = read_wavelength_table(tmp_path / "bands.csv", 4, None)
  assert (found.centres.tolist(), found.widths.tolist()) == (_CENTRES, _WIDTHS)


@pytest.mark.parametrize(
  ("text", "unit", "message"),
  [
    ("400\n500\n600", None, "has wavelengths for 3 bands, but the image has 4 bands"),
    ("400\n500\n600\nred", None, r"row 4 \(red\) has no number in column 1"),
    ("1,400,5\n2,500,5\n3,600,5\n4,700,5", None, "has 3 columns; expected centre"),
    ("centre (um)\n400\n500\n600\n700", None, "units are mixed or wrong"),
    ("centre (um)\n1\n2\n3\n4", "nm", "mix nm and um"),
    ("centre (um), width (nm)\n1,5\n2,5\n3,5\n4,5", None, "mix nm and um"),
    ("", None, "has no wavelengths"),
  ],
)
def test_invalid_tables_are_rejected(tmp_path, text, unit, message):
  (tmp_path / "bands.csv").write_text(text)
  with pytest.raises(RequestError, match=message):
    read_wavelength_table(tmp_path / "bands.csv", 4, unit)


def test_a_missing_table(tmp_path):
  with pytest.raises(RequestError, match=r"cannot read wavelengths from .*nowhere.csv"):
    read_wavelength_table(tmp_path / "nowhere.csv", 4, None)


@pytest.mark.parametrize(
  "text",
  [
    "Band,Lambda\n{rows}",
    "#,nm\n{rows}",
    "{rows}",
    "Nr;Wellenlänge;FWHM\n{rows_with_widths}",
    "{rows_with_widths}",
  ],
)
def test_a_column_of_band_numbers_is_ignored(tmp_path, text):
  centres = [450.0, 500.5, 610.0, 705.0, 800.0]
  rows = "\n".join(f"{n},{centre}" for n, centre in enumerate(centres, start=1))
  rows_with_widths = "\n".join(f"{n};{centre};10" for n, centre in enumerate(centres))
  (tmp_path / "a.csv").write_text(text.format(rows=rows, rows_with_widths=rows_with_widths))
  found = read_wavelength_table(tmp_path / "a.csv", 5, None)
  assert found.centres.tolist() == centres
  assert (found.widths is None) == ("rows}" in text)

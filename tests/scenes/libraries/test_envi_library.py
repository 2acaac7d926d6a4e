import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.envi_library import read_envi_library
from tests.scenes.libraries import writing
from tests.scenes.libraries.writing import save_envi


@pytest.mark.parametrize("ending", [".sli", ".hdr"])
def test_a_library_is_read_by_data_or_header(tmp_path, ending):
  path = save_envi(tmp_path / "soils.sli")
  found = read_envi_library(path.with_suffix(ending))
  np.testing.assert_array_equal(found.values, writing.spectra())
  np.testing.assert_array_equal(found.wavelengths, writing.WAVELENGTHS)
  assert (found.names, found.columns, found.widths) == (list(writing.NAMES), {}, None)
  assert found.origin.endswith("soils.sli")


def test_the_header_may_be_named_after_the_data(tmp_path):
  path = save_envi(tmp_path / "soils.sli")
  path.with_suffix(".hdr").rename(tmp_path / "soils.sli.hdr")
  for named in (path, tmp_path / "soils.sli.hdr"):
    assert len(read_envi_library(named).values) == 3


def test_integers_have_a_scale_factor_an_ignored_value_and_any_byte_order(tmp_path):
  values = np.round(10_000 * writing.spectra()).astype(">i2")
  values[1, 5] = -999
  path = save_envi(
    tmp_path / "a.sli", values, reflectance_scale_factor=10000.0, data_ignore_value=-999, header_offset=7
  )
  path.write_bytes(b"leading" + path.read_bytes())
  found = read_envi_library(path).values
  assert found[0, 0] == pytest.approx(0.2)
  assert np.argwhere(np.isnan(found)).tolist() == [[1, 5]]


def test_fill_values_are_missing_and_wavelengths_become_ascending_nm(tmp_path):
  """The USGS marks deleted channels by -1.23e34."""
  values = writing.spectra()[:, ::-1].copy()
  values[2, 0] = -1.23e34
  centres = ", ".join(f"{w / 1000:g}" for w in writing.WAVELENGTHS[::-1])
  widths = ", ".join(["0.01"] * 61)
  path = save_envi(
    tmp_path / "a.sli",
    values,
    wavelength=f"{{{centres}}}",
    wavelength_units="Micrometers",
    fwhm=f"{{{widths}}}",
  )
  found = read_envi_library(path)
  np.testing.assert_allclose(found.wavelengths, writing.WAVELENGTHS)
  np.testing.assert_allclose(found.widths, 10)
  assert np.argwhere(np.isnan(found.values)).tolist() == [[2, 60]]
  np.testing.assert_array_equal(found.values[0], writing.spectra()[0])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_a_header_of_any_encoding_is_read(tmp_path, encoding):
  path = save_envi(tmp_path / "a.sli", names=("Löss", "Gley", "See"))
  header = path.with_suffix(".hdr")
  header.write_bytes(header.read_text("utf-8").replace("\n", "\r\n").encode(encoding))
  assert read_envi_library(path).names == ["Löss", "Gley", "See"]


def test_names_with_commas_are_no_names(tmp_path):
  assert read_envi_library(save_envi(tmp_path / "a.sli", names=("a, b", "c", "d"))).names is None


@pytest.mark.parametrize(
  ("fields", "message"),
  [
    ({"file_type": "ENVI Standard"}, "describes no spectral library .*'ENVI Standard'"),
    ({"file_type": None}, "describes no spectral library .*'not given'"),
    ({"samples": "many"}, "its header has samples = 'many'; expected a whole number"),
    ({"lines": "9" * 5000}, "its header has lines = '9999"),
    ({"lines": 10**11}, "is truncated, or the header belongs to another file"),
    ({"lines": 0}, "0 lines, 61 samples"),
    ({"bands": 3}, "3 bands"),
    ({"data_type": 6}, "data type '6' and byte order '0'; expected"),
    ({"byte_order": 2}, "byte order '2'"),
    ({"file_compression": 1}, "is compressed"),
    ({"wavelength": "{1, 2}"}, "has 2 wavelengths for 61 values of every spectrum"),
    ({"wavelength": None}, "has 0 wavelengths for 61 values"),
    ({"wavelength": f"{{{', '.join(['x'] * 61)}}}"}, "the field 'wavelength' of its header has other items"),
    ({"wavelength": f"{{{', '.join(['500'] * 61)}}}"}, "has 1 wavelength; a library needs at least two"),
    ({"wavelength": f"{{{', '.join(['nan'] * 61)}}}"}, "must be positive numbers"),
    ({"reflectance_scale_factor": "much"}, "the field 'reflectance scale factor'"),
  ],
)
def test_a_wrong_header_is_refused(tmp_path, fields, message):
  with pytest.raises(RequestError, match=message):
    read_envi_library(save_envi(tmp_path / "a.sli", **fields))


def test_missing_files_are_named(tmp_path):
  path = save_envi(tmp_path / "a.sli")
  path.unlink()
  with pytest.raises(RequestError, match=r"a.hdr has no file of data beside it, such as a.sli"):
    read_envi_library(tmp_path / "a.hdr")
  path.write_bytes(b"")
  (tmp_path / "a.hdr").unlink()
  with pytest.raises(RequestError, match=r"has no header beside it; expected a.sli.hdr or a.hdr"):
    read_envi_library(path)
  (tmp_path / "a.hdr").write_bytes(b"\x00\xff" * 50)
  with pytest.raises(RequestError, match="is no ENVI header"):
    read_envi_library(path)
  with pytest.raises(RequestError, match=r"missing.hdr: No such file|missing.hdr has no file of data"):
    read_envi_library(tmp_path / "missing.hdr")


@pytest.mark.parametrize("text", ["a = {" * 200_000, " " * 10**6, "a " * 500_000, "a={\n" * 200_000])
def test_a_long_header_without_an_end_takes_no_time(tmp_path, text):
  path = save_envi(tmp_path / "a.sli")
  path.with_suffix(".hdr").write_text(f"ENVI\n{text}")
  with pytest.raises(RequestError, match="describes no spectral library"):
    read_envi_library(path)

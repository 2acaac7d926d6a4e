"""Reading earthlib's spectra."""

import subprocess
import sys

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.simulated import spectral_library

_HEADER = """ENVI
samples = 3
lines = 2
header offset = 0
data type = 4
byte order = 0
wavelength units = Micrometers
wavelength = { 0.4 , 0.5 , 0.6 }
"""


@pytest.fixture(scope="module")
def library():
  return spectral_library.load()


@pytest.fixture
def directory(tmp_path):
  """A library of two spectra with three wavelengths."""
  (tmp_path / "spectra.sli.hdr").write_text(_HEADER)
  np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.0]], "<f4").tofile(tmp_path / "spectra.sli")
  (tmp_path / "spectra.csv").write_text("NAME,LEVEL_2,LEVEL_3\nroof1,built,tile\nroof2,built,tile\n")
  return tmp_path


def test_the_library_has_all_spectra_in_nanometres(library):
  assert library.spectra.shape == (7261, 180)
  assert library.spectra.dtype == np.float32
  assert library.wavelengths[[0, -1]].tolist() == [400.0, 2450.0]
  assert len(library.names) == len(library.covers) == len(library.materials) == 7261


def test_spectra_belong_to_their_materials(library):
  """Canopies have a red edge, which soils and roofs lack."""
  red, infrared = np.searchsorted(library.wavelengths, [670.0, 850.0])
  ratio = library.spectra[:, infrared] / np.maximum(library.spectra[:, red], 1e-3)
  materials = np.array(library.materials)
  assert np.median(ratio[materials == "canopy"]) > 8.0
  assert np.median(ratio[materials == "soil"]) < 2.0
  assert np.median(ratio[materials == "comp_shingle"]) < 2.0


def test_loading_does_not_import_earthlib_or_pandas():
  code = (
    "import sys; from mtl_hsi.scenes.simulated import spectral_library; spectral_library.load();"
    "sys.exit('pandas' in sys.modules or 'earthlib' in sys.modules)"
  )
  assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_earthlib_the_user_is_told(monkeypatch):
  monkeypatch.setitem(sys.modules, "earthlib", None)
  spectral_library.load.cache_clear()
  with pytest.raises(RequestError, match="earthlib"):
    spectral_library.load()


def test_reading_scales_micrometres_and_keeps_the_order(directory):
  library = spectral_library.read(directory)
  assert library.wavelengths.tolist() == [400.0, 500.0, 600.0]
  assert library.names == ("roof1", "roof2")
  np.testing.assert_array_equal(library.spectra[1], np.float32([0.4, 0.5, 0.0]))


def test_a_missing_file_is_named(directory):
  (directory / "spectra.csv").unlink()
  with pytest.raises(RequestError, match=r"spectra\.csv"):
    spectral_library.read(directory)


@pytest.mark.parametrize(
  "header", ["", _HEADER.replace("Micrometers", "Furlongs"), _HEADER.replace("= 4", "= 5")]
)
def test_a_header_of_another_form_is_refused(directory, header):
  (directory / "spectra.sli.hdr").write_text(header)
  with pytest.raises(RequestError, match=r"spectra\.sli\.hdr is not in the expected format"):
    spectral_library.read(directory)


def test_files_that_do_not_fit_each_other_are_refused(directory):
  (directory / "spectra.sli").write_bytes(bytes(20))
  with pytest.raises(RequestError, match=r"2 rows .* 3 wavelengths .* 5 values"):
    spectral_library.read(directory)


def test_members_are_chosen_by_material_and_name(library):
  asphalt = spectral_library.members(library, "road", "rpae")
  assert len(asphalt) == 95
  assert all(library.materials[i] == "road" and library.names[i].startswith("rpae") for i in asphalt)


def test_members_leave_out_spectra_with_missing_values(directory):
  assert spectral_library.members(spectral_library.read(directory), "tile", "roof").tolist() == [0]


def test_an_unknown_material_lists_the_known_ones(library):
  with pytest.raises(RequestError, match=r"unknown material 'lava'; .*road.*tile"):
    spectral_library.members(library, "lava", "")

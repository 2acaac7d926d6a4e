import numpy as np
import pytest

from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.libraries.resample import resample
from mtl_hsi.scenes.libraries.spectra import make_spectra
from tests.scenes.libraries import writing

CENTRES, WIDTHS = np.array([450.0, 722.5, 980.0]), np.array([10.0, 30.0, 20.0])


def library(values, widths=None):
  bands = Wavelengths(writing.WAVELENGTHS, widths)
  return make_spectra(np.asarray(values), bands, None, {}, "soils.sli")


def test_straight_spectra_keep_their_values_at_the_centres():
  found = resample(library(writing.spectra()), CENTRES, WIDTHS)
  np.testing.assert_allclose(found.values[0], CENTRES / 2000, rtol=1e-5)
  np.testing.assert_allclose(found.values[1], CENTRES / 4000, rtol=1e-5)
  assert found.interpolated == 0


def test_a_line_is_as_wide_as_the_band_and_not_wider_if_the_library_is_as_wide():
  line = (writing.WAVELENGTHS == 700).astype(float)
  centres = np.array([700.0])
  wide = resample(library([line]), centres, np.array([40.0])).values[0, 0]
  assert 0.2 < wide < 0.3
  same = resample(library([line], np.full(61, 40.0)), centres, np.array([40.0])).values[0, 0]
  assert same == pytest.approx(1)


def test_unknown_widths_are_the_spacing_of_the_bands():
  line = (writing.WAVELENGTHS == 700).astype(float)
  centres = np.arange(500.0, 901.0, 40.0)
  found = resample(library([line]), centres, None).values
  np.testing.assert_array_equal(found, resample(library([line]), centres, np.full(11, 40.0)).values)
  assert resample(library([line]), np.array([700.0]), None).values == pytest.approx(1)


def test_gaps_are_interpolated_and_counted_and_spectra_without_the_ends_are_missing():
  values = np.repeat(writing.spectra()[:1], 4, axis=0)
  values[1, 20:45] = np.nan  # 600 to 840 nm
  values[2, :11] = np.nan  # begins at 510 nm, 60 nm behind the first band
  values[3, :10] = np.nan  # begins at 500 nm
  found = resample(library(values), CENTRES, WIDTHS)
  assert np.isfinite(found.values).all(axis=1).tolist() == [True, True, False, True]
  np.testing.assert_allclose(found.values[1], found.values[0], rtol=1e-4)
  assert found.interpolated == 1
  # Constant beyond the end.
  assert found.values[3, 0] == pytest.approx(0.25)


def test_a_spectrum_without_values_is_missing():
  assert np.isnan(resample(library(np.full((1, 61), np.nan)), CENTRES, WIDTHS).values).all()

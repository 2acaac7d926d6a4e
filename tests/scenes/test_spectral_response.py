"""Resampling spectra to a sensor's bands."""

import numpy as np
import pytest
from scipy import integrate

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import spectral_response
from mtl_hsi.scenes.public import sensors

# The wavelengths of earthlib, which have two gaps.
EARTHLIB = np.array([nm for nm in range(400, 2451, 10) if not (1350 < nm < 1460 or 1790 < nm < 1960)], float)


@pytest.mark.parametrize("name", ["AVIRIS", "ROSIS"])
def test_a_constant_spectrum_stays_constant(name):
  sensor = sensors.sensor(name)
  response = spectral_response.response(EARTHLIB, sensor.centres, sensor.widths)
  np.testing.assert_allclose(np.full(180, 0.3) @ response, 0.3, rtol=1e-12)
  assert response.min() >= 0.0


def test_a_straight_spectrum_keeps_its_values_at_the_centres():
  """Also across the library's gap from 1350 to 1460 nm."""
  centres, widths = np.array([480.0, 703.3, 1400.0, 2111.0]), np.array([5.0, 12.0, 30.0, 100.0])
  spectrum = EARTHLIB / 2000.0
  resampled = spectrum @ spectral_response.response(EARTHLIB, centres, widths)
  np.testing.assert_allclose(resampled, centres / 2000.0, rtol=1e-6)


@pytest.mark.parametrize("width", [4.2, 10.0, 30.0])
def test_a_narrow_line_is_spread_by_the_gaussian_of_the_band(width):
  """The line is a triangle 10 nm to either side; a Gaussian falls to half at half its full width."""
  wavelengths = np.arange(400.0, 1001.0, 10.0)
  line = (wavelengths == 700.0).astype(float)
  centres = np.array([700.0, 706.0, 715.0])
  resampled = line @ spectral_response.response(wavelengths, centres, np.full(3, width))
  for centre, value in zip(centres, resampled, strict=True):
    low, high = centre - 2 * width, centre + 2 * width

    def gaussian(at, centre=centre):
      return 0.5 ** ((at - centre) ** 2 / (0.5 * width) ** 2)

    def product(at, gaussian=gaussian):
      return gaussian(at) * max(0.0, 1.0 - abs(at - 700.0) / 10.0)

    corners = [p for p in (690.0, 700.0, 710.0) if low < p < high]
    expected = integrate.quad(product, low, high, points=corners)[0] / integrate.quad(gaussian, low, high)[0]
    assert value == pytest.approx(expected, abs=2e-3)


def test_bands_just_beyond_the_library_keep_its_end_values():
  spectrum = np.linspace(0.2, 0.6, 180)
  centres, widths = np.array([370.0, 2490.0]), np.array([10.0, 15.0])
  resampled = spectrum @ spectral_response.response(EARTHLIB, centres, widths)
  np.testing.assert_allclose(resampled, [0.2, 0.6], rtol=1e-9)


@pytest.mark.parametrize("centre", [0.65, 340.0, 2501.0, 8000.0])
def test_bands_far_outside_the_library_are_refused(centre):
  with pytest.raises(RequestError, match=f"band centre {centre:g} nm lies outside .* 400 to 2450 nm"):
    spectral_response.response(EARTHLIB, np.array([500.0, centre]), np.array([10.0, 10.0]))

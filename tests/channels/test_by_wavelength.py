"""Resampling by wavelength, on spectra with known answers."""

import numpy as np
import pytest

from mtl_hsi.channels import by_wavelength
from mtl_hsi.channels.by_wavelength import SpectralBands, common_bands, resampling
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import sensors
from mtl_hsi.scenes.scene import Scene

FINE = SpectralBands(*sensors.rosis_bands(103))
# Two of its detector joins step back by 10 nm; three stretches without bands.
COARSE = SpectralBands(*sensors.indian_pines_bands())


def evenly(first, last, step, width=None):
  centres = np.arange(first, last + step / 2, step, dtype=float)
  return SpectralBands(centres, np.full(len(centres), float(width or step)))


def seen(bands, spectrum):
  """What a sensor of Gaussian responses measures of a spectrum, a function of nm."""
  at = np.linspace(bands.centres.min() - 200, bands.centres.max() + 200, 40001)
  deviation = bands.widths / np.sqrt(8 * np.log(2))
  response = np.exp(-0.5 * ((at - bands.centres[:, None]) / deviation[:, None]) ** 2)
  return (response @ spectrum(at)) / response.sum(axis=1)


def resample(bands, common, spectrum):
  return resampling(bands, common).T.astype(float) @ seen(bands, spectrum)


def both(spectrum, first=FINE, second=COARSE, grid=None):
  """The common bands, and what they hold of a spectrum by either sensor."""
  common = common_bands({"first": first, "second": second}, grid)
  return common, resample(first, common, spectrum), resample(second, common, spectrum)


@pytest.mark.parametrize("grid", [None, np.arange(420.0, 900, 7), np.arange(420.0, 900, 25)])
def test_constants_and_lines_stay_what_they_are(grid):
  common, *results = both(lambda nm: np.full_like(nm, 3.0), grid=grid)
  for result in results:
    np.testing.assert_allclose(result, 3, rtol=1e-6)
  common, *results = both(lambda nm: 5 - nm / 300, grid=grid)
  for result in results:
    np.testing.assert_allclose(result, 5 - common.centres / 300, atol=1e-4)


def test_no_weight_is_negative_and_all_of_a_band_sum_to_one():
  common = common_bands({"fine": FINE, "coarse": COARSE}, None)
  for bands in (FINE, COARSE):
    weights = resampling(bands, common)
    assert (weights.dtype, weights.shape) == (np.float32, (len(bands.centres), len(common.centres)))
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-6)


def test_the_coarsest_scene_gives_the_bands_and_keeps_its_values():
  common = common_bands({"fine": FINE, "coarse": COARSE}, None)
  inside = COARSE.centres[(COARSE.centres >= 430) & (COARSE.centres <= 860)]
  # The bands at 686.91 and 696.55 nm of the second detector lie on two of the first.
  assert sorted(set(inside) - set(common.centres)) == [686.91, 696.55]
  assert common.widths.min() >= 8.87
  assert common.widths.max() <= 10.1
  weights = resampling(COARSE, common)
  for channel, centre in enumerate(common.centres):
    assert weights[COARSE.centres == centre, channel] == pytest.approx(1)


def test_a_narrow_feature_gets_the_width_of_the_common_band():
  feature = 12.0
  bands, common = evenly(400, 900, 8), SpectralBands(np.arange(550.0, 750, 0.5), np.full(400, 20.0))
  result = resample(bands, common, lambda nm: np.exp(-4 * np.log(2) * ((nm - 650) / feature) ** 2))
  above = common.centres[result > result.max() / 2]
  assert common.centres[result.argmax()] == pytest.approx(650, abs=0.5)
  assert above[-1] - above[0] + 0.5 == pytest.approx(np.hypot(feature, 20), rel=0.03)


def test_a_step_is_half_way_at_its_place_and_as_wide_as_the_common_band():
  bands, common = evenly(400, 900, 3), SpectralBands(np.array([600.0, 640, 650, 660, 700]), np.full(5, 20.0))
  below, before, middle, after, above = resample(bands, common, lambda nm: (nm > 650).astype(float))
  assert (below, middle, above) == pytest.approx((0, 0.5, 1), abs=0.01)
  # The Gaussian's integral up to half its full width at half maximum.
  assert (before, after) == pytest.approx((0.1195, 0.8805), abs=0.01)


def leaf(nm):
  """Like a leaf: a bump in the green, the red edge, and an absorption line 30 nm wide."""
  edge = 0.4 / (1 + np.exp(-(nm - 715) / 12))
  return (
    0.05
    + 0.1 * np.exp(-(((nm - 550) / 40) ** 2))
    + edge
    - 0.08 * np.exp(-4 * np.log(2) * ((nm - 780) / 30) ** 2)
  )


@pytest.mark.parametrize("grid", [None, np.arange(430.0, 860, 5), np.arange(430.0, 860, 20)])
def test_two_sensors_agree_on_one_spectrum_within_one_percent(grid):
  common, fine, coarse = both(leaf, grid=grid)
  assert len(common.centres) > 20
  np.testing.assert_allclose(fine, coarse, atol=0.004, rtol=0.01)


def test_a_grid_finer_than_a_scene_is_not_sharper_than_it():
  common = common_bands({"fine": FINE, "coarse": COARSE}, np.arange(500.0, 600, 2))
  assert common.widths.min() > 9
  assert common_bands({"fine": FINE}, np.arange(500.0, 600, 25)).widths.tolist() == [25] * 4


def test_the_order_of_bands_does_not_matter():
  shuffled = np.random.default_rng(0).permutation(len(COARSE.centres))
  bands = SpectralBands(COARSE.centres[shuffled], COARSE.widths[shuffled])
  common = common_bands({"fine": FINE, "coarse": COARSE}, None)
  np.testing.assert_array_equal(common, common_bands({"fine": FINE, "coarse": bands}, None))
  np.testing.assert_array_equal(resampling(bands, common), resampling(COARSE, common)[shuffled])


def test_bands_of_one_centre_share_their_weight():
  bands = SpectralBands(np.array([500.0, 510, 510, 520]), np.full(4, 10.0))
  common = common_bands({"one": bands}, None)
  assert common.centres.tolist() == [500, 510, 520]
  assert resampling(bands, common).T.tolist() == [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]


def test_bands_in_a_gap_of_any_scene_are_left_out():
  whole, holed = evenly(400, 700, 10), evenly(400, 700, 10)
  missing = (holed.centres > 490) & (holed.centres < 560)
  holed = SpectralBands(holed.centres[~missing], holed.widths[~missing])
  common = common_bands({"whole": whole, "holed": holed}, np.arange(400.0, 701, 5))
  assert [nm for nm in np.arange(400.0, 701, 5) if nm not in common.centres] == [*range(495, 560, 5)]
  # No band before the gap reads one behind it.
  weights = resampling(holed, common)
  assert not weights[holed.centres > 500][:, common.centres < 500].any()


def test_one_missing_band_is_no_gap():
  bands = evenly(400, 700, 10)
  kept = np.arange(31) != 12
  bands = SpectralBands(bands.centres[kept], bands.widths[kept])
  common = common_bands({"scene": bands}, np.array([510.0, 520, 530]))
  np.testing.assert_allclose(resampling(bands, common)[11:13].T, [[1, 0], [0.5, 0.5], [0, 1]])


def test_scenes_without_common_wavelengths_are_refused_with_their_ranges():
  scenes = {"fields": evenly(400, 900, 10), "coast": evenly(1000, 2400, 50)}
  with pytest.raises(RequestError, match="'fields' 400 to 900 nm, 'coast' 1000 to 2400 nm"):
    common_bands(scenes, None)
  with pytest.raises(RequestError, match="grid of 950 to 980 nm: 'fields' 400 to 900 nm"):
    common_bands({"fields": scenes["fields"]}, np.array([950.0, 980]))


def scene(**changes):
  labels = np.array([[1, 2]], np.int32)
  return Scene("fields", np.ones((1, 2, 6)), labels, {1: "a", 2: "b"}, **changes)


def test_unknown_widths_are_the_spacing_but_for_gaps():
  made = scene(wavelengths=np.array([400.0, 410, 420, 430, 500, 510]))
  assert by_wavelength.bands_of(made, np.arange(6)).widths.tolist() == [10] * 6
  assert by_wavelength.bands_of(made, np.array([1, 3])).centres.tolist() == [410, 430]


def test_scenes_without_wavelengths_are_refused():
  with pytest.raises(RequestError, match="scene 'fields' has no wavelengths"):
    by_wavelength.bands_of(scene(), np.arange(6))
  with pytest.raises(RequestError, match="all 6 bands used are at 500 nm"):
    by_wavelength.bands_of(scene(wavelengths=np.full(6, 500.0)), np.arange(6))

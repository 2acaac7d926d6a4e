"""The estimators give the published digits of two worked examples, and sensible intervals at the limits."""

import numpy as np
import pytest
from scipy import stats

from mtl_hsi.assessment.estimators import Estimates, Labels, Strata, estimate

# Olofsson et al. (2014), table 8: rows are the map's classes deforestation, forest gain, stable forest and
# stable non-forest, columns the reference. Pixels of 30 m.
_COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
_PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
_HECTARES = 0.09 * _PIXELS.sum()


def labels(stratum, mapped, reference, size=1.0) -> Labels:
  stratum = np.asarray(stratum)
  return Labels(stratum, np.asarray(mapped), np.asarray(reference), np.broadcast_to(size, len(stratum)) * 1.0)


def from_counts(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the classes in the map and on the ground of the units of an error matrix."""
  rows, columns = np.indices(counts.shape)
  return np.repeat(rows.ravel(), counts.ravel()), np.repeat(columns.ravel(), counts.ravel())


@pytest.fixture(scope="module")
def deforestation() -> Estimates:
  mapped, reference = from_counts(_COUNTS)
  # The article has no correction for finite populations.
  strata = Strata(_PIXELS / _PIXELS.sum(), np.full(4, np.inf))
  return estimate(labels(mapped, mapped, reference), strata, 4)


def test_the_error_matrix_of_olofsson_2014(deforestation):
  published = [  # table 9
    [0.0176, 0, 0.0013, 0.0011],
    [0, 0.0110, 0.0016, 0.0024],
    [0.0019, 0, 0.2967, 0.0213],
    [0.0040, 0.0020, 0.0179, 0.6212],
  ]
  np.testing.assert_allclose(deforestation.matrix, published, atol=5e-5)


def test_the_areas_of_olofsson_2014(deforestation):
  areas = [found.value * _HECTARES for found in deforestation.areas]
  # Page 54: 235,086 pixels, and these hectares with 1.96 standard errors.
  assert deforestation.areas[0].value * _PIXELS.sum() == pytest.approx(235_086, abs=0.5)
  assert 1.96 * deforestation.areas[0].standard_error * _PIXELS.sum() == pytest.approx(68_418, abs=0.5)
  np.testing.assert_allclose(areas, [21_158, 11_686, 285_770, 581_386], atol=0.5)
  half = [1.96 * found.standard_error * _HECTARES for found in deforestation.areas]
  np.testing.assert_allclose(half, [6_158, 3_756, 15_510, 16_282], atol=0.5)


def test_the_accuracies_of_olofsson_2014(deforestation):
  def published(estimates):
    return [(round(found.value, 2), round(1.96 * found.standard_error, 2)) for found in estimates]

  assert published([deforestation.overall]) == [(0.95, 0.02)]
  assert published(deforestation.users) == [(0.88, 0.07), (0.73, 0.10), (0.93, 0.04), (0.96, 0.02)]
  # The article prints 0.23 and 0.01 for the second and fourth; its equation 7 gives 0.254 and 0.018.
  assert published(deforestation.producers) == [(0.75, 0.21), (0.85, 0.25), (0.93, 0.03), (0.96, 0.02)]


@pytest.fixture(scope="module")
def regions() -> Estimates:
  """Stehman (2014), table 2: ten pixels in each of four strata, which are not the classes of the map."""
  a, b, c, d = range(4)
  mapped = [a] * 7 + [b] * 3 + [a] + [b] * 11 + [c] * 6 + [b] * 2 + [d] * 10
  reference = [a] * 5 + [c, b, a, b, c, a] + [b] * 5 + [a, a, b, b] + [c] * 5 + [d, d, b, b, a]
  reference += [d] * 7 + [c, c, b]
  units = np.array([40_000, 30_000, 20_000, 10_000])
  return estimate(labels(np.repeat(range(4), 10), mapped, reference), Strata(units / units.sum(), units), 4)


def test_the_estimates_of_stehman_2014(regions):
  assert regions.overall.value == pytest.approx(0.63)
  assert [found.value for found in regions.areas] == pytest.approx([0.35, 0.34, 0.20, 0.11])
  assert round(regions.users[1].value, 3) == 0.574
  assert round(regions.producers[1].value, 3) == 0.794
  assert regions.matrix[1, 2] == pytest.approx(0.08)


def test_the_standard_errors_of_stehman_2014(regions):
  assert round(regions.overall.standard_error, 3) == 0.085
  assert [round(regions.areas[k].standard_error, 3) for k in (0, 2)] == [0.082, 0.064]
  assert round(regions.users[1].standard_error, 3) == 0.125
  # The article prints 0.114; the sums that it prints give 0.1165, as does the R package mapaccuracy.
  assert regions.producers[1].standard_error == pytest.approx(0.1165479, abs=1e-7)


def test_in_one_stratum_the_interval_is_that_of_jeffreys():
  mapped, reference = from_counts(np.array([[40, 10], [0, 0]]))
  found = estimate(labels(np.zeros(50, int), mapped, reference), Strata(np.ones(1), np.array([np.inf])), 2)
  expected = stats.beta.ppf([0.025, 0.975], 40.5, 10.5)
  for estimated in (found.overall, found.users[0], found.areas[0]):
    assert (estimated.lower, estimated.upper) == pytest.approx(expected)
  assert (1 - found.areas[1].upper, 1 - found.areas[1].lower) == pytest.approx(expected)


def test_no_interval_has_zero_width_because_no_error_was_found():
  mapped, reference = from_counts(np.diag([50, 50]))
  found = estimate(labels(mapped, mapped, reference), Strata(np.array([0.9, 0.1]), np.full(2, np.inf)), 2)
  assert found.overall.standard_error == 0
  for estimated in (found.overall, *found.users, *found.producers):
    assert estimated.value == estimated.upper == 1
    assert 0.5 < estimated.lower < 0.99
  # Up to 2 or 3% of the large stratum may be the rare class.
  assert found.areas[1].value == pytest.approx(0.1)
  assert 0.12 < found.areas[1].upper < 0.15


def test_a_class_that_nobody_found_may_have_a_small_area():
  mapped, reference = from_counts(np.diag([50, 50, 0]))
  found = estimate(labels(mapped, mapped, reference), Strata(np.array([0.5, 0.5]), np.full(2, np.inf)), 3)
  assert (found.users[2], found.producers[2]) == (None, None)
  assert (found.areas[2].value, found.areas[2].lower) == (0, 0)
  assert 0.01 < found.areas[2].upper < 0.06


def test_a_census_has_no_error():
  mapped, reference = from_counts(np.array([[3, 1], [2, 4]]))
  found = estimate(labels(np.zeros(10, int), mapped, reference), Strata(np.ones(1), np.array([10])), 2)
  for estimated, truth in ((found.overall, 0.7), (found.users[0], 0.75), (found.producers[0], 0.6)):
    assert estimated.value == pytest.approx(truth)
    assert estimated.standard_error == pytest.approx(0, abs=1e-9)
    assert (estimated.lower, estimated.upper) == pytest.approx((truth, truth), abs=1e-3)


def test_units_count_by_their_size():
  # Two units of class 0 cover three quarters.
  found = estimate(
    labels([0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0], [3, 3, 1, 1]), Strata(np.ones(1), np.array([100])), 2
  )
  assert found.overall.value == pytest.approx(7 / 8)
  assert found.areas[0].value == pytest.approx(7 / 8)
  assert found.matrix == pytest.approx(np.array([[0.75, 0], [0.125, 0.125]]))


def test_the_matrix_sums_to_all_estimates(regions):
  np.testing.assert_allclose(regions.matrix.sum(axis=0), [found.value for found in regions.areas])
  assert np.trace(regions.matrix) == pytest.approx(regions.overall.value)

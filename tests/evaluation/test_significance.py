import numpy as np
import pytest
from scipy import stats

from mtl_hsi.evaluation import significance


def test_welch_by_hand():
  # Ours: variance 4 over 3 runs. Published: 3^2 * 10 / 9 = 10 over 10 runs.
  difference = significance.welch([40.0, 42.0, 44.0], 39.0, 3.0, 10)
  assert difference.mean == pytest.approx(3.0)
  assert difference.standard_error == pytest.approx((4 / 3 + 1) ** 0.5)
  # 49 / 9 degrees of freedom: t lies between 2.4469 (of 6) and 2.5706 (of 5).
  assert difference.interval == pytest.approx((3 - 2.5087 * 1.527525, 3 + 2.5087 * 1.527525), abs=1e-3)


@pytest.mark.parametrize(("runs", "spread"), [(10, 3.0), (4, 0.2)])
def test_welch_equals_scipy_s_on_raw_samples(runs, spread):
  generator = np.random.default_rng(0)
  ours, published = generator.normal(42, 2, 6), generator.normal(40, spread, runs)
  difference = significance.welch(ours, published.mean(), published.std(), runs)
  test = stats.ttest_ind(ours, published, equal_var=False)
  assert difference.interval == pytest.approx(tuple(test.confidence_interval(0.95)))
  assert difference.mean / difference.standard_error == pytest.approx(test.statistic)


@pytest.mark.parametrize(("ours", "runs"), [([41.5], 10), ([41.0, 42.0], 1)])
def test_a_single_run_on_either_side_has_no_interval(ours, runs):
  assert significance.welch(ours, 40.0, 3.0, runs) == significance.Difference(1.5, None, None)


def test_runs_that_never_differ_have_a_point_as_interval():
  assert significance.welch([41.0, 41.0], 40.0, 0.0, 10) == significance.Difference(1.0, 0.0, (1.0, 1.0))


def test_nothing_cannot_be_compared():
  with pytest.raises(ValueError, match="no replica"):
    significance.welch([], 40.0, 3.0, 10)


def test_paired_by_hand():
  # Differences 1, 2, 3: deviation 1, t of 2 degrees of freedom 4.302653; 2 of 8 signs are as one-sided.
  result = significance.paired([41.0, 45.0, 50.0], [40.0, 43.0, 47.0])
  half = 4.302653 / 3**0.5
  assert result.interval == pytest.approx((2 - half, 2 + half), abs=1e-6)
  assert (result.mean, result.up, result.pairs) == (pytest.approx(2.0), 3, 3)
  assert result.p == pytest.approx(2 / 8)


@pytest.mark.parametrize(
  ("differences", "p"),
  [
    (np.arange(1.0, 11.0), 2 / 2**10),
    (np.arange(10.0), 2 / 2**9),  # the pair without a difference counts for nothing
    ([-1.0, *np.arange(2.0, 11.0)], 4 / 2**10),
    ([1.0, 1.0, 1.0, -1.0], (1 + 4) * 2 / 2**4),
    ([0.0, 0.0, 3.0], 1.0),
    (np.zeros(10), 1.0),
  ],
)
def test_wilcoxon_is_exact_with_ties_and_zeros_too(differences, p):
  result = significance.paired(50 + np.asarray(differences), np.full(len(differences), 50.0))
  assert result.p == pytest.approx(p)
  assert result.up == np.sum(np.asarray(differences) > 0)


def test_steps_of_equally_many_pixels_tie_whatever_their_last_bit():
  one, other = 100 * np.array([5, 8, 13, 20]) / 57, 100 * np.array([4, 7, 12, 21]) / 57
  assert len(set(np.abs(one - other))) > 1
  assert significance.paired(one, other).p == pytest.approx(10 / 16)


def test_equal_series_differ_by_exactly_nothing():
  assert significance.paired([40.1, 40.2], [40.1, 40.2]) == significance.Paired(0.0, (0.0, 0.0), 1.0, 0, 2)


def test_one_pair_has_neither_interval_nor_p():
  assert significance.paired([42.0], [40.0]) == significance.Paired(2.0, None, None, 1, 1)


@pytest.mark.parametrize(("one", "other"), [([], []), ([1.0, 2.0], [1.0])])
def test_series_that_do_not_pair_are_refused(one, other):
  with pytest.raises(ValueError, match=f"{len(one)} and {len(other)} runs cannot be paired"):
    significance.paired(one, other)


@pytest.mark.parametrize(
  ("counts", "p"),
  [((1, 9), 22 / 1024), ((9, 1), 22 / 1024), ((0, 6), 2 / 64), ((0, 1), 1.0), ((5, 5), 1.0), ((0, 0), 1.0)],
)
def test_mcnemar_by_hand(counts, p):
  assert significance.mcnemar(*counts) == pytest.approx(p)


def test_discordant_pixels_by_hand():
  truth = np.array([[1, 1, 2], [2, 3, 3]])
  first = np.array([[1, 1, 2], [1, 1, 3]])  # right, right, right, wrong, wrong, right
  second = np.array([[2, 3, 2], [2, 2, 3]])  # wrong, wrong, right, right, wrong, right
  assert significance.discordant(truth, first, second) == (2, 1)
  assert significance.discordant(truth, truth, truth) == (0, 0)


def test_discordant_pixels_need_equal_shapes():
  with pytest.raises(ValueError, match=r"\(2, 3\).*\(3,\)"):
    significance.discordant(np.ones((2, 3)), np.ones((2, 3)), np.ones(3))


def test_an_interval_of_a_difference_resamples_units():
  unit = np.repeat(np.arange(20), 5)
  first, second = np.ones(100, bool), np.ones(100, bool)
  second[:50] = False
  low, high = significance.unit_difference(first, second, unit)
  assert low < 50 < high
  # The share of the ten units in a resample of twenty: a binomial with a deviation of 11.2 points.
  assert high - low == pytest.approx(2 * 1.96 * 11.2, rel=0.15)
  assert significance.unit_difference(first, second, np.zeros(100, int)) is None
  assert significance.unit_difference(first, first, unit) == (0, 0)


def test_the_interval_of_a_difference_of_independent_pixels():
  # Agresti (2013), table 11.1: 1600 people, 150 and 86 changed their mind; 4.0 points, 2.1 to 5.9.
  low, high = significance.pixel_difference(150, 86, 1600)
  assert (round(low, 1), round(high, 1)) == (2.1, 5.9)

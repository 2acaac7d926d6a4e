"""Sample sizes and allocations, with the example of Olofsson et al. (2014), table 5."""

import pytest

from mtl_hsi.assessment.sizes import allocate, size_for
from mtl_hsi.errors import RequestError

_UNITS = [200_000, 150_000, 3_200_000, 6_450_000]


def test_the_size_of_olofsson_2014():
  assert size_for(0.01, [0.7, 0.6, 0.9, 0.95], _UNITS) == 641


def test_a_small_map_needs_fewer_units():
  assert size_for(0.01, [0.8], [500]) == 381
  assert size_for(0.01, [0.8], [10**9]) == 1600


@pytest.mark.parametrize(
  ("allocation", "expected"),
  [
    ("proportional", [13, 10, 205, 413]),  # as published
    ("equal", [161, 160, 160, 160]),
    ("floor", [75, 75, 163, 328]),
  ],
)
def test_allocations(allocation, expected):
  assert allocate(641, _UNITS, allocation, 75) == expected


def test_no_stratum_gives_more_than_it_has():
  assert allocate(100, [10, 1000, 1000], "equal", 50) == [10, 45, 45]
  assert allocate(300, [10, 100, 100], "floor", 50) == [10, 100, 100]
  assert allocate(20, [1, 1000], "proportional", 50) == [1, 19]


def test_floors_make_a_derived_sample_larger_and_refuse_a_given_one():
  assert allocate(60, [100, 100, 1000], "floor", 50, can_grow=True) == [50, 50, 50]
  with pytest.raises(RequestError, match="size is 60, too few for 3 strata with at least 50 units each"):
    allocate(60, [100, 100, 1000], "floor", 50)

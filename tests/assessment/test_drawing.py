"""Draws are random, reproducible, in the target area, and can be stopped early."""

import numpy as np
import pytest

from mtl_hsi.assessment import frame as frames
from mtl_hsi.assessment.class_map import open_class_map
from mtl_hsi.assessment.drawing import draw_random, draw_systematic
from mtl_hsi.assessment.frame import Frame, count
from mtl_hsi.errors import RequestError
from tests.assessment.maps import MAP, write_map

_TRAINING = np.arange(60, 600, 4)


@pytest.fixture
def frame(tmp_path):
  with open_class_map(write_map(tmp_path / "map.tif")) as class_map:
    yield Frame(class_map, 1, None, True, _TRAINING, False)


def units_of(frame: Frame) -> dict[int, int]:
  return {stratum: group.units for stratum, group in count(frame).strata.items()}


def positions(drawn) -> np.ndarray:
  return drawn.rows * MAP.shape[1] + drawn.columns


def test_as_many_as_wanted_from_each_stratum_and_none_that_trained(frame):
  drawn = draw_random(frame, units_of(frame), {1: 50, 2: 30, 5: 20}, seed=1)
  assert dict(zip(*np.unique(drawn.strata, return_counts=True), strict=True)) == {1: 50, 2: 30, 5: 20}
  np.testing.assert_array_equal(MAP[drawn.rows, drawn.columns], drawn.classes)
  assert not np.isin(positions(drawn), _TRAINING).any()
  assert len(set(positions(drawn).tolist())) == 100


def test_a_seed_gives_the_same_sample_however_the_map_is_read(frame, monkeypatch):
  first = draw_random(frame, units_of(frame), {1: 50, 2: 30, 5: 20}, seed=1)
  monkeypatch.setattr(frames, "_ROWS", 3)
  again = draw_random(frame, units_of(frame), {1: 50, 2: 30, 5: 20}, seed=1)
  other = draw_random(frame, units_of(frame), {1: 50, 2: 30, 5: 20}, seed=2)
  np.testing.assert_array_equal(positions(first), positions(again))
  assert set(positions(first).tolist()) != set(positions(other).tolist())


def test_every_unit_of_a_stratum_is_as_likely(frame):
  seen = np.zeros(MAP.size)
  for seed in range(300):
    seen[positions(draw_random(frame, units_of(frame), {5: 10}, seed))] += 1
  target = (MAP.ravel() == 5) & ~np.isin(np.arange(MAP.size), _TRAINING)
  assert (seen > 0).tolist() == target.tolist()
  expected = 3000 / target.sum()
  assert np.abs(seen[target] - expected).max() < 5 * expected**0.5


def test_the_first_units_are_random_in_every_stratum(frame):
  """Labelling may stop anywhere: then each stratum has nearly its share, not the upper rows of the map."""
  rows = []
  for seed in range(100):
    drawn = draw_random(frame, units_of(frame), {1: 100, 2: 20}, seed)
    half = drawn.strata[:60]
    assert abs((half == 2).sum() - 10) <= 1
    rows.append(drawn.rows[:60].mean() - drawn.rows[60:].mean())
  assert abs(np.mean(rows)) < 4 * np.std(rows) / 10


@pytest.mark.parametrize("size", [10, 47, 100, 400])
def test_a_systematic_sample_is_a_grid_in_random_order(frame, size):
  units = sum(units_of(frame).values())
  drawn, (down, across) = draw_systematic(frame, units, size, seed=3)
  assert len(np.unique(drawn.rows % down)) == len(np.unique(drawn.columns % across)) == 1
  assert abs(down - across) <= 1
  assert 0.5 * size <= len(drawn.rows) <= 2.5 * size
  assert (np.diff(drawn.rows) < 0).any()


def test_a_grid_that_misses_the_map_is_refused(tmp_path):
  ids = np.zeros((20, 20), int)
  ids[7, :3] = 1
  with open_class_map(write_map(tmp_path / "map.tif", ids)) as class_map:
    frame = Frame(class_map, 1, None, False, np.zeros(0, np.int64), False)
    with pytest.raises(RequestError, match=r"has 1 units in the target area; expected 2 or more"):
      draw_systematic(frame, 9, 1, seed=1)

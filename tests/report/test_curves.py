import re

import numpy as np
import pytest

from mtl_hsi.report import curves


def points(path):
  return [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+),([\d.]+)", path)]


def test_mean_of_the_replicas_is_drawn_on_a_logarithmic_axis():
  losses = np.array([[5.0, 15.0], [1.0, 1.0], [0.05, 0.15]])[:, :, None]
  (curve,) = curves.loss_curves(losses, [("main", 3)])
  height = curves.BOTTOM - curves.TOP
  assert [label for _, label in curve.losses] == ["0.01", "0.1", "1", "10", "100"]
  expected = [curves.BOTTOM - height * share for share in (3 / 4, 2 / 4, 1 / 4)]
  assert [y for _, y in points(curve.line)] == pytest.approx(expected, abs=0.1)
  assert points(curve.line)[-1][0] == curves.RIGHT
  band = [y for _, y in points(curve.band)]
  assert len(band) == 6
  assert min(band) < expected[0]
  assert max(band) > expected[2]


def test_scenes_share_their_axes_and_phases_end_where_they_end():
  losses = np.stack([np.full((10, 1), 0.5), np.full((10, 1), 0.002)], -1)
  first, second = curves.loss_curves(losses, [("main", 8), ("adapt", 2)])
  assert first.losses == second.losses
  assert first.ends == pytest.approx([curves.LEFT + 0.8 * (curves.RIGHT - curves.LEFT), curves.RIGHT])
  assert (first.last, second.last) == ([0.5, 0.5], [0.002, 0.002])


def test_losses_that_are_not_finite_leave_a_gap():
  losses = np.ones((5, 2, 1))
  losses[2] = np.nan
  losses[4, 0] = np.inf
  (curve,) = curves.loss_curves(losses, [("main", 5)])
  assert curve.line.count("M") == curve.band.count("M") == 2
  assert len(points(curve.line)) == 4
  assert curve.dots == []
  losses[3] = np.nan
  (curve,) = curves.loss_curves(losses, [("main", 5)])
  assert curve.dots == [pytest.approx((curves.RIGHT, curves.BOTTOM))]


def test_a_single_epoch_is_a_dot():
  (curve,) = curves.loss_curves(np.full((1, 2, 1), 10.0), [("main", 1)])
  assert curve.dots == [(curves.RIGHT, curves.BOTTOM)]
  (curve,) = curves.loss_curves(np.ones((2, 1, 1)), [("main", 2)])
  assert curve.dots == []


@pytest.mark.parametrize("value", [0.0, np.nan, 1.0])
def test_constant_and_empty_curves_can_be_drawn(value):
  (curve,) = curves.loss_curves(np.full((1, 1, 1), value), [("main", 1)])
  assert len(curve.losses) >= 2
  assert "nan" not in curve.line
  assert all(curves.TOP <= y <= curves.BOTTOM for _, y in points(curve.line))


@pytest.mark.parametrize("epochs", [1, 2, 9, 10, 140, 1000, 12345])
def test_epochs_are_marked_by_a_few_round_numbers(epochs):
  (curve,) = curves.loss_curves(np.ones((epochs, 1, 1)), [("main", epochs)])
  labels = [int(label) for _, label in curve.epochs]
  assert labels[0] == 0
  assert 2 <= len(labels) <= 8
  assert labels[-1] <= epochs

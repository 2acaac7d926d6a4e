import re

import pytest

from mtl_hsi.reproduction import plots_over_n as geometry

LEFT, RIGHT = geometry.LEFT + 14, geometry.RIGHT - 14  # the outermost dots
HEIGHT = geometry.BOTTOM - geometry.TOP


def points(path):
  return [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+),([\d.]+)", path)]


def near(expected):
  return [pytest.approx(point, abs=0.051) for point in expected]


def test_means_and_bands_lie_where_they_should():
  ours = {5: (50.0, 10.0), 10: (60.0, 5.0), 30: (80.0, 0.0)}
  (plot,) = geometry.plots([5, 10, 30], [(ours, {})])
  assert [label for _, label in plot.accuracies] == ["40", "50", "60", "70", "80"]
  assert [y for y, _ in plot.accuracies] == pytest.approx(
    [geometry.BOTTOM - HEIGHT * i / 4 for i in range(5)]
  )
  x = [LEFT, LEFT + (RIGHT - LEFT) / 5, RIGHT]
  assert plot.samples == [(pytest.approx(a), label) for a, label in zip(x, ["5", "10", "30"])]
  y = {accuracy: geometry.BOTTOM - HEIGHT * (accuracy - 40) / 40 for accuracy in (40, 50, 55, 60, 65, 80)}
  dots = [(x[0], y[50]), (x[1], y[60]), (x[2], y[80])]
  assert plot.ours.dots == [pytest.approx(dot) for dot in dots]
  assert points(plot.ours.line) == near(dots)
  upper = [(x[0], y[60]), (x[1], y[65]), (x[2], y[80])]
  lower = [(x[2], y[80]), (x[1], y[55]), (x[0], y[40])]
  assert points(plot.ours.band) == near(upper + lower)
  assert plot.ours.band.endswith("Z")
  assert plot.paper == geometry.Trace("", "", [])


def test_all_columns_and_both_series_share_the_axes():
  first = ({5: (50.0, 0.0)}, {})
  second = ({}, {5: (92.0, 1.0), 10: (93.0, 1.0)})
  one, two = geometry.plots([5, 10], [first, second])
  assert one.accuracies == two.accuracies
  assert one.samples == two.samples
  assert [label for _, label in one.accuracies] == ["50", "60", "70", "80", "90", "100"]


def test_a_missing_row_breaks_the_line():
  ours = {5: (50.0, 1.0), 15: (60.0, 1.0), 20: (62.0, 1.0)}
  (plot,) = geometry.plots([5, 10, 15, 20], [(ours, {})])
  assert [len(points(part)) for part in plot.ours.line.split("M")[1:]] == [1, 2]
  assert [len(points(part)) for part in plot.ours.band.split("Z")[:-1]] == [2, 4]
  assert len(plot.ours.dots) == 3


@pytest.mark.parametrize(
  ("series", "labels"),
  [
    ({5: (99.5, 3.0)}, ["96", "97", "98", "99", "100"]),
    ({5: (2.0, 5.0)}, ["0", "2", "4", "6", "8"]),
    ({5: (100.0, 0.0)}, ["99.9", "100"]),
    ({5: (97.8, 0.2)}, ["97.6", "97.7", "97.8", "97.9", "98"]),
    ({}, ["0", "20", "40", "60", "80", "100"]),
  ],
)
def test_accuracies_are_marked_by_a_few_round_numbers_within_0_and_100(series, labels):
  (plot,) = geometry.plots([5], [(series, {})])
  assert [label for _, label in plot.accuracies] == labels
  inside = [y for _, y in points(plot.ours.band) + plot.ours.dots]
  assert all(geometry.TOP <= y <= geometry.BOTTOM for y in inside)


def test_a_single_row_stands_in_the_middle():
  (plot,) = geometry.plots([10], [({10: (50.0, 1.0)}, {})])
  assert plot.ours.dots[0][0] == pytest.approx((geometry.LEFT + geometry.RIGHT) / 2)

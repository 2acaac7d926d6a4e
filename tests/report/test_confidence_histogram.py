import numpy as np
import pytest

from mtl_hsi.report.confidence_histogram import histogram


def test_bars_have_the_shares_of_measured_pixels():
  probability = np.array([[0.12, 0.97, 0.98], [1.0, 0.3, 0.0]], np.float16)
  drawn = histogram(probability, np.array([[True, True, True], [True, False, False]]))
  assert [bar["text"] for bar in drawn.bars] == [
    "10 to 15%: 25.0% of the map",
    "95 to 100%: 75.0% of the map",
  ]
  low, high = drawn.bars
  assert high["height"] == pytest.approx(3 * low["height"], abs=0.2)
  assert high["y"] >= drawn.top
  assert high["x"] + high["width"] <= drawn.right
  assert drawn.low_share == 0.25


def test_half_of_the_pixels_reach_the_median():
  shares = np.linspace(0, 1, 1001)[None]
  assert histogram(shares, np.ones_like(shares, bool)).median == pytest.approx(50, abs=1)
  sure = np.full((1, 4), 0.9)
  assert histogram(sure, np.ones_like(sure, bool)).median == pytest.approx(90, abs=1)


def test_the_axis_has_round_steps_that_reach_the_highest_bar():
  drawn = histogram(np.repeat([[0.5, 0.6, 0.7, 0.8]], 5, axis=0), np.ones((5, 4), bool))
  assert [text for _, text in drawn.up] == ["0", "5", "10", "15", "20", "25"]
  assert min(bar["y"] for bar in drawn.bars) == drawn.top


def test_without_a_measurement_there_is_none():
  assert histogram(np.ones((2, 2)), np.zeros((2, 2), bool)) is None

"""Padded channels of windows, and of single pixels."""

import numpy as np
import pytest

from mtl_hsi.channels import padded
from mtl_hsi.channels.padded import PaddedChannels
from mtl_hsi.scenes import windows
from tests.tiny import inputs_by

CUBE = np.random.default_rng(0).integers(0, 99, (11, 7, 3)).astype(np.uint16)
NODATA = np.random.default_rng(1).random((11, 7)) < 0.2
INPUTS = inputs_by(np.array([2, 0]), 4.0, 3)
MARGIN = 2
WHOLE = np.pad(INPUTS(CUBE, NODATA), [(MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)], mode="edge")


@pytest.fixture
def channels():
  return PaddedChannels(CUBE, INPUTS, NODATA, MARGIN)


def test_every_window_is_that_of_the_whole(channels):
  assert channels.shape == WHOLE.shape
  for top in range(15):
    for bottom in range(top + 1, 16):
      window = slice(top, bottom), slice(top % 4, 4 + bottom % 8)
      np.testing.assert_array_equal(channels[window], WHOLE[window])


def test_a_window_knows_what_is_missing_around_it():
  around = slice(-2, 13), slice(-2, 9)
  block = padded.read_block(lambda *inside: (CUBE[inside], NODATA[inside]), (11, 7), INPUTS, around)
  np.testing.assert_array_equal(block.channels, WHOLE)
  np.testing.assert_array_equal(block.missing, np.pad(NODATA, 2, mode="edge"))
  assert padded.read_block(lambda *inside: (CUBE[inside], None), (11, 7), INPUTS, around).missing is None


def test_blocks_cover_everything_once(channels, monkeypatch):
  monkeypatch.setattr(windows, "_WINDOW_VALUES", 5 * 5 * 3)
  monkeypatch.setattr(windows, "BLOCK", 4)
  found, seen = np.empty(WHOLE.shape, np.float32), np.zeros(WHOLE.shape[:2], int)
  for window, values in padded.blocks(channels):
    found[window] = values
    seen[window] += 1
  assert (seen == 1).all()
  np.testing.assert_array_equal(found, WHOLE)
  ((_, values),) = padded.blocks(WHOLE)
  assert values is WHOLE


@pytest.mark.parametrize("values", [2**25, 5 * 5 * 3])
def test_single_pixels_are_those_of_the_whole(channels, values, monkeypatch):
  monkeypatch.setattr(windows, "_WINDOW_VALUES", values)
  monkeypatch.setattr(windows, "BLOCK", 4)
  pixels = np.random.default_rng(2).integers(0, WHOLE.shape[:2], (50, 2))
  found = padded.channels_at(channels, pixels)
  np.testing.assert_array_equal(found, WHOLE[tuple(pixels.T)])
  np.testing.assert_array_equal(padded.channels_at(WHOLE, pixels), found)
  assert padded.channels_at(channels, pixels[:0]).shape == (0, 2)

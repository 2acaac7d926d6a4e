"""Ranges of the channels of a scene."""

import numpy as np
import pytest

from mtl_hsi.channels import ranges
from mtl_hsi.channels.ranges import channel_ranges
from tests.tiny import inputs_by

GENERATOR = np.random.default_rng(0)
ALL = np.ones((40, 50), bool)


def fit(cube, measured=ALL):
  return channel_ranges(cube, measured, inputs_by(np.arange(cube.shape[2]), 1.0, cube.shape[2]))


def outside(cube, found):
  return ((cube < found[0]) | (cube > found[2])).any(axis=-1).mean()


@pytest.mark.parametrize("bands", [1, 5])
def test_at_most_one_percent_of_the_pixels_is_outside_of_any_channel(bands):
  cube = GENERATOR.normal(size=(40, 50, bands)).astype(np.float32)
  found = fit(cube)
  assert (found.shape, found.dtype) == ((3, bands), np.float32)
  assert 0.005 < outside(cube, found) <= 0.01
  np.testing.assert_allclose(found[1], np.median(cube, axis=(0, 1)))


def test_outliers_of_one_channel_do_not_widen_another():
  cube = GENERATOR.normal(size=(40, 50, 2)).astype(np.float32)
  plain = fit(cube)
  cube[::4, ::7, 1] *= 1000
  assert fit(cube)[2, 0] < 1.5 * plain[2, 0]


def test_constant_channels_and_pixels_without_a_measurement(monkeypatch):
  cube = np.full((40, 50, 2), 5.0)
  cube[..., 1] = np.arange(50)
  cube[3] = -9999
  measured = ALL.copy()
  measured[3] = False
  np.testing.assert_array_equal(fit(cube, measured), [[5, 0], [5, 24.5], [5, 49]])
  assert fit(cube, ~ALL) is None
  # Where the sample misses the few pixels that are measured, all are used.
  monkeypatch.setattr(ranges, "_SAMPLE", 4)
  np.testing.assert_array_equal(fit(cube, ~measured)[:, 0], [-9999] * 3)

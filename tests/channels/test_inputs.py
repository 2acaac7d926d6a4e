"""The input channels of an image, and how they are saved and restored."""

import dataclasses
import json

import numpy as np
import pytest

from mtl_hsi.channels.inputs import Inputs, entry, read_inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.storage.atomic_files import json_bytes

GENERATOR = np.random.default_rng(0)
VALUES = GENERATOR.integers(0, 9000, (5, 7, 6)).astype(np.uint16)
CHOSEN = np.array([5, 0, 3, 3], np.int32)
SCALING = Scaling(np.array([0.1, 2.0, 3.0, 3.0]), np.array([7.0, 900.1, 3.3, 3.3]))
WEIGHTS = GENERATOR.uniform(0, 1, (4, 3)).astype(np.float32)


def made(weights=None):
  return Inputs(6, CHOSEN, SCALING, weights)


def test_bands_are_chosen_and_scaled_in_single_precision():
  offset, scale = (numbers.astype(np.float32) for numbers in SCALING)
  expected = (VALUES[:, :, CHOSEN].astype(np.float32) - offset) / scale
  result = made()(VALUES, None)
  assert (result.dtype, made().channels) == (np.float32, 4)
  np.testing.assert_array_equal(result, expected)


def test_weights_mix_the_scaled_bands():
  result = made(WEIGHTS)(VALUES, None)
  assert (result.dtype, result.shape, made(WEIGHTS).channels) == (np.float32, (5, 7, 3), 3)
  np.testing.assert_allclose(result, made()(VALUES, None).astype(float) @ WEIGHTS, rtol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_empty_channels_stand_behind_the_others(weights):
  inputs, filled = made(weights), dataclasses.replace(made(weights), empty=2)
  assert filled.channels == inputs.channels + 2
  result = filled(VALUES, None)
  assert (result.dtype, result.shape[-1]) == (np.float32, filled.channels)
  np.testing.assert_array_equal(result[..., :-2], inputs(VALUES, None))
  np.testing.assert_array_equal(result[..., -2:], 0)
  restored = read_inputs({"shape": [5, 7, 6], **entry(filled)})
  np.testing.assert_array_equal(restored(VALUES, None), result)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_components_of_the_channels_stand_behind_them_and_before_empty_ones(weights):
  inputs = made(weights)
  components = GENERATOR.normal(0, 1, (inputs.channels, 2)).astype(np.float32)
  more = dataclasses.replace(inputs, components=components, empty=1)
  nodata = np.zeros((5, 7), bool)
  nodata[2, 3] = True
  plain, result = inputs(VALUES, nodata), more(VALUES, nodata)
  assert (result.dtype, result.shape[-1]) == (np.float32, more.channels)
  np.testing.assert_array_equal(result[..., : inputs.channels], plain)
  expected = plain.astype(float) @ components
  np.testing.assert_allclose(result[..., inputs.channels : -1], expected, rtol=1e-5, atol=1e-5)
  np.testing.assert_array_equal(result[..., -1], 0)
  restored = read_inputs(json.loads(json_bytes({"shape": [5, 7, 6], **entry(more)})))
  np.testing.assert_array_equal(restored(VALUES, nodata), result)


@pytest.mark.parametrize("channels", [None, 37])
def test_a_pixel_reads_the_same_in_every_block_to_the_bit(channels):
  # With this many bands, a dense product sums in an order that depends on the block.
  values = GENERATOR.integers(0, 9000, (40, 31, 200)).astype(np.uint16)
  weights = None if channels is None else GENERATOR.uniform(0, 1, (200, channels)).astype(np.float32)
  inputs = Inputs(200, np.arange(200), Scaling(np.zeros(200), np.full(200, 9000.0)), weights)
  components = GENERATOR.normal(0, 1, (inputs.channels, 11)).astype(np.float32)
  inputs = dataclasses.replace(inputs, components=components)
  whole = inputs(values, None)
  for rows, columns in [(slice(0, 1), slice(0, 31)), (slice(2, 3), slice(3, 4)), (slice(4, 19), slice(1, 6))]:
    np.testing.assert_array_equal(inputs(values[rows, columns], None), whole[rows, columns])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_pixels_without_data_become_zero_even_where_they_are_no_number(weights):
  values = VALUES.astype(float)
  values[1, 2] = np.nan
  nodata = np.zeros((5, 7), bool)
  nodata[1, 2] = nodata[4, 4] = True
  result = made(weights)(values, nodata)
  assert (result[nodata] == 0).all()
  np.testing.assert_array_equal(result[~nodata], made(weights)(VALUES, None)[~nodata])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_what_was_written_is_restored_to_the_bit(weights):
  inputs = made(weights)
  written = {"shape": [5, 7, 6], "sensor": None, **entry(inputs)}
  restored = read_inputs(json.loads(json_bytes(written)))
  assert (restored.bands, restored.channels) == (6, inputs.channels)
  np.testing.assert_array_equal(restored(VALUES, None), inputs(VALUES, None))

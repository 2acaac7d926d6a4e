"""Band tables of the public scenes' sensors."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import sensors


def test_indian_pines_bands_are_the_published_table():
  centres, widths = sensors.indian_pines_bands()
  assert centres.dtype == widths.dtype == np.float64
  assert centres.shape == widths.shape == (200,)
  assert [centres[0], centres[103], centres[144], centres[199]] == [400.02, 1412.39, 1943.27, 2489.11]
  assert [widths[0], widths[199]] == [9.78, 14.59]


def test_indian_pines_centres_step_back_where_detectors_overlap():
  centres, _ = sensors.indian_pines_bands()
  assert np.flatnonzero(np.diff(centres) < 0).tolist() == [30, 93]


def test_callers_cannot_spoil_the_table_for_each_other():
  sensors.indian_pines_bands()[0][:] = 0.0
  assert sensors.indian_pines_bands()[0][0] == 400.02


@pytest.mark.parametrize("count", [102, 103])
def test_rosis_bands_are_equally_spaced_from_430_nm(count):
  centres, widths = sensors.rosis_bands(count)
  assert centres.shape == widths.shape == (count,)
  np.testing.assert_allclose(centres, 430.0 + np.arange(count) * 430.0 / 102)
  np.testing.assert_allclose(widths, 430.0 / 102)


@pytest.mark.parametrize("count", [101, 104])
def test_rosis_has_no_other_band_counts(count):
  with pytest.raises(RequestError, match=f"103.*102.*not {count}"):
    sensors.rosis_bands(count)


def test_sensors_by_name():
  assert sensors.sensor("AVIRIS").centres.shape == (200,)
  assert sensors.sensor("ROSIS").centres.shape == (103,)
  assert sensors.sensor("ROSIS").name == "ROSIS"


def test_an_unknown_sensor_lists_the_known_ones():
  with pytest.raises(RequestError, match="unknown sensor 'HyMap'; known are AVIRIS, ROSIS"):
    sensors.sensor("HyMap")


@pytest.mark.parametrize(
  ("centres", "widths", "message"),
  [
    ([500.0, 600.0], [10.0], "2 band centres and 1 widths"),
    ([[500.0]], [[10.0]], "two equally long lists"),
    ([500.0, np.nan], [10.0, 10.0], "must be finite"),
    ([500.0, 600.0], [10.0, 0.0], "widths positive"),
  ],
)
def test_a_sensor_refuses_bands_that_make_no_sense(centres, widths, message):
  with pytest.raises(RequestError, match=f"sensor 'mine': .*{message}"):
    sensors.Sensor("mine", np.array(centres), np.array(widths))

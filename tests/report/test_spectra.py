import base64
import dataclasses
import zlib

import numpy as np
import pytest

from mtl_hsi.report import spectra
from mtl_hsi.scenes.scene import Scene


def decoded(found):
  """Values `[rows, columns, bands]`, read as the page's script reads them."""
  steps = np.frombuffer(zlib.decompress(base64.b64decode(found.text)), np.uint8)
  levels = steps.reshape(len(found.bands), found.rows, found.columns).cumsum(axis=2, dtype=np.uint8)
  low, high = np.array(found.low), np.array(found.high)
  return low + levels.transpose(1, 2, 0) / 255 * (high - low)


def noise(height, width, bands, **more):
  cube = np.random.default_rng(0).normal(0, 1000, (height, width, bands)).astype(np.float32)
  labels = np.ones((height, width), np.int32)
  labels[0] = 2
  return Scene("noise", cube, labels, {1: "a", 2: "b"}, **more)


def test_values_come_back_to_half_a_step_of_their_band():
  scene = noise(9, 7, 5)
  found = spectra.encode_spectra(scene, 1, 10**6)
  assert (found.step, found.bands) == (1, [0, 1, 2, 3, 4])
  span = scene.cube.max((0, 1)) - scene.cube.min((0, 1))
  assert (np.abs(decoded(found) - scene.cube) <= 0.51 * span / 255).all()
  assert found.usual == pytest.approx(np.percentile(scene.cube, (1, 99)), rel=1e-5)


def test_at_most_64_bands_from_the_first_to_the_last_in_order_of_wavelength():
  wavelengths = np.linspace(400, 2500, 200)
  wavelengths[:100] = wavelengths[:100][::-1]
  scene = noise(3, 2, 200, wavelengths=wavelengths)
  found = spectra.encode_spectra(scene, 1, 10**6)
  assert len(found.bands) == 64
  assert {0, 199} <= set(found.bands)
  assert (np.diff(wavelengths[found.bands]) > 0).all()
  span = np.array(found.high) - found.low
  assert (np.abs(decoded(found) - scene.cube[..., found.bands]) <= 0.51 * span / 255).all()


def test_a_small_budget_takes_pixels_at_equal_distances():
  scene = noise(60, 50, 8)
  found = spectra.encode_spectra(scene, 2, 2000)
  assert found.step > 1
  assert 500 < len(found.text) <= 2000
  kept = scene.cube[:: 2 * found.step, :: 2 * found.step]
  assert (found.rows, found.columns) == kept.shape[:2]
  assert np.abs(decoded(found) - kept).max() < 30


def test_where_nothing_fits_there_is_nothing():
  assert spectra.encode_spectra(noise(60, 50, 8), 1, 10).text == ""
  assert spectra.encode_spectra(noise(60, 50, 8), 1, -10).text == ""


def test_pixels_without_measurement_do_not_matter():
  scene = noise(6, 6, 4)
  hole = np.zeros((6, 6), bool)
  hole[3, 2:4] = True
  cube, labels = scene.cube.copy(), np.where(hole, 0, scene.labels).astype(np.int32)
  cube[hole] = np.nan
  found = spectra.encode_spectra(dataclasses.replace(scene, cube=cube, labels=labels, nodata=hole), 1, 10**6)
  np.testing.assert_allclose(found.low, scene.cube[~hole].min(0), rtol=1e-5)
  assert np.abs(decoded(found) - scene.cube)[~hole].max() < 20


def test_a_scene_of_nothing_but_holes_and_equal_values_is_packed():
  scene = noise(6, 6, 4)
  even = dataclasses.replace(scene, cube=np.full((6, 6, 4), 7, np.int16))
  assert (decoded(spectra.encode_spectra(even, 1, 10**6)) == 7).all()


def test_scenes_share_the_page():
  assert spectra.scene_budget(1) == spectra.SCENE_BUDGET
  for scenes in (1, 3, 4, 50):
    assert spectra.scene_budget(scenes) * scenes <= spectra.PAGE_BUDGET

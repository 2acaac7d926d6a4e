"""Nodata values that an image has and does not declare."""

from types import SimpleNamespace

import numpy as np
import pytest

from mtl_hsi.prediction.image_checks import FillValues, check_unit
from mtl_hsi.prediction.windows import Window
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.scene import ImageFile

_EVERYTHING = slice(None), slice(None)


def _look(folder, values, nodata_in_training=(), **options):
  np.save(folder / "flight.npy", values)
  image = Image.open(folder / "flight.npy", **options)
  read, missing = image.read(*_EVERYTHING)
  missing = np.zeros(read.shape[:2], bool) if missing is None else missing
  look = FillValues(image, SimpleNamespace(file=ImageFile(3, (), nodata_in_training)))
  look(read, missing)
  return look(read, missing)


@pytest.fixture
def values() -> np.ndarray:
  """A border of -9999 around values that vary from band to band."""
  image = np.arange(8 * 8 * 3, dtype=np.int16).reshape(8, 8, 3) + 100
  image[0] = image[:, 0] = -9999
  return image


@pytest.mark.parametrize("options", [{}, {"scale": 0.0001, "offset": 0.5}])
def test_pixels_with_one_value_in_all_bands_are_told_once(tmp_path, caplog, values, options):
  filled = _look(tmp_path, values, **options)
  np.testing.assert_array_equal(filled, (values == -9999).all(axis=-1))
  (record,) = caplog.records
  assert "the value -9999 in all bands" in record.getMessage()
  assert "--config.nodata=-9999" in record.getMessage()


@pytest.mark.parametrize("options", [{}, {"scale": 0.0001}])
def test_the_nodata_value_of_training_is_told_wherever_it_is(tmp_path, caplog, values, options):
  values[0], values[:, 0] = values[1], values[:, 1]
  values[4, 4, 1] = -9999
  filled = _look(tmp_path, values, (-9999.0, 0.5), **options)
  assert np.argwhere(filled).tolist() == [[4, 4]]
  assert "-9999 in some band, which is nodata in the file of the scene in training" in caplog.text


def test_declared_and_ordinary_values_are_not_told(tmp_path, caplog, values):
  assert not _look(tmp_path, values, (-9999.0,), nodata=-9999).any()
  values[0], values[:, 0] = values[1], values[:, 1]
  assert not _look(tmp_path, values, (-9999.0,)).any()
  assert not _look(tmp_path, values[..., :1] * 0).any()
  assert not caplog.records


def test_fill_values_do_not_look_like_another_unit(caplog):
  padded = np.random.default_rng(0).normal(size=(6, 6, 3)).astype(np.float32)
  filled = np.zeros((6, 6), bool)
  filled[:3] = True
  padded[:3] = -9999
  image, scene, missing = SimpleNamespace(origin="a.tif"), SimpleNamespace(name="fields"), ~filled & filled
  check_unit(Window(padded, missing, filled), image, scene)
  assert not caplog.records
  check_unit(Window(padded, missing, ~filled & filled), image, scene)
  assert "another unit" in caplog.text

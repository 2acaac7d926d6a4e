"""EMIT L2A reflectance."""

import zipfile
from unittest import mock

import h5py
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products import hdf5_files
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import product_files

_ALL = slice(None), slice(None)
_NAME = "EMIT_L2A_RFL_001_20220903T163129_2224611_012.nc"
_MASK = "EMIT_L2A_MASK_001_20220903T163129_2224611_012.nc"
_CENTRES = [400.0, 650.0, 860.0, 1380.0, 2200.0]
_GOOD = [1, 1, 1, 0, 1]
_KEPT = [0, 1, 2, 4]
_CUBE = np.random.default_rng(1).uniform(0, 0.6, (6, 4, 5)).astype(np.float32)
_SENSOR = ProductOptions(geometry="sensor")


def _turned(height, width, cube_shape):
  """A table of a map in which the image is turned by 45 degrees; a fifth of its pixels are interpolated."""
  rows, columns = np.indices((height, width))
  x, y = columns - rows + height // 2, columns + rows - width // 2
  inside = (x >= 0) & (x < cube_shape[1]) & (y >= 0) & (y < cube_shape[0])
  sign = np.where((rows + columns) % 5, 1, -1)
  return np.where(inside, sign * (x + 1), 0), np.where(inside, sign * (y + 1), 0)


def _shown(table, cube):
  x, y = (np.abs(part) - 1 for part in table)
  return np.where((table[0] != 0)[..., None], cube[y % cube.shape[0], x % cube.shape[1]], -9999)


@pytest.fixture
def table():
  return _turned(7, 8, _CUBE.shape)


@pytest.fixture
def path(tmp_path, table):
  return product_files.save_emit(tmp_path / _NAME, _CUBE, _CENTRES, table, _GOOD)


def test_the_map_shows_the_image_by_the_lookup_table(path, table):
  image = Image.open(path)
  values, missing = image.read(*_ALL)
  np.testing.assert_array_equal(values, _shown(table, _CUBE)[..., _KEPT])
  np.testing.assert_array_equal(missing, table[0] == 0)
  assert 0 < missing.sum() < missing.size
  assert image.wavelengths.tolist() == [400, 650, 860, 2200]
  assert set(image.widths) == {8.5}
  assert image.acquired == "2022-09-03"
  assert image.remarks == ("EMIT L2A reflectance", "1 band flagged as bad (good_wavelengths) left out")


def test_the_map_is_placed_by_the_geotransform(path):
  found = Image.open(path).georeference
  assert 'AUTHORITY["EPSG","4326"]' in found.crs
  step = product_files.EMIT_STEP
  assert found.transform == (step, 0, 10, 0, -step, 50)


def test_the_geometry_of_the_sensor_is_an_option(path):
  image = Image.open(path, product=_SENSOR)
  values, missing = image.read(*_ALL)
  np.testing.assert_array_equal(values, _CUBE[..., _KEPT])
  assert not missing.any()
  assert image.georeference is None
  assert image.remarks[1] == "not georeferenced: the image has the geometry of the sensor"


@pytest.mark.parametrize(
  "window", [(slice(2, 5), slice(3, 6)), (slice(0, 1), slice(None)), (slice(5, 99),) * 2]
)
def test_a_window_has_the_requested_pixels(path, window):
  image = Image.open(path)
  for found, whole in zip(image.read(*window), image.read(*_ALL), strict=True):
    np.testing.assert_array_equal(found, whole[window])


def test_a_window_reads_little_more_than_it_shows(tmp_path):
  cube = np.random.default_rng(1).uniform(0, 0.6, (400, 400, 2)).astype(np.float32)
  table = _turned(800, 800, cube.shape)
  image = Image.open(product_files.save_emit(tmp_path / _NAME, cube, [500.0, 860.0], table, [1, 1]))
  pixels = []
  read = hdf5_files.Hdf5File.read

  def counted(self, array, axes, *window):
    values = read(self, array, axes, *window)
    pixels.append(values.shape[0] * values.shape[1] * (axes == "rcb"))
    return values

  with mock.patch.object(hdf5_files.Hdf5File, "read", counted):
    # The rows and columns of the image that this strip shows are all of the image.
    values, missing = image.read(slice(395, 405), slice(None))
  np.testing.assert_array_equal(values, _shown(table, cube)[395:405])
  assert (~missing).sum() > 3000
  assert sum(pixels) < 400 * 400 / 2
  assert max(pixels) <= 64 * 64


def test_no_flags_and_an_empty_band(tmp_path):
  cube = _CUBE.copy()
  cube[..., 3], cube[..., 0] = -0.01, -9999
  image = Image.open(product_files.save_emit(tmp_path / _NAME, cube, _CENTRES))
  assert image.wavelengths.tolist() == [650, 860, 2200]
  assert "2 bands without a measurement left out" in image.remarks
  assert not image.read(*_ALL)[1].any()


def test_the_mask_is_a_quality_layer(path, table, tmp_path):
  flags = np.zeros((6, 4, 8))
  for number, (row, column) in enumerate([(0, 0), (1, 1), (2, 2), (3, 3), (4, 1), (5, 0), (5, 1), (5, 2)]):
    flags[row, column, number] = 1
  # Not water, aerosols, vapour or the aggregate flag, which includes water.
  unclear = np.zeros((6, 4), bool)
  for row, column in [(0, 0), (1, 1), (3, 3), (4, 1)]:
    unclear[row, column] = True
  product_files.save_emit_mask(tmp_path / _MASK, flags)
  missing = Image.open(path, quality="clear", product=_SENSOR).read(*_ALL)[1]
  np.testing.assert_array_equal(missing, unclear)
  missing = Image.open(path, quality="clear").read(*_ALL)[1]
  shown = _shown(table, unclear[..., None].astype(np.float32))[..., 0]
  np.testing.assert_array_equal(missing, shown != 0)


def test_a_mask_of_another_version_is_found(path, tmp_path):
  product_files.save_emit_mask(tmp_path / _MASK.replace("_012", "_013"), np.ones((6, 4, 8)))
  assert Image.open(path, quality="clear").read(*_ALL)[1].all()


def test_a_missing_mask_is_told(path):
  with pytest.raises(RequestError, match=f"its mask {_MASK} is not in the same folder"):
    Image.open(path, quality="clear").read(*_ALL)


def test_a_mask_of_another_scene_is_rejected(path, tmp_path):
  product_files.save_emit_mask(tmp_path / _MASK, np.ones((6, 5, 8)))
  with pytest.raises(RequestError, match="differ in size"):
    Image.open(path, quality="clear").read(*_ALL)


@pytest.mark.parametrize("packed", [False, True])
def test_a_product_is_found_in_its_folder_and_in_a_zip(path, tmp_path, packed):
  product_files.save_emit_mask(tmp_path / _MASK, np.ones((6, 4, 8)))
  place = tmp_path
  if packed:
    place = tmp_path / "granule.zip"
    with zipfile.ZipFile(place, "w") as archive:
      for name in (_NAME, _MASK):
        archive.write(tmp_path / name, f"granule/{name}")
  image = Image.open(place, quality="clear")
  values, missing = image.read(*_ALL)
  np.testing.assert_array_equal(values, Image.open(path).read(*_ALL)[0])
  assert missing.all()


@pytest.mark.parametrize("kind", ["mask", "radiance"])
def test_other_files_of_the_scene_are_told(tmp_path, kind):
  path = tmp_path / "EMIT_L1B_RAD_001.nc"
  if kind == "mask":
    product_files.save_emit_mask(path, np.zeros((6, 4, 8)))
  else:
    product_files.save_emit(path, _CUBE, _CENTRES)
    with h5py.File(path, "r+") as file:
      file.move("reflectance", "radiance")
  with pytest.raises(RequestError, match=rf"contains the {kind}.* of EMIT; name the file EMIT_L2A_RFL_"):
    Image.open(path)


def _without_a_table(file):
  del file["location"]


def _with_a_table_beyond_the_image(file):
  file["location/glt_x"][3, 4] = 5


def _without_a_reference_system(file):
  file.attrs["spatial_ref"] = "somewhere"


def _with_flags_of_all_bands(file):
  file["sensor_band_parameters/good_wavelengths"][...] = 0


@pytest.mark.parametrize(
  ("damage", "message"),
  [
    (_without_a_table, "has no lookup table location/glt_x; use the option geometry: sensor"),
    (_with_a_table_beyond_the_image, "refers to pixels outside of the 6 x 4 pixels of the image"),
    (_without_a_reference_system, "the coordinate reference system 'somewhere' is unknown"),
    (_with_flags_of_all_bands, "flags all 5 bands as bad"),
  ],
)
def test_damaged_files_are_rejected(path, damage, message):
  with h5py.File(path, "r+") as file:
    damage(file)
  with pytest.raises(RequestError, match=message):
    Image.open(path, product=ProductOptions(geometry="map")).read(*_ALL)


def test_without_a_table_the_image_has_the_geometry_of_the_sensor(path):
  with h5py.File(path, "r+") as file:
    _without_a_table(file)
  assert Image.open(path).georeference is None

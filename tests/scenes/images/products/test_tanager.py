"""Tanager surface reflectance."""

import h5py
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from tests.scenes import product_files

_ALL = slice(None), slice(None)
_NAME = "20241116_141814_57_4001_ortho_sr_hdf5.h5"
_CENTRES = [400.0, 650.0, 860.0, 1380.0, 2200.0]
_GOOD = [1, 1, 1, 0, 1]
_CUBE = np.random.default_rng(1).uniform(0, 0.6, (6, 4, 5)).astype(np.float32)


def _save(folder, name=_NAME, **options):
  return product_files.save_tanager(folder / name, _CUBE, _CENTRES, good=_GOOD, **options)


def test_an_ortho_product(tmp_path):
  outside = np.zeros((6, 4))
  outside[0, :2] = 1
  image = Image.open(_save(tmp_path, layers={"nodata_pixels": outside}))
  values, missing = image.read(*_ALL)
  np.testing.assert_array_equal(values[~missing], _CUBE[..., [0, 1, 2, 4]][~missing])
  np.testing.assert_array_equal(missing, outside == 1)
  assert image.wavelengths.tolist() == [400, 650, 860, 2200]
  assert set(image.widths) == {5.5}
  assert image.acquired == "2024-11-16"
  # The corners in the metadata are outer edges.
  assert image.georeference.transform == (30, 0, 500_000, 0, -30, 5_400_000)
  assert "UTM zone 33N" in image.georeference.crs
  assert image.remarks == ("Tanager surface reflectance", "1 band flagged as bad (good_wavelengths) left out")
  window = slice(2, 5), slice(1, 3)
  np.testing.assert_array_equal(image.read(*window)[0], values[window])


def test_fill_in_the_values_is_nodata(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    # One value of a good band, and one of a band that is left out.
    file["HDFEOS/GRIDS/HYP/Data Fields/surface_reflectance"][0, 5, 3] = -9999
    file["HDFEOS/GRIDS/HYP/Data Fields/surface_reflectance"][3, 5, 2] = -9999
  assert np.argwhere(Image.open(path).read(*_ALL)[1]).tolist() == [[5, 3]]


def test_cloud_masks_are_quality_layers(tmp_path):
  cloud, cirrus = np.zeros((2, 6, 4))
  cloud[1, 2], cirrus[4, 3] = 1, 1
  path = _save(tmp_path, layers={"beta_cloud_mask": cloud, "beta_cirrus_mask": cirrus})
  image = Image.open(path, quality="clear")
  assert np.argwhere(image.read(*_ALL)[1]).tolist() == [[1, 2], [4, 3]]
  assert np.argwhere(image.read(slice(3, 6), slice(3, 4))[1]).tolist() == [[1, 0]]
  assert not Image.open(path).read(*_ALL)[1].any()


def test_missing_cloud_masks_are_told(tmp_path):
  with pytest.raises(
    RequestError, match="has no beta_cloud_mask or beta_cirrus_mask; remove the option quality"
  ):
    Image.open(_save(tmp_path), quality="clear").read(*_ALL)


def test_a_basic_product_is_not_georeferenced(tmp_path):
  image = Image.open(_save(tmp_path, "20241116_141814_57_4001_basic_sr_hdf5.h5", group="SWATHS"))
  np.testing.assert_array_equal(image.read(*_ALL)[0], _CUBE[..., [0, 1, 2, 4]])
  assert image.georeference is None
  assert image.remarks[1].startswith("not georeferenced: a basic product has the geometry of the sensor")


@pytest.mark.parametrize(("zone", "code"), [(33, 32633), (-33, 32733)])
def test_without_an_epsg_code_the_zone_of_utm_counts(tmp_path, zone, code):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    del file["HDFEOS/GRIDS/HYP"].attrs["epsg_code"]
    text = file["HDFEOS INFORMATION/StructMetadata.0"]
    text[()] = text[()].replace(b"ZoneCode=33", b"ZoneCode=%d" % zone)
  assert f'AUTHORITY["EPSG","{code}"]' in Image.open(path).georeference.crs


def test_the_epsg_code_may_be_a_text(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    file["HDFEOS/GRIDS/HYP"].attrs["epsg_code"] = "EPSG:32733"
  assert 'AUTHORITY["EPSG","32733"]' in Image.open(path).georeference.crs


def test_without_metadata_of_the_grid_there_is_no_position(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    del file["HDFEOS INFORMATION"]
  image = Image.open(path)
  assert image.georeference is None
  assert image.remarks[1].startswith("not georeferenced")


def test_radiance_is_rejected(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    file.move("HDFEOS/GRIDS/HYP/Data Fields/surface_reflectance", "HDFEOS/GRIDS/HYP/Data Fields/toa_radiance")
  with pytest.raises(RequestError, match="is radiance of Tanager; get the product surface reflectance"):
    Image.open(path)


def test_a_folder_is_opened_and_one_with_two_products_rejected(tmp_path):
  _save(tmp_path)
  assert Image.open(tmp_path).bands == 4
  _save(tmp_path, "20241116_141814_57_4001_basic_sr_hdf5.h5", group="SWATHS")
  with pytest.raises(RequestError, match="contains 2 products"):
    Image.open(tmp_path)


@pytest.mark.parametrize(
  ("attribute", "value", "message"),
  [
    ("wavelengths", "many", "has no attribute wavelengths"),
    ("wavelengths", [400.0], "has 1 wavelengths for 5 bands"),
    ("good_wavelengths", np.zeros(5), "flags all 5 bands as bad"),
    ("scale_factor", np.nan, "has scale nan and offset 0.0"),
  ],
)
def test_damaged_metadata_are_rejected(tmp_path, attribute, value, message):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    file["HDFEOS/GRIDS/HYP/Data Fields/surface_reflectance"].attrs[attribute] = value
  with pytest.raises(RequestError, match=message):
    Image.open(path)

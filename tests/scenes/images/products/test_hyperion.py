"""Hyperion L1T: folders and archives with a file for each band."""

import shutil

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import band_products, formats

_EVERYTHING = slice(None), slice(None)
# Uncalibrated ones at the ends and in the middle; 56, 57, 77 and 78 are where the detectors overlap.
_NUMBERS = (1, 8, 56, 57, 60, 77, 78, 79, 150, 224, 242)


@pytest.fixture
def values() -> np.ndarray:
  stored = np.arange(1, 4 * 5 * len(_NUMBERS) + 1).reshape(4, 5, len(_NUMBERS)).astype(np.int16)
  stored[..., [0, 4, 10]] = 0
  stored[0, 0] = 0
  stored[1, 1, 8] = 0
  return stored


@pytest.fixture
def product(tmp_path, values):
  folder = tmp_path / "scene"
  folder.mkdir()
  band_products.save_hyperion(folder, values, _NUMBERS)
  return folder


def test_radiance_place_and_date(product, values):
  image = Image.open(product)
  read, missing = image.read(*_EVERYTHING)
  kept = [1, 2, 3, 7, 8, 9]
  np.testing.assert_allclose(read, values[..., kept] / np.array([40, 40, 40, 80, 80, 80]), rtol=1e-6)
  expected = np.zeros((4, 5), bool)
  expected[0, 0] = True
  np.testing.assert_array_equal(missing, expected)
  np.testing.assert_allclose(image.wavelengths, [426.82, 915.23, 925.4, 932.63, 1648.93, 2395.49], atol=0.02)
  assert image.widths is None
  assert image.acquired == "2012-07-22"
  assert image.georeference.transform == tuple(formats.TRANSFORM)[:6]
  remarks = " ".join(image.remarks)
  assert "Hyperion L1T" in remarks
  assert "radiance in W m-2 sr-1 um-1, not reflectance" in remarks
  assert "190 calibrated bands have no file" in remarks


@pytest.mark.parametrize(("overlap", "count"), [("vnir", 6), ("swir", 6), ("all", 8)])
def test_overlap_of_the_detectors(product, overlap, count):
  image = Image.open(product, product=ProductOptions(overlap=overlap))
  assert image.bands == count
  assert (np.diff(image.wavelengths) > 0).all()
  swir = np.isclose(image.wavelengths, 912.45, atol=0.1).any()
  assert swir == (overlap != "vnir")


@pytest.mark.parametrize("named", ["zip", "gztar", "mtl", "band"])
def test_any_name_of_it(product, tmp_path, named):
  expected = Image.open(product).read(*_EVERYTHING)[0]
  if named == "mtl":
    path = product / f"{band_products.HYPERION}_MTL_L1T.TXT"
  elif named == "band":
    path = product / f"{band_products.HYPERION}_B150_L1T.TIF"
  else:
    path = shutil.make_archive(str(tmp_path / "order"), named, tmp_path, "scene")
  image = Image.open(tmp_path / path)
  np.testing.assert_array_equal(image.read(*_EVERYTHING)[0], expected)
  np.testing.assert_array_equal(image.read(slice(1, 3), slice(2, 4))[0], expected[1:3, 2:4])


def test_windows_equal_the_whole(product):
  image = Image.open(product)
  whole, missing = image.read(*_EVERYTHING)
  part, part_missing = image.read(slice(0, 2), slice(0, 3))
  np.testing.assert_array_equal(part, whole[:2, :3])
  np.testing.assert_array_equal(part_missing, missing[:2, :3])


def test_the_date_of_the_name_is_used_without_one_in_the_metadata(tmp_path, values):
  mtl = "SCALING_FACTOR_VNIR = 40\nSCALING_FACTOR_SWIR = 80\n"
  assert Image.open(band_products.save_hyperion(tmp_path, values, _NUMBERS, mtl=mtl)).acquired == "2012-07-22"


def test_incomplete_products_are_refused(product, values, tmp_path):
  mtl = product / f"{band_products.HYPERION}_MTL_L1T.TXT"
  text = mtl.read_text()
  mtl.write_text(text.replace("80.000000", "none"))
  with pytest.raises(RequestError, match="SCALING_FACTOR_SWIR is 'none'"):
    Image.open(product)
  mtl.unlink()
  with pytest.raises(RequestError, match=r"there is no file EO1H.*_MTL_L1T\.TXT in"):
    Image.open(product)
  mtl.write_text(text)
  formats.save_raster(product / f"{band_products.HYPERION}_B079_L1T.TIF", np.ones((2, 2), np.int16))
  with pytest.raises(RequestError, match="must have one grid"):
    Image.open(product)
  band_products.save_hyperion(product, values, _NUMBERS, scene="EO1H0410332013204110KZ")
  with pytest.raises(RequestError, match="contains 2 Hyperion scenes"):
    Image.open(product)
  assert Image.open(product / "EO1H0410332013204110KZ_MTL_L1T.TXT").bands == 6


def test_metadata_without_bands_are_refused(tmp_path, values):
  path = band_products.save_hyperion(tmp_path, values, ())
  with pytest.raises(RequestError, match="there is no EO1H"):
    Image.open(path)

"""PRISMA L2D and L2C."""

import json
import zipfile

import h5py
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import product_files

_ALL = slice(None), slice(None)
_NAME = "PRS_L2D_STD_20240402102837_20240402102842_0001.he5"


def _reflectance(cubes, detector, index):
  lowest, highest = np.float32(product_files.PRISMA_SCALE[detector]).astype(float)
  return lowest + cubes[detector][:, index].astype(float) * (highest - lowest) / 65535


@pytest.fixture
def saved(tmp_path):
  """The path of a product, and the stored values of its cubes."""
  return tmp_path / _NAME, product_files.save_prisma(tmp_path / _NAME)


def test_reflectance_in_ascending_order_of_wavelength(saved):
  path, cubes = saved
  image = Image.open(path)
  values, missing = image.read(*_ALL)
  assert image.wavelengths.tolist() == [450, 700, 950, 960, 980, 1500, 2400]
  assert image.widths.tolist() == [10, 10, 10, 11, 11, 11, 11]
  expected = [_reflectance(cubes, "Vnir", i) for i in (5, 4, 3)] + [
    _reflectance(cubes, "Swir", i) for i in (3, 2, 1, 0)
  ]
  np.testing.assert_allclose(values, np.stack(expected, axis=-1), rtol=1e-6)
  # All bands of this pixel are 0.
  np.testing.assert_array_equal(np.argwhere(missing), [[0, 0]])
  assert image.acquired == "2024-04-02"
  assert image.remarks == (
    "PRISMA L2D",
    "3 bands that were not acquired left out (wavelength 0)",
    "the detectors overlap from 960 to 970 nm; SWIR is used there, and 1 band of VNIR is left out "
    "(option overlap)",
  )


@pytest.mark.parametrize("window", [(slice(1, 3), slice(2, 4)), (slice(3, 99), slice(0, 1))])
def test_a_window_has_the_requested_pixels(saved, window):
  image = Image.open(saved[0], bad_bands="none")
  np.testing.assert_array_equal(image.read(*window)[0], image.read(*_ALL)[0][window])


@pytest.mark.parametrize(
  ("overlap", "centres"),
  [
    ("swir", [450, 700, 950, 960, 980, 1500, 2400]),
    ("vnir", [450, 700, 950, 970, 980, 1500, 2400]),
    ("all", [450, 700, 950, 960, 970, 980, 1500, 2400]),
  ],
)
def test_the_overlap_of_the_detectors_is_an_option(saved, overlap, centres):
  assert Image.open(saved[0], product=ProductOptions(overlap=overlap)).wavelengths.tolist() == centres


def test_the_corners_are_centres_of_pixels(saved):
  found = Image.open(saved[0]).georeference
  assert "UTM zone 33N" in found.crs
  assert found.transform == (30, 0, 500_000, 0, -30, 5_400_000)


def test_zero_in_a_single_band_is_measured(saved):
  with h5py.File(saved[0], "r+") as file:
    file["HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_Cube"][2, 4, 3] = 0
  values, missing = Image.open(saved[0]).read(*_ALL)
  assert values[2, 3, 1] == 0
  assert not missing[2, 3]


def test_bands_that_are_flagged_as_unused_are_left_out(saved):
  with h5py.File(saved[0], "r+") as file:
    file.attrs["List_Cw_Swir_Flags"] = np.array([1, 0, 1, 1, 0], np.uint8)
  image = Image.open(saved[0])
  assert image.wavelengths.tolist() == [450, 700, 950, 960, 980, 2400]
  assert "1 band flagged as unused left out" in image.remarks


def test_the_error_matrix_is_a_quality_layer(tmp_path):
  errors = {name: np.zeros((4, len(c), 5), np.uint8) for name, c in product_files.PRISMA_CENTRES.items()}
  errors["Vnir"][1, 5, 2], errors["Swir"][2, 0, 4], errors["Swir"][3, 0, 3] = 1, 3, 2
  # Of bands that are left out.
  errors["Vnir"][3, 0, 0] = errors["Vnir"][3, 2, 1] = 1
  product_files.save_prisma(tmp_path / _NAME, errors=errors)
  missing = Image.open(tmp_path / _NAME, quality="clear").read(*_ALL)[1]
  np.testing.assert_array_equal(np.argwhere(missing), [[0, 0], [1, 2], [2, 4]])


def test_l2c_is_not_georeferenced(tmp_path):
  path = tmp_path / "PRS_L2C_STD_20240402102837_20240402102842_0001.he5"
  cubes = product_files.save_prisma(path, level="L2C")
  image = Image.open(path)
  assert image.georeference is None
  assert image.remarks[0] == "PRISMA L2C"
  assert "not georeferenced" in image.remarks[-1]
  np.testing.assert_allclose(image.read(*_ALL)[0][..., 0], _reflectance(cubes, "Vnir", 5), rtol=1e-6)


@pytest.mark.parametrize("place", ["folder", "zip", "another name"])
def test_a_product_is_found_in_its_folder_and_in_a_zip(saved, tmp_path, place):
  expected = Image.open(saved[0]).read(*_ALL)[0]
  path = {"folder": tmp_path, "zip": tmp_path / "PRS.zip", "another name": tmp_path / "a.h5"}[place]
  if place == "zip":
    with zipfile.ZipFile(path, "w") as archive:
      archive.write(saved[0], _NAME)
  elif place == "another name":
    saved[0].rename(path)
  np.testing.assert_array_equal(Image.open(path).read(*_ALL)[0], expected)


def test_a_folder_with_two_products_is_rejected(saved, tmp_path):
  product_files.save_prisma(tmp_path / "PRS_L2C_STD_2.he5", level="L2C")
  with pytest.raises(RequestError, match=r"contains 2 products \(PRS_L2C_STD_2.he5, PRS_L2D_.*; name one"):
    Image.open(tmp_path)


def test_radiance_is_rejected(tmp_path):
  product_files.save_prisma(tmp_path / "PRS_L1_STD_1.he5", level="L1")
  with pytest.raises(RequestError, match="is PRISMA L1, which is radiance; get the product L2D or L2C"):
    Image.open(tmp_path / "PRS_L1_STD_1.he5")


def test_options_of_other_products_are_rejected(saved):
  with pytest.raises(RequestError, match="is a product of PRISMA L2D; remove the option geometry"):
    Image.open(saved[0], product=ProductOptions(geometry="sensor"))


@pytest.mark.parametrize(
  ("attribute", "value", "message"),
  [
    ("List_Cw_Vnir", [450.0], "List_Cw_Vnir, .* must have 6 values each"),
    ("List_Fwhm_Swir", "ten", "List_Fwhm_Swir"),
    ("L2ScaleVnirMax", "much", "has no valid attribute L2ScaleVnirMax"),
    ("Epsg_Code", 1, "the coordinate reference system EPSG:1 is unknown"),
    ("Product_ULcorner_easting", np.nan, "has no valid attribute Product_ULcorner_easting"),
  ],
)
def test_damaged_metadata_are_rejected(saved, attribute, value, message):
  with h5py.File(saved[0], "r+") as file:
    del file.attrs[attribute]
    file.attrs[attribute] = value
  with pytest.raises(RequestError, match=message):
    Image.open(saved[0])


def test_a_truncated_file_is_rejected(saved):
  content = saved[0].read_bytes()
  saved[0].write_bytes(content[: len(content) // 2])
  with pytest.raises(RequestError, match=r"cannot be read as HDF5 .* truncated"):
    Image.open(saved[0])


def test_the_bands_of_a_real_product(tmp_path, real_data):
  found = real_data / "products" / "PRS_L2D_STD_20240402102837_20240402102842_0001_he5.json"
  if not found.exists():
    pytest.skip(f"no description of a product: {found}")
  bands = [
    b
    for b in json.loads(found.read_text())["expectedContent"]["bands"]
    if "HCO" in b["name"] and "Rrs" in b["name"]
  ]
  centres = {}
  for name, count in (("Vnir", 66), ("Swir", 173)):
    centres[name] = np.zeros(count)
    for band in bands:
      if name in band["name"]:
        centres[name][int(band["name"].rpartition("_")[2]) - 1] = float(band["spectralWavelength"])
  product_files.save_prisma(tmp_path / _NAME, shape=(2, 2), centres=centres)
  image = Image.open(tmp_path / _NAME, product=ProductOptions(overlap="all"))
  assert image.bands == 63 + 171
  assert "5 bands that were not acquired left out (wavelength 0)" in image.remarks
  np.testing.assert_allclose(
    image.wavelengths, sorted(float(band["spectralWavelength"]) for band in bands), rtol=1e-6
  )
  assert image.wavelengths[[0, -1]] == pytest.approx([406.9934, 2497.1155], abs=1e-3)
  image = Image.open(tmp_path / _NAME)
  assert (image.bands, "4 bands of VNIR are left out" in image.remarks[-1]) == (230, True)

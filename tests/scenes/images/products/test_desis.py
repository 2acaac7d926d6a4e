"""DESIS L2A: small products."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import formats
from tests.scenes import xml_products as products

_ALL = slice(None), slice(None)
_LABELS = np.random.default_rng(1).integers(0, 3, (9, 12))
_VALUES = products.reflectance(_LABELS, len(products.DESIS_CENTRES))


def check(image: Image):
  values, missing = image.read(*_ALL)
  np.testing.assert_allclose(values, _VALUES * 1e-4, rtol=1e-6)
  assert not missing.any()
  np.testing.assert_array_equal(image.wavelengths, products.DESIS_CENTRES)
  np.testing.assert_array_equal(image.widths, np.full(10, 3.5))
  assert (image.acquired, image.remarks) == ("2020-08-22", ("DESIS L2A",))
  assert image.georeference.transform == tuple(formats.TRANSFORM)[:6]


def test_a_folder_its_main_files_and_a_zip_are_the_product(tmp_path):
  folder = products.save_desis(tmp_path, _VALUES)
  for ending in ("METADATA.xml", "SPECTRAL_IMAGE.tif", "SPECTRAL_IMAGE.hdr"):
    check(Image.open(next(folder.glob(f"*-{ending}"))))
  check(Image.open(folder))
  check(Image.open(products.zipped(folder)))


def test_metadata_without_the_name_of_the_product_are_known_by_their_content(tmp_path):
  folder = products.save_desis(tmp_path, _VALUES)
  for path in folder.iterdir():
    path.rename(path.with_name(path.name.removeprefix(f"{products.DESIS}-")))
  check(Image.open(folder.rename(tmp_path / "download")))


def test_an_empty_band_is_left_out(tmp_path):
  values = _VALUES.copy()
  values[..., 9], values[1, 2, 4] = products.NODATA, products.NODATA
  image = Image.open(products.save_desis(tmp_path, values))
  assert image.dropped.tolist() == [9]
  assert np.argwhere(image.read(*_ALL)[1]).tolist() == [[1, 2]]


@pytest.mark.parametrize("band", range(10))
def test_shadow_snow_haze_and_cloud_are_unclear(tmp_path, band):
  flags = np.zeros(_LABELS.shape)
  flags[3, 4] = 1
  folder = products.save_desis(tmp_path, _VALUES, flags={band: flags})
  missing = Image.open(folder, quality="clear").read(*_ALL)[1]
  # The others are land, water, aerosol and water vapour.
  assert np.argwhere(missing).tolist() == ([] if band in (1, 7, 8, 9) else [[3, 4]])


def test_missing_layers_and_options_of_other_products_are_refused(tmp_path):
  folder = products.save_desis(tmp_path, _VALUES)
  next(folder.glob("*-QL_QUALITY-2.tif")).unlink()
  with pytest.raises(RequestError, match=r"no file \*-QL_QUALITY-2.TIF in"):
    Image.open(folder, quality="clear")
  with pytest.raises(RequestError, match="DESIS L2A; remove the option overlap"):
    Image.open(folder, product=ProductOptions(overlap="vnir"))


def test_an_image_without_any_measurement_is_refused(tmp_path):
  folder = products.save_desis(tmp_path, np.full_like(_VALUES, products.NODATA))
  with pytest.raises(RequestError, match="no band has a measurement"):
    Image.open(folder)

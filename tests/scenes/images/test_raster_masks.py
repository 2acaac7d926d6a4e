"""Alpha bands, and masks within or beside a raster."""

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.uint16).reshape(3, 4, 5)
_ALL = slice(None), slice(None)


@pytest.fixture
def visible() -> np.ndarray:
  """False where there is no measurement."""
  mask = np.ones((3, 4), bool)
  mask[0] = mask[2, 3] = False
  return mask


def _with_alpha(path, visible, **tags):
  values = np.dstack([_CUBE, np.where(visible, 65_535, 0).astype(np.uint16)])
  formats.save_raster(path, values)
  with rasterio.open(path, "r+") as raster:
    raster.colorinterp = [*[ColorInterp.gray] * 5, ColorInterp.alpha]
    raster.update_tags(6, **tags)
  return path


def test_an_alpha_band_is_no_band_and_its_transparent_pixels_are_nodata(tmp_path, visible):
  image = Image.open(_with_alpha(tmp_path / "a.tif", visible))
  values, missing = image.read(*_ALL)
  np.testing.assert_array_equal(values, _CUBE)
  np.testing.assert_array_equal(missing, ~visible)
  assert "band 5 (from 0) is marked as alpha" in image.remarks[0]
  np.testing.assert_array_equal(image.read(slice(1, 3), slice(2, 4))[1], ~visible[1:, 2:])


def test_a_band_with_a_wavelength_is_no_alpha_band(tmp_path, visible):
  image = Image.open(_with_alpha(tmp_path / "a.tif", visible, wavelength="800"))
  assert (image.bands, image.read(*_ALL)[1]) == (6, None)


def test_wavelengths_and_bad_bands_do_not_count_an_alpha_band(tmp_path, visible):
  path = _with_alpha(tmp_path / "a.tif", visible)
  with rasterio.open(path, "r+") as raster:
    raster.update_tags(wavelength="400, 500, 600, 700, 800, 0")
    raster.update_tags(2, bbl="0")
  image = Image.open(path)
  assert image.wavelengths.tolist() == [400, 600, 700, 800]
  assert image.dropped.tolist() == [1]


@pytest.mark.parametrize("inside", ["YES", "NO"])
def test_masked_pixels_are_nodata(tmp_path, visible, inside):
  path = formats.save_raster(tmp_path / "a.tif", _CUBE)
  with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "r+") as raster:
    raster.write_mask(visible)
  assert (tmp_path / "a.tif.msk").exists() == (inside == "NO")
  values, missing = Image.open(path).read(*_ALL)
  np.testing.assert_array_equal(values, _CUBE)
  np.testing.assert_array_equal(missing, ~visible)


def test_a_mask_adds_to_the_nodata_value(tmp_path, visible):
  path = formats.save_raster(tmp_path / "a.tif", _CUBE, nodata=_CUBE[1, 1, 0])
  with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "r+") as raster:
    raster.write_mask(visible)
  expected = ~visible
  expected[1, 1] = True
  np.testing.assert_array_equal(Image.open(path).read(*_ALL)[1], expected)


def test_a_mask_in_another_format_is_refused(tmp_path):
  path = formats.save_raster(tmp_path / "a.tif", _CUBE)
  (tmp_path / "a.tif.msk").write_text('<VRTDataset rasterXSize="4" rasterYSize="3"/>')
  with pytest.raises(RequestError, match="msk is not a mask in TIFF format"):
    Image.open(path)


def test_transparent_labels_are_unlabelled(tmp_path, visible):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE)
  ids = np.where(np.arange(4) % 2, 1, 2).astype(np.uint16) * np.ones((3, 1), np.uint16)
  labels = formats.save_raster(tmp_path / "a.tif", np.dstack([ids, visible.astype(np.uint16)]))
  with rasterio.open(labels, "r+") as raster:
    raster.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
  np.testing.assert_array_equal(formats.read(cube, labels).labels, np.where(visible, ids, 0))

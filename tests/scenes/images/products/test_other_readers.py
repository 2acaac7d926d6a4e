"""xarray opens the small products that tests write, and reads the same values."""

import numpy as np
import pytest
import rioxarray
import xarray

from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import band_products, product_files, xml_products

# affine, which rioxarray uses, warns of its own future.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
_ALL = slice(None), slice(None)
_CENTRES = [450.0, 650.0, 860.0, 2200.0]
_CUBE = np.random.default_rng(1).uniform(0, 0.6, (6, 5, 4)).astype(np.float32)
_STORED = np.random.default_rng(1).integers(1, 5000, (6, 5, 10)).astype(np.int16)


def _netcdf(path, group=None):
  # Files in HDF5 form name no dimensions.
  return xarray.open_dataset(path, engine="h5netcdf", group=group, phony_dims="sort", decode_cf=False).load()


def _emit(folder):
  name = "EMIT_L2A_RFL_001_20220903T163129_1_1.nc"
  path = product_files.save_emit(folder / name, _CUBE, _CENTRES)
  bands = _netcdf(path, "sensor_band_parameters")
  return path, _netcdf(path)["reflectance"].values, bands["wavelengths"].values


def _aviris(folder):
  name = "AV320231005t181518_000_L2A_OE_main_RFL_ORT.nc"
  path = product_files.save_aviris(folder / name, _CUBE, _CENTRES)
  of_group = _netcdf(path, "reflectance")
  return path, of_group["reflectance"].transpose(..., "wavelength").values, of_group["wavelength"].values


def _tanager(folder):
  path = product_files.save_tanager(folder / "20250101_ortho_sr_hdf5.h5", _CUBE, _CENTRES)
  data = _netcdf(path, "HDFEOS/GRIDS/HYP/Data Fields")["surface_reflectance"]
  return path, np.moveaxis(data.values, 0, -1), data.attrs["wavelengths"]


@pytest.mark.parametrize("product", [_emit, _aviris, _tanager])
def test_products_in_hdf5(tmp_path, product):
  path, values, centres = product(tmp_path)
  image = Image.open(path)
  np.testing.assert_array_equal(image.read(*_ALL)[0], values)
  np.testing.assert_allclose(image.wavelengths, centres)


def test_prisma(tmp_path):
  path = tmp_path / "PRS_L2D_STD_20240402102837_20240402102841_0001.he5"
  product_files.save_prisma(path, (6, 5))
  data, found = _netcdf(path, "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"), _netcdf(path).attrs
  centres, values = [], []
  for name in ("Vnir", "Swir"):
    lowest, highest = found[f"L2Scale{name}Min"], found[f"L2Scale{name}Max"]
    cube = np.moveaxis(data[f"{name.upper()}_Cube"].values, 1, -1)
    for band, centre in enumerate(found[f"List_Cw_{name}"]):
      if found[f"List_Cw_{name}_Flags"][band]:
        centres.append(centre)
        values.append(lowest + cube[..., band].astype(float) * (highest - lowest) / 65535)
  image = Image.open(path, product=ProductOptions(overlap="all"))
  np.testing.assert_allclose(image.wavelengths, np.sort(centres))
  read, missing = image.read(*_ALL)
  expected = np.stack(values, axis=-1)[..., np.argsort(centres)]
  np.testing.assert_allclose(read[~missing], expected[~missing], rtol=1e-6)
  assert missing.sum() == 1


def _raster(path):
  with rioxarray.open_rasterio(path) as found:
    return found.load()


def _check_place(image, found):
  assert image.georeference.transform == tuple(found.rio.transform())[:6]
  assert found.rio.crs.to_epsg() == 32633


def test_hyperion(tmp_path):
  numbers = (10, 20, 90, 150)
  image = Image.open(band_products.save_hyperion(tmp_path, _STORED[..., :4], numbers))
  for position, (number, scale) in enumerate(zip(numbers, (40, 40, 80, 80), strict=True)):
    band = _raster(tmp_path / f"{band_products.HYPERION}_B{number:03}_L1T.TIF")
    np.testing.assert_allclose(image.read(*_ALL)[0][..., position], band.values[0] / scale, rtol=1e-6)
  _check_place(image, band)


def test_an_item_of_wyvern(tmp_path):
  item = band_products.save_wyvern(tmp_path, _CUBE, _CENTRES)
  image, found = Image.open(item), _raster(item.with_suffix(".tiff"))
  np.testing.assert_array_equal(image.read(*_ALL)[0], np.moveaxis(found.values, 0, -1))
  _check_place(image, found)


@pytest.mark.parametrize(
  ("save", "bands", "options"),
  [
    (xml_products.save_enmap, len(xml_products.ENMAP_CENTRES), ProductOptions(overlap="all")),
    (xml_products.save_desis, len(xml_products.DESIS_CENTRES), ProductOptions()),
  ],
)
def test_products_of_dlr(tmp_path, save, bands, options):
  folder = save(tmp_path, np.resize(_STORED, (6, 5, bands)))
  image, found = Image.open(folder, product=options), _raster(*folder.glob("*-SPECTRAL_IMAGE.[tT][iI][fF]"))
  stored = np.moveaxis(found.values, 0, -1)
  kept = slice(None) if image.kept is None else image.kept
  np.testing.assert_allclose(image.read(*_ALL)[0], stored[..., kept] * 1e-4, rtol=1e-6)
  _check_place(image, found)

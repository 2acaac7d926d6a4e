"""AVIRIS L2A reflectance in netCDF, and in ENVI form."""

import h5py
import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from tests.scenes import product_files

_ALL = slice(None), slice(None)
_NAME = "AV320231005t181518_000_L2A_OE_main_RFL_ORT.nc"
_CENTRES = [400.0, 650.0, 860.0, 1380.0, 2200.0]
_CUBE = np.random.default_rng(1).uniform(0, 0.6, (6, 4, 5)).astype(np.float32)


def _save(folder, cube=_CUBE, name=_NAME, **options):
  return product_files.save_aviris(folder / name, cube, _CENTRES, **options)


def test_reflectance_and_position(tmp_path):
  cube = _CUBE.copy()
  cube[0, 1] = -9999
  image = Image.open(_save(tmp_path, cube))
  values, missing = image.read(*_ALL)
  np.testing.assert_array_equal(values, cube)
  assert np.argwhere(missing).tolist() == [[0, 1]]
  assert image.wavelengths.tolist() == _CENTRES
  assert set(image.widths) == {7.5}
  assert (image.acquired, image.remarks) == ("2023-10-05", ("AVIRIS-3 L2A reflectance",))
  assert image.georeference.transform == (4, 0, 500_000, 0, -4, 5_400_000)
  assert "UTM zone 33N" in image.georeference.crs
  window = slice(1, 3), slice(2, 4)
  np.testing.assert_array_equal(image.read(*window)[0], cube[window])


def test_bands_in_descending_order_are_sorted(tmp_path):
  path = product_files.save_aviris(tmp_path / _NAME, _CUBE, _CENTRES[::-1])
  image = Image.open(path)
  assert image.wavelengths.tolist() == _CENTRES
  np.testing.assert_array_equal(image.read(*_ALL)[0], _CUBE[..., ::-1])
  # Bands are counted in this order.
  np.testing.assert_array_equal(Image.open(path, bad_bands="0,2").read(*_ALL)[0], _CUBE[..., [3, 1, 0]])


@pytest.mark.parametrize("value", [-9999, -0.01, np.nan])
def test_bands_without_a_measurement_are_left_out(tmp_path, value):
  cube = _CUBE.copy()
  cube[..., 3] = value
  image = Image.open(_save(tmp_path, cube))
  assert image.wavelengths.tolist() == [400, 650, 860, 2200]
  assert image.remarks[1] == "1 band without a measurement left out"
  assert not image.read(*_ALL)[1].any()


def test_a_constant_image_keeps_its_bands(tmp_path):
  assert Image.open(_save(tmp_path, np.zeros((6, 4, 5)))).bands == 5
  assert Image.open(_save(tmp_path, np.full((6, 4, 5), -9999))).bands == 5


@pytest.mark.parametrize(("transform", "mapping"), [("500000,4,0,5400000,0,-4", "projection"), (None, "crs")])
def test_other_forms_of_the_position(tmp_path, transform, mapping):
  found = Image.open(_save(tmp_path, transform=transform, mapping=mapping)).georeference
  assert found.transform == pytest.approx((4, 0, 500_000, 0, -4, 5_400_000))


def test_rows_from_south_to_north(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    file["northing"][...] = file["northing"][()][::-1]
  found = Image.open(path).georeference
  assert found.transform == (4, 0, 500_000, 0, 4, 5_400_000 - 24)


def test_a_rotated_grid(tmp_path):
  found = Image.open(_save(tmp_path, transform="500000 3 2 5400000 2 -3")).georeference
  assert found.transform == (3, 2, 500_000, 2, -3, 5_400_000)


def test_a_northing_that_no_northern_zone_has_is_southern(tmp_path):
  image = Image.open(_save(tmp_path, transform="500000 4 0 9700000 0 -4"))
  assert rasterio.CRS.from_wkt(image.georeference.crs).to_epsg() == 32733
  assert image.remarks[1].startswith("EPSG:32733 instead of the northern zone in the file")


def test_no_reference_system(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    for name in ("spatial_ref", "crs_wkt"):
      del file["transverse_mercator"].attrs[name]
  image = Image.open(path)
  assert image.georeference is None
  assert image.remarks[1] == "not georeferenced: the file names no coordinate reference system"


@pytest.mark.parametrize(
  ("name", "title"), [("ang20220224t210144", "AVIRIS-NG"), ("AV520250508t173511", "AVIRIS-5")]
)
def test_the_title_names_the_sensor(tmp_path, name, title):
  _save(tmp_path, name=f"{name}_000_L2A_RFL_ORT.nc")
  # By its folder.
  assert Image.open(tmp_path).remarks[0] == f"{title} L2A reflectance"


def test_there_are_no_quality_layers(tmp_path):
  with pytest.raises(RequestError, match="has no quality layers"):
    Image.open(_save(tmp_path), quality="clear")


def test_the_uncertainty_is_told(tmp_path):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    file.move("reflectance/reflectance", "uncertainty/uncertainty")
  with pytest.raises(RequestError, match=r"contains the uncertainty .* name the file \.\.\._RFL_ORT.nc"):
    Image.open(path)


@pytest.mark.parametrize("name", ["wavelength", "reflectance"])
def test_an_incomplete_file_is_rejected(tmp_path, name):
  path = _save(tmp_path)
  with h5py.File(path, "r+") as file:
    del file[f"reflectance/{name}"]
  with pytest.raises(RequestError):
    Image.open(path)


@pytest.mark.parametrize(
  ("name", "bands", "kept", "ends"),
  [
    ("ang20140912t192359_corr_v1c_img_2580-2590_540-550.hdr", 432, None, None),
    ("ang20170323t202244_rdn_7000-7010.hdr", 425, 425, (376.86, 2500.54)),
    ("emit20250324t221005_jpl_unmix_ex.hdr", 285, None, None),
  ],
)
def test_real_images_in_envi_form(real_data, name, bands, kept, ends):
  header = real_data / "native" / name
  if not header.exists():
    pytest.skip(f"no real image: {header}")
  fields = dict(
    line.split(" = ", 1) for line in header.read_text().splitlines() if " = " in line and line.endswith("}")
  )
  lists = {
    key.strip(): np.array([float(item) for item in fields[key].strip(" {}").split(",")])
    for key in fields
    if key.strip() in ("wavelength", "fwhm", "bbl")
  }
  good = lists.get("bbl", np.ones(bands)) != 0
  image = Image.open(header)
  assert image.bands == good.sum() == (kept or good.sum())
  np.testing.assert_allclose(image.wavelengths, lists["wavelength"][good], atol=1e-5)
  np.testing.assert_allclose(image.widths, lists["fwhm"][good], atol=1e-5)
  assert ends is None or image.wavelengths[[0, -1]] == pytest.approx(ends, abs=0.5)
  values, _ = image.read(*_ALL)
  assert values.shape == (10, 10, image.bands)

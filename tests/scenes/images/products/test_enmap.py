"""EnMAP L2A: small products, and the real files of ../shared where these are."""

import json
import re
import shutil
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import formats
from tests.scenes import xml_products as products

_ALL = slice(None), slice(None)
_LABELS = np.random.default_rng(1).integers(0, 3, (11, 13))
_VALUES = products.reflectance(_LABELS, len(products.ENMAP_CENTRES))
# Without the empty band and those of VNIR in the overlap.
_USED = np.flatnonzero(
  ~np.isin(products.ENMAP_CENTRES, [1343.2, *(centre for centre in products.VNIR if centre > 902)])
)


@pytest.fixture
def folder(tmp_path) -> Path:
  return products.save_enmap(tmp_path, _VALUES)


def check(image: Image, used=_USED):
  """Checks everything that follows from the metadata."""
  values, missing = image.read(*_ALL)
  np.testing.assert_allclose(values, _VALUES[..., used] * 1e-4, rtol=1e-6)
  assert (values.dtype, missing.any()) == (np.float32, False)
  np.testing.assert_array_equal(image.wavelengths, products.ENMAP_CENTRES[used])
  np.testing.assert_array_equal(image.widths, 7 + (used + 1) / 8)
  np.testing.assert_array_equal(image.kept, used)
  assert (image.acquired, image.remarks[0]) == ("2022-07-24", "EnMAP L2A")
  assert image.georeference.transform == tuple(formats.TRANSFORM)[:6]


def test_a_folder_its_metadata_and_its_image_are_the_product(folder):
  for path in (folder, *folder.glob("*-METADATA.XML"), *folder.glob("*-SPECTRAL_IMAGE.TIF")):
    check(Image.open(path))


def test_a_zip_is_the_product(folder):
  check(Image.open(products.zipped(folder)))


def test_an_order_of_dlr_is_the_product(folder, tmp_path):
  path = products.zipped(folder)
  with tarfile.open(tmp_path / "dims_op_oc_oc-en_700123456_1.tar.gz", "w:gz") as archive:
    archive.add(path, f"ENMAP.HSI.L2A/{products.ENMAP}/{path.name}")
    archive.add(__file__, "readme.html")
  check(Image.open(tmp_path / "dims_op_oc_oc-en_700123456_1.tar.gz"))


@pytest.mark.parametrize(
  "changes",
  [
    {"prefix": ""},
    {"metadata": "METADATA.xml"},
    {"suffix": "_COG.TIF"},
    {"suffix": ".tif", "metadata": "metadata.xml"},
    {"suffix": ".BSQ", "driver": "ENVI"},
    {"suffix": ".JP2", "driver": "JP2OpenJPEG", "quality": 100, "reversible": True},
    {"statistics": False},
    {"prefix": "renamed_"},
  ],
  ids=str,
)
def test_other_names_and_formats_of_the_files(tmp_path, changes):
  folder = products.save_enmap(tmp_path, _VALUES, **changes)
  check(Image.open(folder))
  for path in folder.iterdir():
    if re.search(r"metadata.xml|spectral_image[^.]*\.(tif|bsq|hdr|jp2)$", path.name, re.IGNORECASE):
      check(Image.open(path))
  check(Image.open(products.zipped(folder)))


def test_the_image_itself_comes_before_its_copy_for_clouds(folder):
  image = next(folder.glob("*-SPECTRAL_IMAGE.TIF"))
  other = image.with_name(image.name.replace(".TIF", "_COG.TIF"))
  other.write_bytes(b"damaged")
  check(Image.open(folder))
  check(Image.open(image))
  with pytest.raises(RequestError, match=r"_COG.TIF cannot be read as a raster"):
    Image.open(other)


@pytest.mark.parametrize(
  ("overlap", "left_out", "remark"),
  [
    (None, [903.6, 927.9, 993.0], "SWIR is used there, and 3 bands of VNIR are left out"),
    ("swir", [903.6, 927.9, 993.0], "SWIR is used there, and 3 bands of VNIR are left out"),
    ("vnir", [902.3, 931.5, 982.9], "VNIR is used there, and 3 bands of SWIR are left out"),
    ("all", [], "the bands of both are used"),
  ],
)
def test_bands_where_the_detectors_overlap(folder, overlap, left_out, remark):
  image = Image.open(folder, product=ProductOptions(overlap))
  check(image, np.flatnonzero(~np.isin(products.ENMAP_CENTRES, [1343.2, *left_out])))
  assert any(f"the detectors overlap from 902 to 993 nm; {remark}" in text for text in image.remarks)


def test_bad_bands_replace_the_empty_ones_but_not_the_choice_of_the_detector(folder):
  used = _USED[2:]
  check(Image.open(folder, bad_bands=f"0:2,{products.ENMAP_EMPTY}"), used)
  values, missing = Image.open(folder, bad_bands="none").read(*_ALL)
  assert values.shape[2] == len(_USED) + 1
  assert missing.all()
  with pytest.raises(RequestError, match="no band is left of 15; list fewer bad_bands"):
    Image.open(folder, bad_bands=",".join(map(str, _USED)) + f",{products.ENMAP_EMPTY}")


def test_an_empty_band_that_the_metadata_do_not_flag_is_found(tmp_path):
  values = _VALUES.copy()
  # A border without measurements, the middle included, is no reason to leave a band out.
  values[2:9, 2:11, 3] = products.NODATA
  folder = products.save_enmap(tmp_path, values, statistics=False, empty=(0, products.ENMAP_EMPTY))
  image = Image.open(folder)
  assert products.ENMAP_CENTRES[image.dropped].tolist()[::4] == [418.2, 1343.2]
  assert "2 bands without a measurement left out: from 418.2 to 1343.2 nm" in image.remarks
  np.testing.assert_array_equal(image.read(*_ALL)[1], values[..., 3] == products.NODATA)


@pytest.mark.parametrize("profile", [{}, {"tiled": True, "blockxsize": 16, "blockysize": 16}], ids=str)
def test_a_band_with_a_single_measurement_is_not_empty(tmp_path, profile):
  values = np.full((70, 50, len(products.ENMAP_CENTRES)), 1000, np.int16)
  values[..., 3] = products.NODATA
  values[69, 1, 3] = 1
  image = Image.open(products.save_enmap(tmp_path, values, statistics=False, **profile))
  assert 750.4 in image.wavelengths
  assert 1343.2 not in image.wavelengths
  assert np.argwhere(~image.read(*_ALL)[1]).tolist() == [[69, 1]]


def test_bands_in_the_order_of_the_detectors_are_sorted(tmp_path):
  centres = np.array([*products.VNIR, *products.SWIR])
  order = np.argsort(centres)
  values = np.empty_like(_VALUES)
  values[..., order] = _VALUES
  empty = int(np.flatnonzero(centres == 1343.2)[0])
  folder = products.save_enmap(tmp_path, values, centres=centres, empty=(empty,))
  image = Image.open(folder)
  np.testing.assert_allclose(image.read(*_ALL)[0], _VALUES[..., _USED] * 1e-4, rtol=1e-6)
  np.testing.assert_array_equal(image.wavelengths, products.ENMAP_CENTRES[_USED])
  assert any("in ascending order of wavelength" in text for text in image.remarks)
  with pytest.raises(RequestError, match=r"do not increase .* remove the option wavelengths"):
    Image.open(folder, wavelengths=next(folder.glob("*METADATA.XML")))


def test_the_options_of_the_image_alone_still_work(folder):
  image = next(folder.glob("*-SPECTRAL_IMAGE.TIF"))
  metadata = next(folder.glob("*-METADATA.XML"))
  check(Image.open(image, wavelengths=metadata, scale=0.0001))
  moved = shutil.move(image, folder.parent / "cube.tif")
  alone = Image.open(Path(moved), wavelengths=metadata, scale=0.0001, bad_bands=str(products.ENMAP_EMPTY))
  assert alone.bands == len(products.ENMAP_CENTRES) - 1
  assert not alone.read(*_ALL)[1].any()
  # Without metadata beside it, the image is a raster like any other.
  shutil.move(moved, image)
  metadata.unlink()
  assert (Image.open(image).wavelengths, Image.open(image).remarks) == (None, ())


def test_windows_and_single_missing_values(tmp_path):
  values = _VALUES.copy()
  values[4, 5, 1] = products.NODATA
  folder = products.save_enmap(tmp_path, values)
  part, missing = Image.open(folder).read(slice(3, 6), slice(4, 99))
  np.testing.assert_allclose(part[0], _VALUES[3, 4:, _USED].T * 1e-4, rtol=1e-6)
  assert np.argwhere(missing).tolist() == [[1, 1]]


@pytest.mark.parametrize("layer", ["CLOUD", "CIRRUS", "CLOUDSHADOW", "HAZE", "SNOW"])
def test_each_quality_layer_is_unclear(tmp_path, layer):
  flags = np.zeros(_LABELS.shape)
  flags[2, 3], flags[5, 6] = 1, 3
  folder = products.save_enmap(tmp_path, _VALUES, flags={layer: flags, "CLASSES": np.ones(_LABELS.shape)})
  missing = Image.open(folder, quality="clear").read(*_ALL)[1]
  assert np.argwhere(missing).tolist() == [[2, 3], [5, 6]]
  assert not Image.open(folder).read(*_ALL)[1].any()
  next(folder.glob(f"*_{layer}.TIF")).unlink()
  with pytest.raises(
    RequestError, match=rf"no file \*-QL_QUALITY_{layer}.TIF in .*download the product again"
  ):
    Image.open(folder, quality="clear")
  formats.save_raster(folder / f"{products.ENMAP}-QL_QUALITY_{layer}.TIF", flags[:4])
  with pytest.raises(RequestError, match="4 x 13 pixels and 1 bands; expected 11 x 13 pixels"):
    Image.open(folder, quality="clear")


@pytest.fixture
def real_products(real_data) -> Path:
  if not (real_data / "products").is_dir():
    pytest.skip(f"no real products in {real_data}")
  return real_data / "products"


def test_a_real_delivery_opens_with_the_wavelengths_of_its_metadata(tmp_path, real_products):
  """Its images are empty, so that small ones take their place."""
  shutil.unpack_archive(real_products / "enmap_L2A_gtif_qualification.zip", tmp_path)
  folder = next(tmp_path.iterdir())
  with pytest.raises(RequestError, match=r"SPECTRAL_IMAGE.TIF of .* is empty"):
    Image.open(folder)
  with pytest.raises(RequestError, match=r"SPECTRAL_IMAGE.TIF of .* is empty"):
    Image.open(real_products / "enmap_L2A_gtif_qualification.zip")
  values = np.random.default_rng(0).integers(1, 9000, (5, 4, 218), np.int16)
  formats.save_raster(next(folder.glob("*-SPECTRAL_IMAGE.TIF")), values)
  image = Image.open(folder, product=ProductOptions("all"))
  assert (image.bands, image.wavelengths[[0, -1]].tolist()) == (218, [423.03, 2438.6])
  assert (image.widths[0], image.acquired) == (6.93, "2017-06-26")
  np.testing.assert_allclose(image.read(*_ALL)[0], values * 1e-4, rtol=1e-6)
  # SWIR has bands 79, 81, 83, 85, 88, 90, 92 and 94 up to the last of VNIR, 96; VNIR has 10 from 80 on.
  vnir, swir = (Image.open(folder, product=ProductOptions(overlap)) for overlap in ("vnir", "swir"))
  assert (vnir.bands, swir.bands) == (88 + 122, 130 + 78)
  assert 904.78 not in vnir.wavelengths
  assert 903.36 in swir.wavelengths
  with pytest.raises(RequestError, match=r"QL_QUALITY_CLOUD.TIF of .* is empty"):
    Image.open(folder, quality="clear")


def test_bands_of_an_operational_product(tmp_path, real_products):
  """Wavelengths and widths of all bands, from the expectations of the Optical Toolbox."""
  content = json.loads((real_products / "ENMAP01-____L2A-DT0000001049.json").read_text())
  bands = [band for band in content["expectedContent"]["bands"] if band["name"].startswith("band_")]
  centres = [float(band["spectralWavelength"]) for band in bands]
  values = np.ones((1, 2, 224), np.int16)
  folder = products.save_enmap(tmp_path, values, centres=centres, empty=tuple(range(129, 135)))
  image = Image.open(folder)
  # Where the expectations of opaque bands are NaN.
  assert "6 bands without a measurement left out: from 1331.23 to 1390.85 nm" in image.remarks
  np.testing.assert_array_equal(image.wavelengths, np.delete(centres, range(129, 135)))


def test_real_pixels_are_those_of_the_enmap_box(tmp_path, real_data):
  """A tile that the EnMAP-Box imported, with the bands of VNIR first, written as a product again."""
  with rasterio.open(real_data / "enmap_potsdam_tiles" / "enmap_potsdam_tile_96_96.tif") as raster:
    stored, scale = raster.read(), raster.scales[0]
    centres = np.array([float(raster.tags(band)["wavelength"]) for band in raster.indexes])
    good = np.array([raster.tags(band)["bbl"] == "1" for band in raster.indexes])
  order = np.argsort(centres)
  folder = products.save_enmap(
    tmp_path, np.moveaxis(stored, 0, -1).astype(np.int16), centres=centres, empty=(), statistics=False
  )
  image = Image.open(folder)
  np.testing.assert_array_equal(image.dropped, np.flatnonzero(~good[order]))
  values, missing = image.read(*_ALL)
  expected = np.moveaxis(stored[order[good[order]]], 0, -1) * scale
  np.testing.assert_allclose(values, expected, rtol=1e-6)
  assert not missing.any()


def test_the_small_products_have_the_paths_of_real_metadata(folder):
  root = ElementTree.parse(next(folder.glob("*METADATA.XML"))).getroot()
  assert len(root.findall("specific/bandCharacterisation/bandID")) == len(products.ENMAP_CENTRES)
  # The same tag elsewhere is not a band.
  assert len(list(root.iter("bandID"))) == 2 * len(products.ENMAP_CENTRES) + 1

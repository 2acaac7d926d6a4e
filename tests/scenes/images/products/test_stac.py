"""STAC items: their assets on disk as one image."""

import json
import shutil

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from tests.scenes import band_products, formats

_EVERYTHING = slice(None), slice(None)
_CENTRES = (503.0, 600.5, 799.0)


@pytest.fixture
def values() -> np.ndarray:
  radiance = np.arange(1, 61, dtype=np.float32).reshape(4, 5, 3)
  radiance[0, 0] = -9999
  return radiance


@pytest.fixture
def item(tmp_path, values):
  clear = np.ones((4, 5))
  clear[1, 2], clear[0, 0] = 0, 255
  folder = tmp_path / "delivery" / "image"
  folder.mkdir(parents=True)
  return band_products.save_wyvern(folder, values, _CENTRES, clear)


def _edit(item, change):
  content = json.loads(item.read_text())
  change(content)
  item.write_text(json.dumps(content))


def test_an_item_of_wyvern(item, values):
  image = Image.open(item)
  read, missing = image.read(*_EVERYTHING)
  np.testing.assert_array_equal(read, values)
  np.testing.assert_array_equal(missing, values[..., 0] == -9999)
  assert (image.wavelengths.tolist(), image.widths.tolist()) == (list(_CENTRES), [20] * 3)
  assert image.acquired == "2025-05-08"
  assert image.georeference.transform == tuple(formats.TRANSFORM)[:6]
  assert image.remarks == ("STAC item", "the values are in W/m2/sr/um")
  clear = Image.open(item, quality="clear").read(*_EVERYTHING)[1]
  assert np.argwhere(clear).tolist() == [[0, 0], [1, 2]]


@pytest.mark.parametrize("named", ["folder", "zip", "image"])
def test_any_name_of_it(item, tmp_path, values, named):
  (item.parent.parent / "catalog.json").write_text('{"type": "Catalog", "stac_version": "1.0.0"}')
  (item.parent.parent / "other.json").write_text("[")
  path = {
    "folder": lambda: tmp_path / "delivery",
    "zip": lambda: tmp_path / shutil.make_archive("order", "zip", tmp_path / "delivery"),
    "image": lambda: item.with_suffix(".tiff"),
  }[named]()
  image = Image.open(path, quality="clear")
  np.testing.assert_array_equal(image.read(*_EVERYTHING)[0], values)
  assert image.acquired == "2025-05-08"
  if named == "zip":
    path.unlink()


def test_bands_in_files_of_their_own_in_the_form_of_1_1(tmp_path):
  values = np.arange(1, 41, dtype=np.uint16).reshape(4, 5, 2)
  (tmp_path / "bands").mkdir()
  assets = {}
  for index, centre in enumerate((0.8, 0.5)):
    formats.save_raster(tmp_path / "bands" / f"b {index}.tif", values[..., index])
    assets[f"b{index}"] = {
      "href": f"bands/b%20{index}.tif",
      "roles": ["reflectance"],
      "nodata": 7,
      "raster:scale": 0.1,
      "raster:offset": -0.5,
      "bands": [{"name": "x", "eo:center_wavelength": centre, "eo:full_width_half_max": 0.01 * (1 + index)}],
    }
  names = {3: "water", 8: "cloud_high", 9: "cirrus"}
  classes = [{"value": value, "name": name} for value, name in names.items()]
  assets["scl"] = {"href": "scl.tif", "roles": ["data-mask"], "classification:classes": classes}
  formats.save_raster(tmp_path / "scl.tif", np.arange(20, dtype=np.uint8).reshape(4, 5))
  path = tmp_path / "item.json"
  content = {"type": "Feature", "stac_version": "1.1.0", "assets": assets}
  content["properties"] = {"datetime": None, "start_datetime": "2024-02-03T00:00Z"}
  path.write_text(json.dumps(content))
  image = Image.open(path)
  read, missing = image.read(*_EVERYTHING)
  np.testing.assert_allclose(read, values[..., ::-1] * 0.1 - 0.5, rtol=1e-5)
  assert np.argwhere(missing).tolist() == [[0, 3]]
  assert (image.wavelengths.tolist(), image.widths.tolist()) == ([500, 800], [20, 10])
  assert image.acquired == "2024-02-03"
  clear = Image.open(path, quality="clear").read(*_EVERYTHING)[1]
  assert np.argwhere(clear).tolist() == [[0, 3], [1, 3], [1, 4]]


@pytest.mark.parametrize(
  "href",
  [
    f"https://example.org/data/{band_products.WYVERN}.tiff?token=1",
    f"s3://bucket/{band_products.WYVERN}.tiff",
    f"/elsewhere/{band_products.WYVERN}.tiff",
    f"../{band_products.WYVERN}.tiff",
  ],
)
def test_files_elsewhere_are_read_only_if_they_are_beside_the_item(item, values, href):
  _edit(item, lambda content: content["assets"]["Cloud optimized GeoTiff"].update(href=href))
  np.testing.assert_array_equal(Image.open(item).read(*_EVERYTHING)[0], values)
  item.with_suffix(".tiff").rename(item.parent.parent / f"{band_products.WYVERN}.tiff")
  with pytest.raises(RequestError, match=r"asset 'Cloud optimized GeoTiff' \('wyvern.*tiff'\) is not beside"):
    Image.open(item)


def test_assets_that_are_missing_are_told(item, values):
  def add(content):
    image = content["assets"]["Cloud optimized GeoTiff"]
    bands = [{"name": "SWIR", "center_wavelength": 1.6}]
    swir = {**image, "href": "other.tiff", "eo:bands": bands, "raster:bands": []}
    content["assets"] |= {"SWIR": swir, "copy": {**image, "href": "b.jp2"}}

  _edit(item, add)
  image = Image.open(item)
  assert image.bands == 3
  assert image.remarks[1] == "1 asset is not on disk and left out: 'SWIR'"


def test_a_missing_mask_is_named(item):
  (item.parent / f"{band_products.WYVERN}_data_mask.tiff").unlink()
  assert Image.open(item).bands == 3
  with pytest.raises(RequestError, match="file of the asset 'Data Mask'"):
    Image.open(item, quality="clear")
  _edit(item, lambda content: content["assets"].pop("Data Mask"))
  with pytest.raises(RequestError, match="no quality layers"):
    Image.open(item, quality="clear")


@pytest.mark.parametrize(
  ("change", "message"),
  [
    (lambda content: content.update(type="Collection"), "a list of items; name the JSON file of one"),
    (lambda content: content.pop("assets"), "without assets or properties"),
    (lambda content: content["assets"].pop("Cloud optimized GeoTiff"), "bands have a center_wavelength"),
    (
      lambda content: content["assets"]["Cloud optimized GeoTiff"]["raster:bands"][0].update(scale=0),
      "no finite number, or 0",
    ),
    (
      lambda content: content["assets"]["Cloud optimized GeoTiff"].update(
        href=f"{band_products.WYVERN}_data_mask.tiff"
      ),
      "has 2 bands; expected 3 or more",
    ),
  ],
)
def test_damaged_items_are_refused(item, change, message):
  _edit(item, change)
  with pytest.raises(RequestError, match=message):
    Image.open(item)


def test_a_raster_with_another_json_beside_it_is_a_raster(tmp_path, values):
  path = formats.save_raster(tmp_path / "a.tif", values)
  item = {"type": "Feature", "stac_version": "1.0.0", "properties": {}, "assets": {}}
  (tmp_path / "a.json").write_text(json.dumps(item))
  assert Image.open(path).remarks == ()

"""Label rasters, and the names and colours of their classes."""

import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_LABELS = np.array([[0, 1, 3, 0], [1, 1, 0, 3], [3, 0, 0, 1]], np.uint8)
_ENVI_CLASSES = """classes = 4
class lookup = {0,0,0, 255,0,0, 9,9,9, 0,128,0}
class names = {Unclassified, maize, lawn, <b>roof</b>}
"""


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def test_an_envi_classification_names_and_colours_its_classes(cube, tmp_path):
  labels = formats.save_envi(tmp_path / "gt.dat", _LABELS, header=_ENVI_CLASSES)
  labels.write_text(labels.read_text().replace("ENVI Standard", "ENVI Classification"))
  scene = formats.read(cube, labels)
  assert scene.class_names == {1: "maize", 3: "<b>roof</b>"}
  assert scene.class_colours == {1: (255, 0, 0), 3: (0, 128, 0)}


def test_names_of_an_envi_classification_may_have_an_equals_sign(cube, tmp_path):
  labels = formats.save_envi(tmp_path / "gt.dat", _LABELS, header=_ENVI_CLASSES.replace("lawn", "pH = 7"))
  labels.write_text(labels.read_text().replace("ENVI Standard", "ENVI Classification"))
  assert formats.read(cube, labels).class_names == {1: "maize", 3: "<b>roof</b>"}


def test_a_tiff_names_and_colours_its_classes(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  with rasterio.open(labels, "r+") as raster:
    raster.write_colormap(1, {1: (1, 2, 3, 255), 3: (4, 5, 6, 255)})
    raster.update_tags(1, CLASS_1="maize")
  scene = formats.read(cube, labels)
  assert scene.class_names == {1: "maize", 3: "class 3"}
  assert scene.class_colours == {1: (1, 2, 3), 3: (4, 5, 6)}


def test_black_padding_of_a_palette_is_ignored(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  with rasterio.open(labels, "r+") as raster:
    raster.write_colormap(1, {1: (1, 2, 3, 255)})
  assert formats.read(cube, labels).class_colours == {1: (1, 2, 3)}


def test_category_names_in_the_side_file_of_a_raster(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  names = "".join(f"<Category>{name}</Category>" for name in ("", "maize", "lawn", "roof &amp; wall"))
  side = tmp_path / "gt.tif.aux.xml"
  band = f'<PAMRasterBand band="1"><CategoryNames>{names}</CategoryNames></PAMRasterBand>'
  side.write_text(f"<PAMDataset>{band}</PAMDataset>")
  assert formats.read(cube, labels).class_names == {1: "maize", 3: "roof & wall"}


def test_the_nodata_value_of_a_label_raster_is_unlabelled(cube, tmp_path):
  labels = np.where(_LABELS == 0, 255, _LABELS).astype(np.uint8)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", labels, nodata=255))
  np.testing.assert_array_equal(scene.labels, _LABELS)


def test_a_raster_on_a_finer_grid_is_resampled(cube, tmp_path):
  fine = np.pad(np.kron(_LABELS, np.ones((3, 3), np.uint8)), ((3, 0), (6, 0)))
  transform = rasterio.Affine(10 / 3, 0, 500_000 - 20, 0, -10 / 3, 5_400_000 + 10)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", fine, transform=transform))
  np.testing.assert_array_equal(scene.labels, _LABELS)
  assert scene.remarks == (
    "labels resampled from 12 x 18 pixels to the grid of the scene by nearest neighbour",
  )


def test_a_shifted_raster_of_equal_size_is_resampled(cube, tmp_path):
  shifted = rasterio.Affine(10, 0, 500_010, 0, -10, 5_400_000)
  labels = np.array([[1, 3, 0, 1], [1, 0, 3, 1], [0, 0, 1, 3]], np.uint8)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", labels, transform=shifted))
  np.testing.assert_array_equal(scene.labels, np.pad(labels, ((0, 0), (1, 0)))[:, :4])


def test_a_raster_is_clipped_to_the_scene(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", np.pad(_LABELS, ((0, 2), (0, 3)), constant_values=1))
  np.testing.assert_array_equal(formats.read(cube, labels).labels, _LABELS)


@pytest.mark.parametrize(
  ("options", "message"),
  [
    (
      {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 900_000, 0, -10, 0)},
      "EPSG:32633, that of the scene is",
    ),
    ({"crs": "EPSG:32611"}, "reference system is EPSG:32611, that of the scene is EPSG:32633: do both cover"),
  ],
)
def test_a_raster_of_another_area_is_rejected(cube, tmp_path, options, message):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS, **options)
  with pytest.raises(RequestError, match=f"no labelled pixel within the scene; .* {message}"):
    formats.read(cube, labels)


def test_a_raster_without_georeference_must_have_the_size_of_the_scene(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS, crs=None)
  scene = formats.read(cube, labels)
  np.testing.assert_array_equal(scene.labels, _LABELS)
  taken = "no geotransform; labels are matched pixel by pixel"
  assert scene.remarks == (f"labels have {taken}",)
  plain = formats.save_raster(tmp_path / "plain.tif", _CUBE, crs=None)
  assert formats.read(plain, labels).remarks == ()
  placed = formats.save_raster(tmp_path / "placed.tif", _LABELS)
  assert formats.read(plain, placed).remarks == (f"the scene, unlike its labels, has {taken}",)
  labels = formats.save_raster(tmp_path / "small.tif", _LABELS[:, :3], crs=None)
  with pytest.raises(RequestError, match="is 3 x 3 and the cube is 3 x 4"):
    formats.read(cube, labels)


def test_rasters_without_labels_are_rejected(cube, tmp_path):
  with pytest.raises(RequestError, match="has 5 bands; expected a single band of class ids"):
    formats.read(cube, cube)
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS * np.float32(0.5))
  with pytest.raises(RequestError, match=r"contains 0.5; expected integer class ids"):
    formats.read(cube, labels)
  with pytest.raises(RequestError, match=r"has no columns; remove label_column \('crop'\)"):
    formats.read(cube, labels, label_column="crop")
  with pytest.raises(RequestError, match=r"has no layers or named arrays; remove labels_key \('gt'\)"):
    formats.read(cube, labels, labels_key="gt")


def _shifted(columns: int) -> rasterio.Affine:
  return formats.TRANSFORM @ rasterio.Affine.translation(columns, 0)


@pytest.mark.parametrize("system", [None, formats.CRS])
def test_labels_without_a_system_are_placed_by_their_transform(tmp_path, system):
  values = np.ones((3, 4, 5), np.uint8)
  cube = tmp_path / "cube.tif"
  formats.save_unplaced(cube, values, crs=system, transform=formats.TRANSFORM)
  labels = formats.save_unplaced(tmp_path / "gt.tif", _LABELS, transform=_shifted(1))
  scene = formats.read(cube, labels)
  np.testing.assert_array_equal(scene.labels[:, 1:], _LABELS[:, :3])
  assert not scene.labels[:, 0].any()
  assert any("resampled from 3 x 4 pixels" in remark for remark in scene.remarks)


def test_labels_without_a_system_elsewhere_are_refused(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", np.ones((3, 4, 5), np.uint8))
  labels = formats.save_unplaced(tmp_path / "gt.tif", _LABELS, transform=_shifted(10))
  with pytest.raises(RequestError, match="no labelled pixel within the scene"):
    formats.read(cube, labels)


def test_labels_as_jpeg_are_refused(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", np.ones((3, 4, 5), np.uint8))
  labels = formats.save_raster(tmp_path / "gt.jpg", _LABELS, "JPEG", crs=None)
  with pytest.raises(RequestError, match="JPEG, which changes class ids"):
    formats.read(cube, labels)

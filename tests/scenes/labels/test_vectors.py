"""Labels from polygons, lines and points."""

import numpy as np
import pytest
import rasterio
import shapely

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _box(left, top, right, bottom):
  """Returns a rectangle given in columns and rows."""
  return formats.in_crs(shapely.box(left, top, right, bottom))


def _point(column, row):
  return formats.in_crs(shapely.Point(column, row))


def test_polygons_lines_and_points_label_the_pixels_that_they_cover(cube, tmp_path):
  shapes = [
    # Contains the centres of two pixels and touches others.
    _box(0.4, 0.4, 1.6, 0.9),
    _point(3.99, 2.01),
    formats.in_crs(shapely.LineString([(0.5, 2.5), (2.5, 2.5)])),
  ]
  path = formats.save_features(
    tmp_path / "gt.gpkg", shapes, crop=["maize", "lawn", "maize"], height=[1, 2, 3]
  )
  scene = formats.read(cube, path, label_column="crop")
  np.testing.assert_array_equal(scene.labels, [[2, 2, 0, 0], [0, 0, 0, 0], [2, 2, 2, 1]])
  assert scene.class_names == {1: "lawn", 2: "maize"}


def test_pixels_with_two_classes_stay_unlabelled(cube, tmp_path):
  shapes = [_box(0, 0, 3, 1), _box(2, 0, 4, 3), _box(3, 1, 4, 2)]
  path = formats.save_features(tmp_path / "gt.geojson", shapes, **{"class": [7, 9, 9]}, to="EPSG:4326")
  scene = formats.read(cube, path)
  np.testing.assert_array_equal(scene.labels, [[7, 7, 0, 9], [0, 0, 9, 9], [0, 0, 9, 9]])
  assert scene.class_names == {7: "class 7", 9: "class 9"}
  assert scene.remarks == ("1 pixel covered by features of several classes left unlabelled",)


def test_features_are_clipped_and_those_outside_left_out(cube, tmp_path):
  shapes, classes = [_box(-2, 0, 2, 1), _box(3, 1, 9, 9)], ["maize", "lawn"]
  scene = formats.read(cube, formats.save_features(tmp_path / "a.gpkg", shapes, crop=classes))
  np.testing.assert_array_equal(scene.labels, [[2, 2, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]])
  assert scene.remarks == ("features clipped to the scene: 0 (maize), 1 (lawn)",)
  shapes, classes = [*shapes, _point(4.5, 1)], [*classes, "roof"]
  path = formats.save_features(tmp_path / "b.gpkg", shapes, crop=classes)
  with_outside = formats.read(cube, path)
  np.testing.assert_array_equal(with_outside.labels, scene.labels)
  assert with_outside.remarks[0] == "1 feature outside the scene left out: 2 (roof)"
  path = formats.save_features(tmp_path / "c.gpkg", [_point(4.5, 1), _point(9, 9)], crop=["a", "b"])
  message = r"all 2 features are outside the scene: 0 \(a\), 1 \(b\); they cover x 500045 to 500090, y "
  with pytest.raises(RequestError, match=message):
    formats.read(cube, path)


def test_features_without_a_pixel_centre_are_noted(cube, tmp_path):
  shapes = [_box(0, 0, 1, 1), _box(1.6, 1.6, 1.9, 1.9), _point(4, 1), _point(1, 2)]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, crop=["maize", "roof", "lawn", "lawn"])
  scene = formats.read(cube, path)
  assert np.argwhere(scene.labels).tolist() == [[0, 0], [2, 1]]
  assert scene.remarks == ("features that contain no pixel centre label nothing: 1 (roof), 2 (lawn)",)


def test_features_on_a_rotated_grid(tmp_path):
  turned = rasterio.Affine(6, -8, 500_000, 8, 6, 5_400_000)
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE, transform=turned)
  corners = [(0, 0), (2, 0), (2, 1), (0, 1)]
  polygon = shapely.Polygon([(6 * c - 8 * r + 500_000, 8 * c + 6 * r + 5_400_000) for c, r in corners])
  point = shapely.Point(6 * 3.5 - 8 * 2.5 + 500_000, 8 * 3.5 + 6 * 2.5 + 5_400_000)
  path = formats.save_features(tmp_path / "a.gpkg", [polygon, point], crop=["a", "b"], to="EPSG:4326")
  np.testing.assert_array_equal(formats.read(cube, path).labels, [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]])


def test_self_intersecting_and_three_dimensional_polygons(cube, tmp_path):
  bow_tie = formats.in_crs(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
  triangles = [[(c + 0.2, r + 0.2), (c + 0.8, r + 0.2), (c + 0.5, r + 0.8)] for c, r in ((3, 0), (0, 2))]
  parts = formats.in_crs(shapely.MultiPolygon([shapely.Polygon(triangle) for triangle in triangles]))
  path = formats.save_features(tmp_path / "a.gpkg", [bow_tie, shapely.force_3d(parts)], crop=[1.0, 2.0])
  scene = formats.read(cube, path)
  assert scene.labels[0, 3] == scene.labels[2, 0] == 2
  assert scene.class_ids.tolist() == [1, 2]
  assert (scene.labels[:2, :2] == 1).any()


def test_features_without_a_class_are_ignored(cube, tmp_path):
  shapes = [_box(0, 0, 1, 1), _box(1, 1, 2, 2), _box(2, 2, 3, 3)]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, crop=["maize", None, "lawn"])
  scene = formats.read(cube, path)
  assert (scene.labels > 0).sum() == 2
  assert scene.remarks == ("1 feature without a class left out",)


def _without_a_crs(folder):
  return formats.save_features(folder / "a.gpkg", [_box(0, 0, 1, 1)], crs=None, crop=["maize"])


def _several_columns(folder):
  return formats.save_features(folder / "a.gpkg", [_box(0, 0, 1, 1)], crop=["maize"], height=[3])


def _no_class_at_all(folder):
  return formats.save_features(folder / "a.gpkg", [_box(0, 0, 1, 1)], crop=np.array([None], object))


def _damaged(folder):
  (folder / "a.gpkg").write_bytes(b"SQLite format 3\0" + bytes(99))
  return folder / "a.gpkg"


@pytest.mark.parametrize(
  ("save", "options", "message"),
  [
    (_without_a_crs, {}, r"has no coordinate reference system; give it with .*labels_crs=<system>, or save"),
    (_several_columns, {}, r"cannot tell which column has the classes \(columns: crop, height\); name it"),
    (_several_columns, {"label_column": "klass"}, r"has no column 'klass' \(columns: crop, height\)"),
    (_several_columns, {"labels_key": "b"}, r"has no layer 'b' \(layers: a\); select one with labels_key"),
    (_no_class_at_all, {}, "a.gpkg: column 'crop': no feature has a class"),
    (_damaged, {}, "a.gpkg cannot be read as features"),
    (lambda folder: folder / "b.shp", {}, "no such file: .*b.shp"),
  ],
)
def test_invalid_features_are_rejected(cube, tmp_path, save, options, message):
  with pytest.raises(RequestError, match=message) as error:
    formats.read(cube, save(tmp_path), **options)
  assert "\n" not in str(error.value)


def test_features_need_a_georeferenced_scene(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE, crs=None)
  with pytest.raises(RequestError, match="the scene has no geotransform"):
    formats.read(cube, _several_columns(tmp_path), label_column="crop")


def test_every_feature_is_a_unit(cube, tmp_path):
  parts = formats.in_crs(shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 0, 4, 1)]))
  # Feature 3 covers a pixel of feature 2, which has the same class, and one of feature 1, which has another.
  shapes = [parts, _box(0, 1, 3, 2), _box(2, 1, 4, 2), _point(3.5, 0.5), _point(0.5, 2.5)]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, crop=["maize", "lawn", "lawn", "lawn", "maize"])
  scene = formats.read(cube, path)
  np.testing.assert_array_equal(scene.labels, [[2, 0, 0, 0], [1, 1, 1, 1], [2, 0, 0, 0]])
  np.testing.assert_array_equal(scene.units, [[1, 0, 0, 0], [2, 2, 3, 3], [5, 0, 0, 0]])
  assert scene.units.dtype == np.int32


def test_features_without_a_class_are_no_units(cube, tmp_path):
  shapes = [_box(0, 0, 1, 1), _box(1, 0, 2, 1), _box(2, 0, 3, 1)]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, crop=[0, 2, 5])
  np.testing.assert_array_equal(formats.read(cube, path).units[0], [1, 2, 3, 0])
  np.testing.assert_array_equal(formats.read(cube, path, labels_nodata=(0,)).units[0], [0, 2, 3, 0])

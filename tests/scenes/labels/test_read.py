"""Labels from rasters, features and tables, and the names and colours of their classes."""

import numpy as np
import pytest
import rasterio
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels import class_table
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


def _box(left, top, right, bottom):
  """A polygon in columns and rows."""
  return formats.in_crs(shapely.box(left, top, right, bottom))


def _point(column, row):
  return formats.in_crs(shapely.Point(column, row))


def _csv(path, *lines):
  path.write_text("\n".join(lines))
  return path


# Rasters


def test_an_envi_classification_names_and_colours_its_classes(cube, tmp_path):
  labels = formats.save_envi(tmp_path / "gt.dat", _LABELS, header=_ENVI_CLASSES)
  labels.write_text(labels.read_text().replace("ENVI Standard", "ENVI Classification"))
  scene = formats.read(cube, labels)
  assert scene.class_names == {1: "maize", 3: "<b>roof</b>"}
  assert scene.class_colours == {1: (255, 0, 0), 3: (0, 128, 0)}


def test_a_tiff_names_and_colours_its_classes(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  with rasterio.open(labels, "r+") as raster:
    raster.write_colormap(1, {1: (1, 2, 3, 255), 3: (4, 5, 6, 255)})
    raster.update_tags(1, CLASS_1="maize")
  scene = formats.read(cube, labels)
  assert scene.class_names == {1: "maize", 3: "class 3"}
  assert scene.class_colours == {1: (1, 2, 3), 3: (4, 5, 6)}


def test_black_that_fills_a_palette_up_is_no_colour(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  with rasterio.open(labels, "r+") as raster:
    raster.write_colormap(1, {1: (1, 2, 3, 255)})
  assert formats.read(cube, labels).class_colours == {1: (1, 2, 3)}


def test_category_names_lie_beside_a_raster(cube, tmp_path):
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


def test_a_raster_on_a_finer_grid_is_brought_onto_the_scenes(cube, tmp_path):
  fine = np.pad(np.kron(_LABELS, np.ones((3, 3), np.uint8)), ((3, 0), (6, 0)))
  transform = rasterio.Affine(10 / 3, 0, 500_000 - 20, 0, -10 / 3, 5_400_000 + 10)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", fine, transform=transform))
  np.testing.assert_array_equal(scene.labels, _LABELS)
  assert scene.remarks == ("labels brought onto the scene's grid by nearest neighbour from 12 x 18 pixels",)


def test_a_raster_of_equal_size_at_another_place_is_not_taken_as_it_is(cube, tmp_path):
  shifted = rasterio.Affine(10, 0, 500_010, 0, -10, 5_400_000)
  labels = np.array([[1, 3, 0, 1], [1, 0, 3, 1], [0, 0, 1, 3]], np.uint8)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", labels, transform=shifted))
  np.testing.assert_array_equal(scene.labels, np.pad(labels, ((0, 0), (1, 0)))[:, :4])


def test_a_raster_that_reaches_beyond_the_scene_is_cut_to_it(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", np.pad(_LABELS, ((0, 2), (0, 3)), constant_values=1))
  np.testing.assert_array_equal(formats.read(cube, labels).labels, _LABELS)


@pytest.mark.parametrize(
  ("options", "message"),
  [
    (
      {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 900_000, 0, -10, 0)},
      "EPSG:32633, the scene's",
    ),
    ({"crs": "EPSG:32611"}, "reference system is EPSG:32611, the scene's EPSG:32633: are they of the same"),
  ],
)
def test_a_raster_of_another_place_is_refused(cube, tmp_path, options, message):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS, **options)
  with pytest.raises(RequestError, match=f"no labelled pixel within the scene; .* {message}"):
    formats.read(cube, labels)


def test_a_raster_without_a_place_must_have_the_scenes_size(cube, tmp_path):
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS, crs=None)
  scene = formats.read(cube, labels)
  np.testing.assert_array_equal(scene.labels, _LABELS)
  taken = "no coordinate reference system; labels are taken pixel by pixel"
  assert scene.remarks == (f"labels have {taken}",)
  plain = formats.save_raster(tmp_path / "plain.tif", _CUBE, crs=None)
  assert formats.read(plain, labels).remarks == ()
  placed = formats.save_raster(tmp_path / "placed.tif", _LABELS)
  assert formats.read(plain, placed).remarks == (f"the scene, unlike its labels, has {taken}",)
  labels = formats.save_raster(tmp_path / "small.tif", _LABELS[:, :3], crs=None)
  with pytest.raises(RequestError, match="is 3 x 3 and the cube is 3 x 4"):
    formats.read(cube, labels)


def test_rasters_that_are_no_labels_are_refused(cube, tmp_path):
  with pytest.raises(RequestError, match="has 5 bands; expected one of class ids"):
    formats.read(cube, cube)
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS * np.float32(0.5))
  with pytest.raises(RequestError, match=r"holds 0.5, expected whole class ids"):
    formats.read(cube, labels)
  with pytest.raises(RequestError, match=r"has no columns; leave label_column \('crop'\) out"):
    formats.read(cube, labels, label_column="crop")
  with pytest.raises(RequestError, match=r"has no layers or named arrays; leave labels_key \('gt'\) out"):
    formats.read(cube, labels, labels_key="gt")


def test_labels_without_a_measurement_are_dropped(tmp_path):
  holes = _CUBE.copy()
  holes[1, 1] = holes[2, 1] = -1
  cube = formats.save_raster(tmp_path / "cube.tif", holes, nodata=-1)
  scene = formats.read(cube, formats.save_raster(tmp_path / "gt.tif", _LABELS))
  assert scene.labels[1, 1] == 0
  assert scene.remarks == ("1 labels dropped, of pixels that hold no measurement (nodata)",)
  assert np.argwhere(scene.nodata).tolist() == [[1, 1], [2, 1]]


def test_a_scene_without_any_measurement_is_refused(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", np.full_like(_CUBE, -1), nodata=-1)
  with pytest.raises(RequestError, match="holds no measurement at all: every pixel is nodata"):
    formats.read(cube, formats.save_raster(tmp_path / "gt.tif", _LABELS))


def test_bands_without_any_measurement_are_named(tmp_path):
  values = _CUBE.copy()
  values[..., [1, 3]] = -1
  cube = formats.save_raster(tmp_path / "cube.tif", values, nodata=-1)
  labels = formats.save_raster(tmp_path / "gt.tif", _LABELS)
  message = r"bands 1,3 \(from 0\) hold one value throughout; give bad_bands=1,3$"
  with pytest.raises(RequestError, match=message):
    formats.read(cube, labels)
  with pytest.raises(RequestError, match=r"bands 3 .*; give bad_bands=1,3$"):
    formats.read(cube, labels, bad_bands="1")
  assert formats.read(cube, labels, bad_bands="1,3").cube.shape[2] == _CUBE.shape[2] - 2


# Features


def test_polygons_lines_and_points_label_what_they_cover(cube, tmp_path):
  shapes = [
    # Holds the centres of two pixels and touches others.
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


def test_pixels_of_two_classes_stay_unlabelled_and_overlaps_of_one_do_not_matter(cube, tmp_path):
  shapes = [_box(0, 0, 3, 1), _box(2, 0, 4, 3), _box(3, 1, 4, 2)]
  path = formats.save_features(tmp_path / "gt.geojson", shapes, **{"class": [7, 9, 9]}, to="EPSG:4326")
  scene = formats.read(cube, path)
  np.testing.assert_array_equal(scene.labels, [[7, 7, 0, 9], [0, 0, 9, 9], [0, 0, 9, 9]])
  assert scene.class_names == {7: "class 7", 9: "class 9"}
  assert scene.remarks == ("1 pixels that features of several classes cover left unlabelled",)


def test_features_are_clipped_and_those_outside_refused_by_name(cube, tmp_path):
  shapes, classes = [_box(-2, 0, 2, 1), _box(3, 1, 9, 9)], ["maize", "lawn"]
  scene = formats.read(cube, formats.save_features(tmp_path / "a.gpkg", shapes, crop=classes))
  np.testing.assert_array_equal(scene.labels, [[2, 2, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]])
  assert scene.remarks == ("features that reach beyond the scene clipped: 0 (maize), 1 (lawn)",)
  shapes, classes = [*shapes, _point(4.5, 1)], [*classes, "roof"]
  path = formats.save_features(tmp_path / "b.gpkg", shapes, crop=classes)
  with pytest.raises(RequestError, match=r"wholly outside the scene, .*: 2 \(roof\); leave them out"):
    formats.read(cube, path)


def test_features_that_hold_no_centre_of_a_pixel_are_named(cube, tmp_path):
  shapes = [_box(0, 0, 1, 1), _box(1.6, 1.6, 1.9, 1.9), _point(4, 1), _point(1, 2)]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, crop=["maize", "roof", "lawn", "lawn"])
  scene = formats.read(cube, path)
  assert np.argwhere(scene.labels).tolist() == [[0, 0], [2, 1]]
  assert scene.remarks == ("features that hold no centre of a pixel label nothing: 1 (roof), 2 (lawn)",)


def test_features_on_a_rotated_grid(tmp_path):
  turned = rasterio.Affine(6, -8, 500_000, 8, 6, 5_400_000)
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE, transform=turned)
  corners = [(0, 0), (2, 0), (2, 1), (0, 1)]
  polygon = shapely.Polygon([(6 * c - 8 * r + 500_000, 8 * c + 6 * r + 5_400_000) for c, r in corners])
  point = shapely.Point(6 * 3.5 - 8 * 2.5 + 500_000, 8 * 3.5 + 6 * 2.5 + 5_400_000)
  path = formats.save_features(tmp_path / "a.gpkg", [polygon, point], crop=["a", "b"], to="EPSG:4326")
  np.testing.assert_array_equal(formats.read(cube, path).labels, [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]])


def test_polygons_that_cross_themselves_and_parts_in_three_dimensions(cube, tmp_path):
  bow_tie = formats.in_crs(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
  triangles = [[(c + 0.2, r + 0.2), (c + 0.8, r + 0.2), (c + 0.5, r + 0.8)] for c, r in ((3, 0), (0, 2))]
  parts = formats.in_crs(shapely.MultiPolygon([shapely.Polygon(own) for own in triangles]))
  path = formats.save_features(tmp_path / "a.gpkg", [bow_tie, shapely.force_3d(parts)], crop=[1.0, 2.0])
  scene = formats.read(cube, path)
  assert scene.labels[0, 3] == scene.labels[2, 0] == 2
  assert scene.class_ids.tolist() == [1, 2]
  assert (scene.labels[:2, :2] == 1).any()


def test_features_without_a_class_are_left_out(cube, tmp_path):
  shapes = [_box(0, 0, 1, 1), _box(1, 1, 2, 2), _box(2, 2, 3, 3)]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, crop=["maize", None, "lawn"])
  scene = formats.read(cube, path)
  assert (scene.labels > 0).sum() == 2
  assert scene.remarks == ("1 features without class or geometry left out",)


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
    (_without_a_crs, {}, "has no coordinate reference system; save it with one"),
    (_several_columns, {}, r"cannot tell which column holds the classes; it has crop, height: name it"),
    (_several_columns, {"label_column": "klass"}, "has no column 'klass'; it has crop, height"),
    (_several_columns, {"labels_key": "b"}, "has the layers a; name one of them by labels_key, 'b' is none"),
    (_no_class_at_all, {}, "has no feature with a geometry and a class in the column 'crop'"),
    (_damaged, {}, "a.gpkg cannot be read as features"),
    (lambda folder: folder / "b.shp", {}, "no such file: .*b.shp"),
  ],
)
def test_features_that_are_refused(cube, tmp_path, save, options, message):
  with pytest.raises(RequestError, match=message) as error:
    formats.read(cube, save(tmp_path), **options)
  assert "\n" not in str(error.value)


def test_features_need_a_scene_with_a_place(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE, crs=None)
  with pytest.raises(RequestError, match="the scene has no coordinate reference system"):
    formats.read(cube, _several_columns(tmp_path), label_column="crop")


# Tables


def test_a_table_of_pixels(cube, tmp_path):
  path = _csv(tmp_path / "gt.csv", "column, row, class, by", "1,0,maize,me", "3,2,lawn,", "1,0,maize,you")
  scene = formats.read(cube, path)
  np.testing.assert_array_equal(scene.labels, [[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
  assert scene.class_names == {1: "lawn", 2: "maize"}
  path = _csv(tmp_path / "gt.csv", "row;column;crop", "0;1;5", "2;3;2.0")
  assert formats.read(cube, path, label_column="crop").class_ids.tolist() == [2, 5]


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["0,1,maize"], "has no column 'row', 'column', 'class'; its first line must name the columns"),
    (["row,column,klass", "0,1,maize"], "has no column 'class'; .* and names row, column, klass"),
    (["row,column,class"], "has no rows below its header"),
    (
      ["row,column,class", "0,1,a", "0,4,b"],
      "line 3: column 4 lies outside the scene, whose last column is 3",
    ),
    (["row,column,class", "-1,1,a"], "line 2: row is '-1'; expected a whole number from 0 to 2"),
    (["row,column,class", "1.5,1,a"], "line 2: row is '1.5'; expected a whole number"),
    (["row,column,class", "1,1"], "line 2 has no class in the column 'class'"),
    (
      ["row,column,class", "1,1,a", "1,1,b"],
      "line 3: row 1, column 1 is 'b' here and of another class in line 2",
    ),
    (["row,column,class", "1,1,70000", "1,2,1"], "class id 70000; expected 0"),
    (["row,column,class", "1,1,-2", "1,2,1"], "class id -2; expected 0"),
    ([], "has no column"),
  ],
)
def test_tables_that_are_refused(cube, tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    formats.read(cube, _csv(tmp_path / "gt.csv", *lines))


def test_a_table_of_classes_gives_ids_names_and_colours(cube, tmp_path):
  classes = _csv(tmp_path / "c.csv", "id,name,colour", "20,maize,#FFa000", "5,lawn,", "9,roof,#000001")
  pixels = _csv(tmp_path / "gt.csv", "row,column,class", "0,1,maize", "2,3,lawn")
  scene = formats.read(cube, pixels, classes=classes)
  assert scene.labels[0, 1] == 20
  assert scene.class_names == {5: "lawn", 20: "maize"}
  assert scene.class_colours == {20: (255, 160, 0)}
  labels = formats.save_raster(tmp_path / "gt.tif", np.where(_LABELS, _LABELS * 4 + 5, 0).astype(np.uint8))
  with pytest.raises(
    RequestError, match=r"names for ids \[5, 9, 20\], but the labels in .*gt\.tif also hold \[17\]"
  ):
    formats.read(cube, labels, classes=classes)
  pixels = _csv(tmp_path / "gt.csv", "row,column,class", "0,1,maize", "2,3,wheat")
  with pytest.raises(
    RequestError, match="classes 'wheat' are not in the table of classes, which has 'maize'"
  ):
    formats.read(cube, pixels, classes=classes)


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["id;colour", "1;#000000"], "has no column 'name'"),
    (["id,name", "one,maize"], "line 2: 'one', 'maize'; expected an id and a name"),
    (["id,name", "1,"], "line 2: '1', ''; expected an id and a name"),
    (["id,name", "1,a", "1,b"], "line 3: class 1, 'b', stands there twice"),
    (["id,name", "1,a", "2,a"], "line 3: class 2, 'a', stands there twice"),
    (["id,name,color", "1,a,red"], "line 2: the colour is 'red'; expected #rrggbb"),
  ],
)
def test_tables_of_classes_that_are_refused(tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    class_table.read(_csv(tmp_path / "c.csv", *lines))

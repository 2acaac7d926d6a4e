"""Labels from tables of points, and tables as programs write them."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_EXPECTED = [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]]
# Centres of the pixels of _EXPECTED, in the scene's system, and in longitude and latitude.
_POINTS = ["500015,5399995,1", "500035,5399975,2"]


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _save(path, *lines):
  path.write_text("\n".join(lines))
  return path


def _degrees():
  import pyproj

  to_degrees = pyproj.Transformer.from_crs(formats.CRS, "EPSG:4326", always_xy=True)
  return [tuple(map(str, to_degrees.transform(x, y))) for x, y in ((500015, 5399995), (500035, 5399975))]


@pytest.mark.parametrize(
  ("name", "lines"),
  [
    ("a.csv", ["row,column,class", "0,1,1", "2,3,2"]),
    ("a.csv", ["Row,COL,Label", "0.0,1.0,1.0", "2.0,3.0,2.0"]),
    ("a.csv", ["row\tcolumn\tclass", "0\t1\t1", "2\t3\t2"]),
    ("a.tsv", ["row\tcolumn\tclass", "0\t1\t1", "2\t3\t2"]),
    ("a.txt", ["row column class", "0 1 1", "2   3 2"]),
    ("a.txt", ["x;y;class", "500015,5;5399995,25;1", "500035,0;5399975,0;2"]),
    ("a.csv", ["x,y,class", *_POINTS]),
    ("a.csv", ["class,POINT_X,POINT_Y", "1,500015,5399995", "2,500035,5399975"]),
    ("a.csv", ["easting,northing,class_name", *_POINTS]),
    ("a.csv", ["row,column,class,x,y", "0,1,1,9,9", "2,3,2,9,9"]),
  ],
)
def test_tables_of_pixels_and_points(cube, tmp_path, name, lines):
  scene = formats.read(cube, _save(tmp_path / name, *lines))
  np.testing.assert_array_equal(scene.labels, _EXPECTED)
  np.testing.assert_array_equal(scene.units, _EXPECTED)
  assert scene.remarks == ()


@pytest.mark.parametrize("head", ["lon,lat,class", "Latitude,Longitude,class", "x,y,class", "lng,lat,class"])
def test_points_in_degrees(cube, tmp_path, head):
  order = -1 if head.startswith("Lat") else 1
  rows = [",".join([*pair[::order], str(place)]) for place, pair in enumerate(_degrees(), start=1)]
  scene = formats.read(cube, _save(tmp_path / "a.csv", head, *rows))
  np.testing.assert_array_equal(scene.labels, _EXPECTED)
  guessed = "x and y of 2 rows are taken as longitude and latitude in degrees"
  assert scene.remarks == ((guessed,) if head.startswith("x") else ())


def test_points_in_another_system(cube, tmp_path):
  import pyproj

  to_web = pyproj.Transformer.from_crs(formats.CRS, "EPSG:3857", always_xy=True)
  points = [to_web.transform(x, y) for x, y in ((500015, 5399995), (500035, 5399975))]
  rows = [f"{x},{y},{place},EPSG:3857" for place, (x, y) in enumerate(points, start=1)]
  column = _save(tmp_path / "a.csv", "x,y,class,crs", *rows)
  np.testing.assert_array_equal(formats.read(cube, column).labels, _EXPECTED)
  plain = _save(tmp_path / "b.csv", "x,y,class", *rows)
  np.testing.assert_array_equal(formats.read(cube, plain, labels_crs="EPSG:3857").labels, _EXPECTED)
  with pytest.raises(RequestError, match=r"all 2 rows are outside the scene: line 2 .*labels_crs"):
    formats.read(cube, plain)
  mixed = _save(tmp_path / "c.csv", "x,y,class,crs", rows[0], rows[1].replace("3857", "32633"))
  with pytest.raises(RequestError, match=r"several systems in the column crs \(EPSG:32633, EPSG:3857\)"):
    formats.read(cube, mixed)
  unknown = _save(tmp_path / "d.csv", "x,y,class,crs", rows[0].replace("EPSG:3857", "mine"))
  with pytest.raises(RequestError, match="the column crs has 'mine'; expected a code such as EPSG:32633"):
    formats.read(cube, unknown)


def test_swapped_coordinates_are_told(cube, tmp_path):
  rows = [",".join([*pair[::-1], "1"]) for pair in _degrees()]
  with pytest.raises(RequestError, match="their coordinates are swapped, such as latitude and longitude"):
    formats.read(cube, _save(tmp_path / "a.csv", "lon,lat,class", *rows))


def test_points_that_label_nothing_are_counted(cube, tmp_path):
  rows = [*_POINTS, "500015,5399995,", ",,1", "n/a,5399995,1", "600000,5399995,2", "500016,5399996,2"]
  scene = formats.read(cube, _save(tmp_path / "a.csv", "x,y,class", *rows, "500005,5399995,1"))
  np.testing.assert_array_equal(scene.units, [[8, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]])
  assert scene.remarks == (
    "1 row without a class left out",
    "2 rows without a geometry left out",
    "1 row outside the scene left out: line 7 (2)",
    "1 pixel covered by rows of several classes left unlabelled",
  )


def test_a_column_of_points_splits_the_labels(cube, tmp_path):
  rows = [
    f"{x},{y},{k},{use}"
    for x, y, k, use in [
      (500005, 5399995, 1, "train"),
      (500015, 5399995, 2, "train"),
      (500005, 5399985, 1, "test"),
      (500015, 5399985, 2, "test"),
    ]
  ]
  scene = formats.read(cube, _save(tmp_path / "a.csv", "x,y,class,use", *rows), split_column="use")
  assert np.argwhere(scene.tested).tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
  ("lines", "message"),
  [
    (["lon,lat,class", "48.7,115,1"], "longitudes up to 48.7 and latitudes up to 115; .* swapped"),
    (["x,y,class", "east,north,1"], r"no row has numbers in the columns x and y \(line 2: 'east', 'north'\)"),
    (["x,y,class,label", "1,2,3,4"], "all 1 row are outside the scene|all 1 row is|outside the scene"),
    (["x,y,label,class_id", "1,2,3,4"], r"several class columns \(label, class_id\); name one"),
    (["x,z,class", "1,2,3"], "has no columns of places: row and column, x and y, or lon and lat"),
  ],
)
def test_invalid_tables_of_points_are_rejected(cube, tmp_path, lines, message):
  with pytest.raises(RequestError, match=message):
    formats.read(cube, _save(tmp_path / "a.csv", *lines))


def test_points_need_a_georeferenced_scene(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE, crs=None)
  with pytest.raises(RequestError, match="cannot be located in it by x and y; provide the columns row"):
    formats.read(cube, _save(tmp_path / "a.csv", "x,y,class", *_POINTS))


def test_a_system_in_a_column_may_not_name_a_file(cube, tmp_path):
  (tmp_path / "init").write_text("<1> +proj=longlat +type=crs <>")
  rows = [f"{row},+init={tmp_path}/init:1" for row in _POINTS]
  with pytest.raises(RequestError, match="expected a code such as EPSG:32633"):
    formats.read(cube, _save(tmp_path / "a.csv", "x,y,class,crs", *rows))

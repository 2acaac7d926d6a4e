"""Features in every format, zipped ones, and text of Shapefiles in other encodings."""

import shutil
import zipfile

import geopandas
import numpy as np
import pytest
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels import geoparquet, shapefile_text
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_EXPECTED = [[2, 2, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]]
_UNITS = [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 2, 3]]


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _shapes():
  boxes = shapely.box(0.1, 0.1, 1.9, 0.9), shapely.box(2.1, 2.1, 2.9, 2.9), shapely.box(3.1, 2.1, 3.9, 2.9)
  return [formats.in_crs(box) for box in boxes]


def _save(path, to=None, classes=("maize", "lawn", "lawn")):
  if path.suffix == ".parquet":
    frame = geopandas.GeoDataFrame({"crop": classes}, geometry=_shapes(), crs=formats.CRS)
    frame.to_parquet(path)
    return path
  frame = geopandas.GeoDataFrame({"crop": list(classes)}, geometry=_shapes(), crs=formats.CRS)
  frame = frame.to_crs(to) if to else frame
  drivers = {".gdb": "OpenFileGDB", ".kml": "KML", ".gml": "GML"}
  frame.to_file(path, engine="pyogrio", driver=drivers.get(path.suffix))
  return path


def _zip(path, *files):
  with zipfile.ZipFile(path, "w") as archive:
    for file in files:
      archive.write(file, f"data/{file.name}")
  return path


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.fgb", "a.gml", "a.gdb", "a.parquet"])
def test_features_of_every_format(cube, tmp_path, name):
  scene = formats.read(cube, _save(tmp_path / name), label_column="crop")
  np.testing.assert_array_equal(scene.labels, _EXPECTED)
  # FlatGeobuf puts features in another order.
  np.testing.assert_array_equal(scene.units > 0, np.array(_UNITS) > 0)
  assert len(np.unique(scene.units)) == 4
  assert scene.class_names == {1: "lawn", 2: "maize"}
  assert not list(tmp_path.glob("*.gfs"))


@pytest.mark.parametrize("name", ["a.kml", "a.geojson"])
def test_features_in_degrees(cube, tmp_path, name):
  scene = formats.read(cube, _save(tmp_path / name, to="EPSG:4326"))
  np.testing.assert_array_equal(scene.labels, _EXPECTED)
  np.testing.assert_array_equal(scene.units, _UNITS)


def test_placemarks_without_columns_are_classes_by_name(cube, tmp_path):
  path = tmp_path / "a.kml"
  places = geopandas.GeoSeries(_shapes(), crs=formats.CRS).centroid.to_crs("EPSG:4326")
  marks = [
    f"<Placemark><name>{name}</name><Point><coordinates>{p.x},{p.y}</coordinates></Point></Placemark>"
    for name, p in zip(("oak", "ash"), places)
  ]
  path.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{"".join(marks)}</Document></kml>')
  assert sorted(formats.read(cube, path).class_names.values()) == ["ash", "oak"]


def test_a_zipped_shapefile(cube, tmp_path):
  _save(tmp_path / "fields.shp")
  labels = _zip(tmp_path / "a.zip", *tmp_path.glob("fields.*"))
  np.testing.assert_array_equal(formats.read(cube, labels).labels, _EXPECTED)


def test_a_zipped_file_geodatabase(cube, tmp_path):
  folder = _save(tmp_path / "a.gdb")
  archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, folder.name)
  scene = formats.read(cube, tmp_path / archive, label_column="crop")
  np.testing.assert_array_equal(scene.labels, _EXPECTED)


def test_a_zip_of_several_files_is_rejected(cube, tmp_path):
  labels = _zip(tmp_path / "a.zip", _save(tmp_path / "b.gpkg"), _save(tmp_path / "c.gpkg"))
  with pytest.raises(RequestError, match=r"has 2 files of features \(data/b.gpkg, data/c.gpkg\); unpack it"):
    formats.read(cube, labels)
  with pytest.raises(RequestError, match=r"has 0 files of features \(none\)"):
    formats.read(cube, _zip(tmp_path / "d.zip", cube))


def test_geojson_in_metres_is_told(cube, tmp_path):
  path = _save(tmp_path / "a.geojson", to="EPSG:4326")
  frame = geopandas.GeoDataFrame({"crop": ["maize", "lawn", "lawn"]}, geometry=_shapes())
  path.write_text(frame.to_json())
  with pytest.raises(RequestError, match=r"up to 5399999, but .* in degrees \(WGS 84\), as GeoJSON without"):
    formats.read(cube, path)
  np.testing.assert_array_equal(formats.read(cube, path, labels_crs=formats.CRS).labels, _EXPECTED)


def test_labels_crs_names_the_system_of_features_without_one(cube, tmp_path):
  path = formats.save_features(tmp_path / "a.gpkg", _shapes(), crs=None, crop=["maize", "lawn", "lawn"])
  np.testing.assert_array_equal(formats.read(cube, path, labels_crs=formats.CRS).labels, _EXPECTED)


@pytest.mark.parametrize(
  ("names", "encoding", "expected"),
  [
    (["\u6c34\u7530", "\u6797\u5730", "\u6797\u5730"], "gbk", "gbk"),
    (["Geb\u00fcsch", "\u00c4cker", "\u00c4cker"], "latin-1", "cp1252"),
    (["Gr\u00f6\u00dfe", "Moor", "Moor"], "utf-8", "utf-8"),
  ],
)
def test_text_of_a_shapefile_without_a_declared_encoding(cube, tmp_path, names, encoding, expected):
  path = tmp_path / "a.shp"
  stored = [name.encode(encoding).decode("latin-1") for name in names]
  frame = geopandas.GeoDataFrame({"crop": stored}, geometry=_shapes(), crs=formats.CRS)
  frame.to_file(path, engine="pyogrio", encoding="ISO-8859-1")
  (tmp_path / "a.cpg").unlink()
  scene = formats.read(cube, path)
  assert set(scene.class_names.values()) == set(names)
  assert scene.remarks == (
    f"a.shp does not declare its encoding (.cpg) and is read as {expected}; check the class names",
  )


def test_encodings_are_told_apart():
  assert (
    shapefile_text.find_encoding(["\u6797\u5730".encode("gbk"), "Stra\u00dfe".encode("latin-1")]) == "cp1252"
  )
  assert shapefile_text.find_encoding(["Gr\u00f6\u00dfe".encode("latin-1")]) == "cp1252"


def test_geoparquet_without_pyarrow_is_told(cube, tmp_path, monkeypatch):
  path = _save(tmp_path / "a.parquet")
  monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
  with pytest.raises(RequestError, match=r"a\.parquet needs pyarrow: pip install 'mtl_hsi\[parquet\]', or "):
    geoparquet.read_frame(path, str(path))


def test_a_table_in_parquet_is_told(cube, tmp_path):
  path = tmp_path / "a.parquet"
  geopandas.pd.DataFrame({"crop": [1, 2]}).to_parquet(path)
  with pytest.raises(RequestError, match="has no GeoParquet metadata"):
    formats.read(cube, path)

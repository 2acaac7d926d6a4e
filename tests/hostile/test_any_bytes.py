"""Files with changed bytes are read, or rejected with a RequestError."""

import contextlib
import functools
import json
import tempfile
import zipfile
from pathlib import Path
from unittest import mock

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import strategies as st

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import read_array
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.vectors import read_features
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import memory
from tests.hostile import hostile_files
from tests.hostile.any_input import for_any, nodes, noised, read_or_reject, replaced
from tests.scenes import formats

# GDAL and NumPy warn about damaged files.
pytestmark = pytest.mark.filterwarnings("ignore")

_CUBE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_NOISE = st.binary(min_size=1, max_size=16)


def _image(path):
  return Image.open(path).read(slice(None), slice(None))[0]


def _features(path):
  return label_features(read_features(path, None, Reading()), _GRID, Reading())


@functools.cache
def _saved(save, name: str) -> bytes:
  """Returns the content of a file that a function writes."""
  with tempfile.TemporaryDirectory() as folder:
    return save(Path(folder, name)).read_bytes()


def _save_raster(path):
  return formats.save_raster(path, _CUBE, nodata=7)


def _save_tiles(path):
  return formats.save_raster(path, _CUBE, tiled=True, blockxsize=16, blockysize=16, compress="deflate")


def _save_matlab_73(path):
  return formats.save_matlab_73(path, cube=_CUBE, name="maize")


def _save_kml(path):
  shapes = map(formats.in_crs, [shapely.box(0, 0, 3, 3), shapely.Point(5, 5)])
  return formats.save_features(path, list(shapes), to="EPSG:4326", driver="KML", class_name=["maize", "lawn"])


def _save_gml(path):
  shapes = map(formats.in_crs, [shapely.box(0, 0, 3, 3), shapely.Point(5, 5)])
  return formats.save_features(path, list(shapes), driver="GML", class_name=["maize", "lawn"])


def _save_parquet(path):
  shapes = [formats.in_crs(shape) for shape in (shapely.box(0, 0, 3, 3), shapely.Point(5, 5))]
  geopandas.GeoDataFrame({"class": ["maize", "lawn"]}, geometry=shapes, crs=formats.CRS).to_parquet(path)
  return path


def _save_zip(path):
  with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a.geojson", _saved(_save_features, "a.geojson"))
  return path


def _save_features(path):
  shapes = map(formats.in_crs, [shapely.box(0, 0, 3, 3), shapely.Point(5, 5), shapely.box(6, 6, 9, 9)])
  return formats.save_features(path, list(shapes), to="EPSG:4326", class_name=["maize", "lawn", None])


_SAVERS = {".kml": _save_kml, ".gml": _save_gml, ".parquet": _save_parquet, ".zip": _save_zip}


@for_any(st.integers(0, 127), _NOISE, st.booleans())
def test_arrays(position, noise, cut):
  content = hostile_files.npy_header((3, 4, 5), "<i2") + _CUBE.tobytes()
  array = read_or_reject(
    lambda path: np.array(read_array(path, None)), noised(content, position, noise, cut), ".npy"
  )
  assert array is None or array.dtype.isnative


@for_any(st.integers(0, 8191), _NOISE, st.booleans())
def test_matlab_73_variables(position, noise, cut):
  content = noised(_saved(_save_matlab_73, "a.mat"), position, noise, cut)
  cube = read_or_reject(lambda path: read_array(path, None), content, ".mat")
  assert cube is None or cube.dtype.kind in "iuf"


@for_any(st.sampled_from([_save_raster, _save_tiles]), st.integers(0, 1023), _NOISE, st.booleans())
def test_rasters(save, position, noise, cut):
  values = read_or_reject(_image, noised(_saved(save, "a.tif"), position, noise, cut), ".tif")
  assert values is None or values.ndim == 3


@for_any(st.integers(0, 1023), _NOISE, st.booleans())
def test_geojson(position, noise, cut):
  labels = read_or_reject(
    _features, noised(_saved(_save_features, "a.geojson"), position, noise, cut), ".geojson"
  )
  assert labels is None or labels.image.shape == (12, 10)


@for_any(st.sampled_from(list(_SAVERS)), st.floats(0, 1), _NOISE, st.booleans())
def test_other_formats_of_features(suffix, place, noise, cut):
  content = _saved(_SAVERS[suffix], f"a{suffix}")
  assert read_or_reject(_features, content, suffix) is not None
  labels = read_or_reject(_features, noised(content, int(place * len(content)), noise, cut), suffix)
  assert labels is None or labels.image.shape == (12, 10)


@for_any(st.sampled_from(["a00000001", "a00000009"]), st.floats(0, 1), _NOISE, st.booleans())
def test_tables_of_file_geodatabases(table, place, noise, cut):
  with tempfile.TemporaryDirectory() as folder, mock.patch.object(memory, "available", return_value=64 << 20):
    shapes = [formats.in_crs(shape) for shape in (shapely.box(0, 0, 3, 3), shapely.box(5, 5, 7, 7))]
    path = Path(folder, "a.gdb")
    formats.save_features(path, shapes, driver="OpenFileGDB", class_name=["maize", "lawn"])
    file = path / f"{table}.gdbtable"
    content = file.read_bytes()
    file.write_bytes(noised(content, int(place * len(content)), noise, cut))
    with contextlib.suppress(RequestError):
      _features(path)


@for_any(st.lists(st.integers(0, 20), max_size=6), nodes("type", "coordinates", "class_name"))
def test_geojson_with_another_value(way, value):
  content = replaced(json.loads(_saved(_save_features, "a.geojson")), way, value)
  labels = read_or_reject(_features, json.dumps(content).encode(), ".geojson")
  assert labels is None or labels.image.shape == (12, 10)

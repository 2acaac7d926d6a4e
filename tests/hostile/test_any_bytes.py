"""Files with changed bytes are read, or rejected with a RequestError."""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import strategies as st

from mtl_hsi.scenes.images.arrays import read_array
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.vectors import read_features
from mtl_hsi.scenes.scene import Georeference
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


def _save_features(path):
  shapes = map(formats.in_crs, [shapely.box(0, 0, 3, 3), shapely.Point(5, 5), shapely.box(6, 6, 9, 9)])
  return formats.save_features(path, list(shapes), to="EPSG:4326", class_name=["maize", "lawn", None])


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


@for_any(st.lists(st.integers(0, 20), max_size=6), nodes("type", "coordinates", "class_name"))
def test_geojson_with_another_value(way, value):
  content = replaced(json.loads(_saved(_save_features, "a.geojson")), way, value)
  labels = read_or_reject(_features, json.dumps(content).encode(), ".geojson")
  assert labels is None or labels.image.shape == (12, 10)

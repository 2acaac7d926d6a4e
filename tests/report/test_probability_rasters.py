"""Rasters of the probabilities of all classes: windows, and what a GIS finds in them."""

import tracemalloc

import numpy as np
import pytest
import rasterio

from mtl_hsi.evaluation.probabilities import FLOAT16, SCALE, UINT8, margin
from mtl_hsi.report import probability_rasters
from mtl_hsi.report.probability_rasters import Classes
from mtl_hsi.scenes.scene import Georeference

_NAMES = {2: "Maïs & blé", 5: "<b>Wald</b>", 9: "Roof"}
_PLACE = Georeference("EPSG:32632", (1.3, 0.0, 500000.0, 0.0, -1.3, 5000000.0))

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def softmax(shape):
  scores = np.exp(np.random.default_rng(0).normal(0, 2, shape))
  return scores / scores.sum(axis=-1, keepdims=True)


def write(directory, ids, probabilities, step=None, place=None, **classes):
  """Writes all, or window by window; returns the rasters as arrays."""
  paths = directory / "p.tif", directory / "u.tif"
  asked = Classes(**{"kind": UINT8, "names": _NAMES, "class_ids": np.array([5, 2, 9]), **classes})
  with probability_rasters.create(paths, asked, "flight", ids.shape, place) as made:
    height, width = ids.shape
    for top in range(0, height, step or height):
      for left in range(0, width, step or width):
        window = (
          slice(top, min(top + (step or height), height)),
          slice(left, min(left + (step or width), width)),
        )
        made.write(window, ids[window], probabilities[window])
  found = []
  for path in paths:
    with rasterio.open(path) as raster:
      found.append(raster.read())
  return *found, made


@pytest.mark.parametrize("place", [None, _PLACE])
@pytest.mark.parametrize("kind", [UINT8, FLOAT16])
def test_bands_are_the_classes_in_the_order_of_their_ids(tmp_path, kind, place):
  # A fourth output is no class of this map.
  p = softmax((7, 6, 4)).astype(np.float32)
  p[..., 3] = 0
  p /= p.sum(axis=-1, keepdims=True)
  outputs = np.array([5, 2, 9])
  ids = outputs[p[..., :3].argmax(axis=-1)]
  ids[0, 0] = 0
  p[0, 0] = np.nan
  found, spread, made = write(tmp_path, ids, p, kind=kind, place=place)
  with rasterio.open(tmp_path / "p.tif") as raster:
    assert raster.descriptions == tuple(_NAMES.values())
    assert [raster.tags(band)["CLASS_ID"] for band in (1, 2, 3)] == ["2", "5", "9"]
    assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert {colour.name for colour in raster.colorinterp} <= {"gray", "undefined"}
    assert raster.crs == (place and place.crs)
    np.testing.assert_array_equal(raster.read_masks() == 0, np.broadcast_to(ids == 0, (3, 7, 6)))
    scaled = found * np.array(raster.scales)[:, None, None]
  measured = ids > 0
  np.testing.assert_allclose(scaled[:, measured].T, p[measured][:, [1, 0, 2]], atol=2 / SCALE)
  np.testing.assert_array_equal(np.array([2, 5, 9])[found[:, measured].argmax(axis=0)], ids[measured])
  assert np.isnan(spread[:, ~measured]).all()
  np.testing.assert_allclose(spread[1, measured], margin(p[measured]), atol=1e-6)
  assert made.outvoted == 0


@pytest.mark.parametrize("kind", [UINT8, FLOAT16])
def test_windows_give_what_the_whole_gives(tmp_path, kind):
  p = softmax((40, 33, 3)).astype(np.float32)
  ids = np.array([5, 2, 9])[p.argmax(axis=-1)]
  results = []
  for name, step in (("whole", None), ("parts", 7)):
    (tmp_path / name).mkdir()
    results.append(write(tmp_path / name, ids, p, step, kind=kind)[:2])
  for whole, parts in zip(*results, strict=True):
    np.testing.assert_array_equal(whole, parts)


def test_pixels_whose_class_was_outvoted_are_counted(tmp_path):
  p = np.array([[[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]]], np.float32)
  *_, made = write(tmp_path, np.array([[5, 5]]), p)
  assert made.outvoted == 1


def test_overviews_are_means(tmp_path):
  p = np.zeros((300, 300, 3), np.float32)
  p[::2, :, 0], p[1::2, :, 1] = 1, 1
  write(tmp_path, np.array([5, 2])[np.arange(300) % 2][:, None] * np.ones((1, 300), int), p)
  with rasterio.open(tmp_path / "p.tif", overview_level=0) as raster:
    np.testing.assert_array_equal(raster.read(1), 125)


def test_memory_is_bounded_by_the_window(tmp_path):
  """A raster of 2,000 x 500 pixels and 30 classes is written by windows of 64 rows, in a few megabytes."""
  names = {i + 1: f"class {i}" for i in range(30)}
  classes = Classes(UINT8, names, np.arange(1, 31))
  p = softmax((64, 500, 30)).astype(np.float32)
  ids = 1 + p.argmax(axis=-1)
  paths = tmp_path / "p.tif", tmp_path / "u.tif"
  with probability_rasters.create(paths, classes, "flight", (1984, 500), None) as made:
    tracemalloc.start()
    for top in range(0, 1984, 64):
      made.write((slice(top, top + 64), slice(0, 500)), ids, p)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
  # All probabilities as float32 would be 119 MB.
  assert peak < 60e6

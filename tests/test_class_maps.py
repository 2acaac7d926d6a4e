"""Class maps as files: all of them or none, and names that a format would take for more than names."""

import itertools
import os

import numpy as np
import pytest
import rasterio

from mtl_hsi import class_maps
from mtl_hsi.class_maps import Legend
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Georeference

_NAMES = {1: "<script>alert(1)</script>", 2: "maize, early}", 4: 'Maïs & "blé"'}
_PLACE = Georeference("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_400_000.0))


def write(stem):
  """A map of 2 x 3 pixels."""
  ids = np.array([[1, 2, 4], [0, 1, 2]])
  legend = Legend("fields <b>flight</b>", _NAMES, {class_id: (class_id, 2, 3) for class_id in _NAMES})
  with class_maps.create(stem, legend, 2, 3, _PLACE) as maps:
    maps.write(slice(0, 2), slice(0, 3), ids, np.ones((2, 3)), np.ones((2, 3)))
  return ids


def test_names_of_classes_stay_names_in_every_file(tmp_path):
  ids = write(tmp_path / "map")
  with rasterio.open(tmp_path / "map_classes.tif") as raster:
    assert {int(key[6:]): name for key, name in raster.tags(1).items() if key[:6] == "CLASS_"} == _NAMES
  side = (tmp_path / "map_classes.tif.aux.xml").read_text()
  assert "<script>" not in side
  assert "&lt;script&gt;alert(1)&lt;/script&gt;" in side
  with rasterio.open(tmp_path / "map_classes.img") as raster:
    np.testing.assert_array_equal(raster.read(1), ids)
    names = raster.tags(ns="ENVI")["class_names"]
  # A comma would begin another name, a brace end the list.
  assert names.count(",") == 4
  assert names.strip("{}").split(", ")[2] == "maize; early)"


def test_areas_are_summed_over_windows(tmp_path):
  ids = np.array([[1, 2, 4, 4], [0, 1, 2, 4]])
  names = {1: "=HYPERLINK(1)", 2: "maize, early", 4: "rye"}
  legend = Legend("flight", names, {class_id: (1, 2, 3) for class_id in names})
  for stem, place in (("map", _PLACE), ("nowhere", None)):
    with class_maps.create(tmp_path / stem, legend, 2, 4, place) as maps:
      for columns in (slice(0, 3), slice(3, 4)):
        part = ids[:, columns]
        maps.write(slice(0, 2), columns, part, np.ones(part.shape), np.ones(part.shape))
  assert (tmp_path / "map_areas.csv").read_text() == (
    'class,name,pixels,hectares\n1,\'=HYPERLINK(1),2,0.0200\n2,"maize, early",2,0.0200\n4,rye,3,0.0300\n'
  )
  assert (tmp_path / "nowhere_areas.csv").read_text() == (
    'class,name,pixels\n1,\'=HYPERLINK(1),2\n2,"maize, early",2\n4,rye,3\n'
  )


def test_files_that_have_come_in_between_stay(tmp_path):
  legend = Legend("fields", {1: "a"}, {1: (0, 0, 0)})
  with (
    pytest.raises(RequestError, match=r"map_classes.img exists and stays as it is"),
    class_maps.create(tmp_path / "map", legend, 2, 3, _PLACE),
  ):
    (tmp_path / "map_classes.img").write_text("precious")
  assert [path.name for path in tmp_path.iterdir()] == ["map_classes.img"]
  assert (tmp_path / "map_classes.img").read_text() == "precious"


def test_an_interrupt_among_the_names_takes_them_all_back(tmp_path, monkeypatch):
  rename, counted = os.rename, itertools.count(1)

  def interrupted(*paths):
    if next(counted) == 3:
      raise KeyboardInterrupt
    rename(*paths)

  monkeypatch.setattr(os, "rename", interrupted)
  with pytest.raises(KeyboardInterrupt):
    write(tmp_path / "map")
  assert not list(tmp_path.iterdir())

"""Class maps as files: all of them or none, and names that a format would take for more than names."""

import errno
import hashlib
import itertools
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.prediction import class_maps
from mtl_hsi.prediction.class_maps import ENDINGS
from mtl_hsi.report.rasters import Legend
from mtl_hsi.scenes.scene import Georeference
from tests import launching

_NAMES = {1: "<script>alert(1)</script>", 2: "maize, early}", 4: 'Maïs & "blé"'}
_PLACE = Georeference("EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_400_000.0))
_NORTH_UP = rasterio.Affine(4, 0, 500_000, 0, -4, 5_400_000)


def _turned(degrees, width, height):
  place = rasterio.Affine.translation(500_000, 5_400_000)
  return place @ rasterio.Affine.rotation(degrees) @ rasterio.Affine.scale(width, height)


def write(stem):
  """A map of 2 x 3 pixels."""
  ids = np.array([[1, 2, 4], [0, 1, 2]])
  legend = Legend("fields <b>flight</b>", _NAMES, {class_id: (class_id, 2, 3) for class_id in _NAMES})
  with class_maps.create(stem, legend, (2, 3), _PLACE) as maps:
    maps.write(slice(0, 2), slice(0, 3), ids, np.ones((2, 3)), np.ones((2, 3)))
  return ids


def assert_whole(stem):
  """All files of a set are there, as the last of them says, and nothing that was in the making."""
  lines = [line.split("  ") for line in stem.with_name(f"{stem.name}_SHA256SUMS").read_text().splitlines()]
  assert [name for _, name in lines] == [stem.name + ending for ending in ENDINGS[:-1]]
  for digest, name in lines:
    assert hashlib.sha256(stem.with_name(name).read_bytes()).hexdigest() == digest
  assert not stem.with_name(f".{stem.name}.partial").exists()


def test_names_of_classes_stay_names_in_every_file(tmp_path):
  ids = write(tmp_path / "map")
  assert_whole(tmp_path / "map")
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


@pytest.mark.parametrize(
  ("crs", "transform", "placed"),
  [
    ("EPSG:32633", _NORTH_UP, True),
    ("EPSG:2264", _NORTH_UP, True),
    ("EPSG:2222", _NORTH_UP, True),
    (None, _NORTH_UP, True),
    ("EPSG:32633", _turned(30, 4, -4), True),
    ("EPSG:32633", _turned(90, 4, -4), True),
    ("EPSG:32633", _turned(180, 4, -4), False),
    ("EPSG:32633", _turned(30, 4, -3), False),
    ("EPSG:32633", _turned(0, -4, -4), False),
    ("EPSG:32633", _turned(0, 4, 4), False),
  ],
)
def test_the_map_for_envi_is_in_its_place_or_in_none(tmp_path, crs, transform, placed):
  place = Georeference(crs, tuple(transform)[:6])
  legend = Legend("flight", {1: "rye"}, {1: (1, 2, 3)})
  with class_maps.create(tmp_path / "map", legend, (2, 3), place) as maps:
    maps.write(slice(0, 2), slice(0, 3), np.ones((2, 3), int), np.ones((2, 3)), np.ones((2, 3)))
  assert bool(maps.notes) != placed
  with rasterio.open(tmp_path / "map_classes.tif") as raster:
    np.testing.assert_allclose(tuple(raster.transform)[:6], place.transform, atol=1e-6)
    assert raster.crs == (crs and rasterio.CRS.from_user_input(crs))
  if placed:
    with rasterio.open(tmp_path / "map_classes.img") as raster:
      np.testing.assert_allclose(tuple(raster.transform)[:6], place.transform, atol=1e-6)
      assert crs is None or raster.crs == rasterio.CRS.from_user_input(crs)
  else:
    assert "map info" not in (tmp_path / "map_classes.hdr").read_text()


def test_areas_are_summed_over_windows(tmp_path):
  ids = np.array([[1, 2, 4, 4], [0, 1, 2, 4]])
  names = {1: "=HYPERLINK(1)", 2: "maize, early", 4: "rye"}
  legend = Legend("flight", names, {class_id: (1, 2, 3) for class_id in names})
  for stem, place in (("map", _PLACE), ("nowhere", None)):
    with class_maps.create(tmp_path / stem, legend, (2, 4), place) as maps:
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
    pytest.raises(RequestError, match=r"map_classes.img already exists and was not overwritten"),
    class_maps.create(tmp_path / "map", legend, (2, 3), _PLACE),
  ):
    (tmp_path / "map_classes.img").write_text("precious")
  assert [path.name for path in tmp_path.iterdir()] == ["map_classes.img"]
  assert (tmp_path / "map_classes.img").read_text() == "precious"


def refused_link(*_):
  """As on a file system where a file has one name only."""
  raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_without_second_names_files_are_renamed_and_those_in_the_way_stay(tmp_path, monkeypatch):
  monkeypatch.setattr(os, "link", refused_link)
  write(tmp_path / "map")
  assert_whole(tmp_path / "map")
  other = tmp_path / "other"
  other.mkdir()
  (other / "map_confidence.tif").write_text("precious")
  with pytest.raises(RequestError, match=r"map_confidence\.tif already exists and was not overwritten"):
    write(other / "map")
  assert [path.name for path in other.iterdir()] == ["map_confidence.tif"]
  assert (other / "map_confidence.tif").read_text() == "precious"


@pytest.mark.parametrize("links", [True, False])
def test_an_interrupt_among_the_names_takes_them_all_back(tmp_path, monkeypatch, links):
  way = "link" if links else "rename"
  name, counted = getattr(os, way), itertools.count(1)

  def interrupted(*paths):
    if next(counted) == 3:
      raise KeyboardInterrupt
    name(*paths)

  monkeypatch.setattr(os, "link", refused_link)
  monkeypatch.setattr(os, way, interrupted)
  with pytest.raises(KeyboardInterrupt):
    write(tmp_path / "map")
  assert not list(tmp_path.iterdir())


def test_a_set_that_another_process_is_at_is_refused(tmp_path):
  legend = Legend("fields", {1: "a"}, {1: (0, 0, 0)})
  with class_maps.create(tmp_path / "map", legend, (2, 3), _PLACE):
    message = rf"map\.\* is in use by process {os.getpid()} on .*, or choose another --config\.output"
    with pytest.raises(RequestError, match=message):
      class_maps.file_set(tmp_path / "map").check_free()
    write(tmp_path / "another")
  assert_whole(tmp_path / "map")


# Dies at the n-th name that a set gets, or, where it has got all of them, once the first of the others goes.
KILLER = """
import os, signal, sys
from pathlib import Path
from tests.prediction import test_class_maps

def die_at(number):
  names = []
  def hook(event, arguments):
    complete = len(names) == len(test_class_maps.ENDINGS)
    if event == "os.link":
      names.append(arguments[1])
    if len(names) == number and event == "os.link" or complete and event == "os.remove":
      os.kill(os.getpid(), signal.SIGKILL)
  sys.addaudithook(hook)

for number in range(1, len(test_class_maps.ENDINGS) + 2):
  child = os.fork()
  if child == 0:
    die_at(number)
    test_class_maps.write(Path(sys.argv[1]) / str(number) / "map")
    os._exit(0)
  print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_an_incomplete_set_is_replaced_but_a_complete_one_is_not(tmp_path):
  result = subprocess.run(
    [sys.executable, "-c", KILLER, str(tmp_path)],
    **{"cwd": launching.ROOT, "check": True, "stdout": subprocess.PIPE, "text": True},
  )
  assert {int(code) for code in result.stdout.split()} == {-signal.SIGKILL}
  for number in range(1, len(ENDINGS) + 1):
    stem = tmp_path / str(number) / "map"
    assert len(list(stem.parent.glob("map_*"))) == number - 1
    if number == 4:
      (stem.parent / "map_classes.hdr").write_text("precious")
      with pytest.raises(RequestError, match=r"map_classes\.hdr already exists and was not overwritten"):
        class_maps.file_set(stem).check_free()
      assert [path.name for path in stem.parent.iterdir()] == ["map_classes.hdr"]
      (stem.parent / "map_classes.hdr").unlink()
    class_maps.file_set(stem).check_free()
    write(stem)
    assert_whole(stem)
  complete = tmp_path / str(len(ENDINGS) + 1) / "map"
  with pytest.raises(RequestError, match="already exists and was not overwritten"):
    class_maps.file_set(complete).check_free()
  assert_whole(complete)


def test_numbers_of_classes_in_the_labels_are_beside_their_ids(tmp_path):
  legend = Legend("flight", {1: "maize", 2: "water"}, {1: (1, 2, 3), 2: (4, 5, 6)}, {2: 0})
  with class_maps.create(tmp_path / "map", legend, (1, 2), _PLACE) as maps:
    maps.write(slice(0, 1), slice(0, 2), np.array([[1, 2]]), np.ones((1, 2)), np.ones((1, 2)))
  assert (
    tmp_path / "map_areas.csv"
  ).read_text() == "class,code,name,pixels,hectares\n1,1,maize,1,0.0100\n2,0,water,1,0.0100\n"
  with rasterio.open(tmp_path / "map_classes.tif") as raster:
    assert raster.tags(1)["CODE_2"] == "0"
    assert "CODE_1" not in raster.tags(1)

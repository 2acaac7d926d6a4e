"""Files that are no labels are told by what they are."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


@pytest.mark.parametrize(
  ("name", "message"),
  [
    ("a.xlsx", "a.xlsx is a spreadsheet; save the sheet of the labels as CSV"),
    ("a.dbf", "a.dbf is a part of a Shapefile; name the .shp file"),
    ("a.kmz", "a.kmz is a zip of a KML file; unpack it"),
    ("a.qgz", "a.qgz is a project or style of a GIS"),
    ("a.gpx", "a.gpx is a format of features that is not read; save the labels as GeoPackage"),
    ("a.gdb", "a.gdb is a file; a FileGDB is a folder with this ending"),
    ("a.csv", "has no column 'class'"),
    ("a.txt", "has no column 'class'"),
  ],
)
def test_other_files(tmp_path, name, message):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE)
  (tmp_path / name).write_bytes(b"PK\3\4")
  with pytest.raises(RequestError, match=message):
    formats.read(cube, tmp_path / name)


def test_a_folder_lists_what_may_be_meant(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE)
  (tmp_path / "labels").mkdir()
  (tmp_path / "labels" / "fields.shp").touch()
  with pytest.raises(
    RequestError, match=r"labels is a folder; name the file of the labels in it \(fields.shp\)"
  ):
    formats.read(cube, tmp_path / "labels")


def test_a_grid_as_text_is_a_raster(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE, crs=None)
  (tmp_path / "gt.txt").write_text(
    "ncols 4\nnrows 3\nxllcorner 0\nyllcorner 0\ncellsize 1\n" + "1 2 1 2\n" * 3
  )
  labels = formats.read(cube, tmp_path / "gt.txt").labels
  assert labels.tolist() == [[1, 2, 1, 2]] * 3

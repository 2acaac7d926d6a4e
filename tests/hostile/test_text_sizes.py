"""Files that are read as a whole are rejected if their content would not fit into memory."""

import os
import tracemalloc
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pytest
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.wavelength_table import read_wavelength_table
from mtl_hsi.scenes.labels.class_table import read_class_table
from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.point_table import read_point_table
from mtl_hsi.scenes.labels.rasters import read_label_raster
from mtl_hsi.scenes.labels.roi_text import read_roi_text
from mtl_hsi.scenes.labels.roi_xml import read_roi_xml
from mtl_hsi.scenes.labels.vectors import read_features
from mtl_hsi.scenes.libraries.csv_library import read_csv_library
from mtl_hsi.scenes.libraries.envi_library import read_envi_library
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import checksums
from tests.scenes import formats

_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_TOO_LONG = 10**9
# The most memory to use before a file is rejected.
_LITTLE = 4 << 20


def _features(path: Path) -> None:
  label_features(read_features(path, None, Reading()), _GRID, Reading())


def _envi_library(path: Path) -> None:
  path.with_suffix(".sli").write_bytes(b"")
  read_envi_library(path)


def _assert_rejected(read, path: Path, message: str) -> None:
  tracemalloc.start()
  try:
    with pytest.raises(RequestError, match=message):
      read(path)
    assert tracemalloc.get_traced_memory()[1] < _LITTLE
  finally:
    tracemalloc.stop()


@pytest.mark.parametrize(
  ("name", "start", "read"),
  [
    ("classes.csv", b"id,name\n", read_class_table),
    ("pixels.csv", b"row,column,class\n", lambda path: read_point_table(path, _GRID, Reading())),
    ("library.csv", b"name,450,550\n", read_csv_library),
    ("library.hdr", b"ENVI\n", _envi_library),
    ("bands.csv", b"400\n", lambda path: read_wavelength_table(path, 2, None)),
    ("METADATA.XML", b"<level_X>", lambda path: read_wavelength_table(path, 2, None)),
    ("a.geojson", b"{", _features),
    ("a.gpkg", b"SQLite format 3\0", _features),
    ("a.shp", b"\0\0\x27\x0a", _features),
    ("a.fgb", b"fgb", _features),
    ("a.kml", b"<kml>", _features),
    ("a.gml", b"<a>", _features),
    ("a.txt", b"; ENVI Output of ROIs", lambda path: read_roi_text(path, _GRID, Reading())),
    ("a.xml", b"<RegionsOfInterest>", lambda path: read_roi_xml(path, Reading())),
    (checksums.NAME, b"0", lambda path: checksums.verify(path.parent)),
    ("report.html", b"<", lambda path: checksums.read_verified(path.parent, path.name)),
  ],
)
def test_a_file_beyond_the_memory(tmp_path, small_machine, name, start, read):
  path = tmp_path / name
  path.write_bytes(start)
  os.truncate(path, _TOO_LONG)
  _assert_rejected(read, path, rf"{name} has 1,000 MB and may need [0-9,]+ MB to read, but only 1 MB of")


def test_a_parquet_file_of_repeated_texts_is_small_in_memory(tmp_path):
  path = tmp_path / "a.parquet"
  shapes = [formats.in_crs(shapely.box(0, 0, 3, 3))] * 20_000
  names = ["m" * 50_000] * len(shapes)
  frame = geopandas.GeoDataFrame({"class": pandas.Categorical(names)}, geometry=shapes, crs=formats.CRS)
  frame.to_parquet(path)
  assert path.stat().st_size < 10**6
  tracemalloc.start()
  try:
    _features(path)
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
  finally:
    tracemalloc.stop()


def test_a_file_geodatabase_beyond_the_memory(tmp_path, small_machine):
  path = tmp_path / "a.gdb"
  path.mkdir()
  for name in ("a00000001.gdbtable", "a00000009.gdbtable"):
    (path / name).write_bytes(bytes(20_000))
  with pytest.raises(RequestError, match=r"a\.gdb declares 0.64 MB and needs 1.28 MB"):
    _features(path)


def test_the_columns_of_a_shapefile_beyond_the_memory(tmp_path, small_machine):
  path = formats.save_features(tmp_path / "a.shp", [formats.in_crs(shapely.Point(1, 1))], class_id=[1])
  _features(path)
  os.truncate(path.with_suffix(".dbf"), _TOO_LONG)
  _assert_rejected(_features, path, r"a\.dbf has 1,000 MB")


def test_the_side_file_of_a_raster_beyond_the_memory(tmp_path, small_machine):
  path = formats.save_raster(tmp_path / "a.tif", np.ones((12, 10), np.uint8))
  assert read_label_raster(path, _GRID, Reading()).image.all()
  side = tmp_path / "a.tif.aux.xml"
  side.touch()
  os.truncate(side, _TOO_LONG)
  _assert_rejected(
    lambda path: read_label_raster(path, _GRID, Reading()), path, r"a\.tif\.aux\.xml has 1,000 MB"
  )


def test_files_that_are_not_regular(tmp_path):
  os.mkfifo(tmp_path / "a.csv")
  for path in (tmp_path / "a.csv", tmp_path, Path("/dev/zero")):
    with pytest.raises(RequestError, match=f"{path} is a directory, a pipe or a device; expected a file"):
      read_class_table(path)


def test_xml_entities_that_expand_to_any_size(tmp_path):
  declared = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 9))
  text = f'<!DOCTYPE a [<!ENTITY e0 "{"<b/>" * 10}">{declared}]><a>&e8;</a>'
  (tmp_path / "a.xml").write_text(text)
  _assert_rejected(
    lambda path: read_wavelength_table(path, 2, None),
    tmp_path / "a.xml",
    r"document type \(a\)",
  )
  path = formats.save_raster(tmp_path / "a.tif", np.ones((12, 10), np.uint8))
  (tmp_path / "a.tif.aux.xml").write_text(text)
  _assert_rejected(
    lambda path: read_label_raster(path, _GRID, Reading()),
    path,
    r"a\.tif\.aux\.xml \(the document type \(a\)",
  )


def test_one_long_class_name_does_not_pad_all_names(tmp_path):
  shapes = [formats.in_crs(shapely.Point(i % 10, i // 10 % 12)) for i in range(120)] * 10
  names = ["maize"] * (len(shapes) - 1) + ["m" * 100_000]
  path = formats.save_features(tmp_path / "a.gpkg", shapes, class_name=names)
  tracemalloc.start()
  try:
    _features(path)
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
  finally:
    tracemalloc.stop()

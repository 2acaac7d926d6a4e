"""Files and texts with any content are read, or rejected with a RequestError."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import example
from hypothesis import strategies as st

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import list_arrays, read_array
from mtl_hsi.scenes.images.bad_bands import parse_bands
from mtl_hsi.scenes.images.wavelength_table import read_wavelength_table
from mtl_hsi.scenes.labels.class_table import read_class_table
from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.point_table import read_point_table
from mtl_hsi.scenes.labels.roi_text import read_roi_text
from mtl_hsi.scenes.labels.roi_xml import read_roi_xml
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.settings import scenes_file
from mtl_hsi.splits.split import read_splits
from tests.hostile import hostile_files
from tests.hostile.any_input import for_any, nodes, read_or_reject
from tests.scenes import formats

_LONG = "9" * 5000
_GRID = Grid((3, 4), None)
_PLACED = Grid((3, 4), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_WKT = pyproj.CRS(formats.CRS).to_wkt("WKT1_ESRI").replace('"', "&quot;")
_ROI = (
  "; ROI name: maize",
  "; ROI npts: 1",
  "; File Dimension: 4 x 3",
  "; ID X Y Map X Map Y",
  "1 1 1 1 1",
  "",
)
_WORDS = (
  "",
  "row",
  "column",
  "class",
  "x",
  "y",
  "lon",
  "lat",
  "crs",
  "id",
  "name",
  "1",
  "-1",
  "1.0",
  "nan",
  "#",
  '"',
  "\0",
  "é",
  _LONG,
)
_CELLS = st.sampled_from(_WORDS)
_TABLES = st.lists(st.lists(_CELLS | st.text(max_size=4), min_size=1, max_size=4), max_size=5)


def _csv(rows) -> bytes:
  return "\n".join(",".join(row) for row in rows).encode()


@for_any(_TABLES)
@example([["row", "column", "class"], [_LONG, "1", "1"]])
@example([["row", "column", "class"], ["1", "1", _LONG]])
@example([["row", "column", "class"], ["1"]])
def test_tables_of_labelled_pixels(rows):
  labels = read_or_reject(lambda path: read_point_table(path, _GRID, Reading()), _csv(rows), ".csv")
  assert labels is None or labels.image.shape == (3, 4)


@for_any(_TABLES)
@example([["x", "y", "class"], ["15", "48", "maize"]])
@example([["x", "y", "class"], ["1e99", "nan", "maize"], ["-1e99", _LONG, ""]])
def test_tables_of_points(rows):
  labels = read_or_reject(lambda path: read_point_table(path, _PLACED, Reading()), _csv(rows), ".csv")
  assert labels is None or labels.image.shape == (3, 4)


@for_any(st.lists(st.sampled_from(_ROI) | st.text(max_size=9), max_size=12))
@example([_ROI[0], "; ROI npts: 1", "; ID X Y", "1 1 1"])
@example([_ROI[0], "; ROI npts: 999999999", "; ID X Y", "1 1 1"])
@example([_ROI[0], "; ROI npts: 1", "; ID X Y", f"1 1e300 {_LONG}"])
def test_regions_as_text(lines):
  text = "; ENVI Output of ROIs\n" + "\n".join(lines)
  labels = read_or_reject(
    lambda path: read_roi_text(path, _GRID, Reading()), text.encode(errors="replace"), ".txt"
  )
  assert labels is None or labels.image.shape == (3, 4)


@for_any(st.text("<>/ 0.1-9e,", max_size=12), st.text(max_size=4), st.sampled_from(["none", _WKT, "x", ""]))
@example("1e308 1e308 0 0 5 1e308", "maize", "none")
@example("nan 0 1 0 1 1", "maize", "none")
@example("0 0 3 0 3 3", "maize", _WKT)
def test_regions_as_xml(numbers, name, system):
  ring = f"<Exterior><LinearRing><Coordinates>{numbers}</Coordinates></LinearRing></Exterior>"
  geometry = f"<GeometryDef><CoordSysStr>{system}</CoordSysStr><Polygon>{ring}</Polygon></GeometryDef>"
  text = f'<RegionsOfInterest><Region name="{name}" color="1,2,3">{geometry}</Region></RegionsOfInterest>'

  def read(path):
    return label_features(read_roi_xml(path, Reading()), _PLACED, Reading())

  labels = read_or_reject(read, text.encode(errors="replace"), ".xml")
  assert labels is None or labels.image.shape == (3, 4)


@for_any(_TABLES)
@example([["id", "name"], [_LONG, "maize"]])
@example([["id", "name", "colour"], ["1"]])
@example([["id", "name"], ["65536", "maize"]])
def test_tables_of_classes(rows):
  table = read_or_reject(read_class_table, _csv(rows), ".csv")
  assert table is None or all(0 <= class_id < 2**16 for class_id in table.names)


@for_any(_TABLES)
@example([["400", "1e308"], ["500", "1"]])
@example([["1e308"], ["1"]])
def test_tables_of_wavelengths(rows):
  with np.errstate(over="ignore"):
    bands = read_or_reject(lambda path: read_wavelength_table(path, 2, None), _csv(rows), ".csv")
  assert bands is None or bands.centres.shape == (2,)


@for_any(st.text("0123456789:, none", max_size=12))
@example(_LONG)
@example(f"0:{_LONG}")
def test_lists_of_bad_bands(text):
  try:
    found = parse_bands(text, 10, "here")
  except RequestError:
    return
  assert found.size < 10


@for_any(nodes("cube", "a", "bands"))
def test_scenes_files_with_any_value(value):
  scenes = read_or_reject(scenes_file.read, repr(value).encode(errors="replace"), ".yaml")
  assert scenes is None or all(map(scenes_file.is_name, scenes))


@pytest.mark.parametrize(
  ("suffix", "text"),
  [
    (".yaml", "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(9))),
    (".yaml", "? &a [*a]\n: x\n"),
    (".yaml", "[" * 5000),
    (".yaml", "a: b\n" * 300_000),
    (".yaml", "a" * 65 + ": {cube: a.tif}"),
    (".toml", "[town]\ncube = 'a.tif'\nnodata = 0x" + "f" * 5000),
    (".toml", "a = " + "[" * 5000),
  ],
)
def test_malicious_scenes_files(suffix, text):
  assert read_or_reject(scenes_file.read, text.encode(), suffix) is None


def test_yaml_tags_are_ignored():
  text = "town: {cube: !!python/name:os.system '/a.tif'}"
  assert read_or_reject(scenes_file.read, text.encode(), ".yaml") == {"town": {"cube": "/a.tif"}}


@for_any(st.binary(max_size=64), st.integers(0, 127), st.booleans())
def test_archives_with_any_content(noise, position, cut):
  header = hostile_files.npy_header((2, 2), "|u1")
  content = header[:position] + noise + (b"" if cut else header[position:] + bytes(4))
  with tempfile.TemporaryDirectory() as folder:
    path = hostile_files.npz(Path(folder, "a.npz"), **{"fields/train": content, "fields/test": content})
    with contextlib.suppress(RequestError):
      for key in list_arrays(path):
        read_array(path, key)
    with contextlib.suppress(RequestError):
      read_splits(path, {"fields": np.ones((2, 2), np.int32)}, 1)


@for_any(st.binary(min_size=1, max_size=8), st.integers(0, 90), st.booleans())
def test_matlab_files_with_any_content(noise, position, pack):
  element = bytearray(hostile_files.matrix((4, 4), bytes(16)))
  element[position : position + len(noise)] = noise
  with tempfile.TemporaryDirectory() as folder:
    path = hostile_files.mat_5(
      Path(folder, "a.mat"), hostile_files.compressed(bytes(element)) if pack else bytes(element)
    )
    with contextlib.suppress(RequestError):
      read_array(path, None)

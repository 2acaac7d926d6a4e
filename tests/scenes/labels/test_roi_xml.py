"""Regions of interest of ENVI in XML."""

import numpy as np
import pyproj
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def cube(tmp_path):
  return formats.save_raster(tmp_path / "cube.tif", _CUBE)


def _polygon(*rings):
  parts = [
    f"<{kind}><LinearRing><Coordinates>{ring}</Coordinates></LinearRing></{kind}>"
    for kind, ring in zip(("Exterior", "Interior", "Interior"), rings)
  ]
  return f"<Polygon>{''.join(parts)}</Polygon>"


def _region(name, colour, system, *shapes):
  geometry = f"<GeometryDef><CoordSysStr>{system}</CoordSysStr>{''.join(shapes)}</GeometryDef>"
  return f'<Region name="{name}" color="{colour}">{geometry}</Region>'


def _save(path, *regions):
  text = f'<?xml version="1.0" encoding="UTF-8"?>\n<RegionsOfInterest version="1.1">{"".join(regions)}'
  path.write_text(f"{text}</RegionsOfInterest>")
  return path


def test_regions_in_columns_and_rows(cube, tmp_path):
  square = _polygon("0 0 3 0 3 3 0 3 0 0", "1 1 2 1 2 2 1 2 1 1")
  points = "<Point><Coordinates>3.5 0.5</Coordinates></Point>"
  several = "<MultiPoint><Coordinates>3.5 1.5 3.5 2.5</Coordinates></MultiPoint>"
  labels = _save(
    tmp_path / "a.xml",
    _region("meadow", "0,0,255", "none", square),
    _region("roof", "255,0,0", "none", points, several),
  )
  scene = formats.read(cube, labels)
  np.testing.assert_array_equal(scene.labels, [[1, 1, 1, 2], [1, 0, 1, 2], [1, 1, 1, 2]])
  np.testing.assert_array_equal(scene.units, [[1, 1, 1, 2], [1, 0, 1, 3], [1, 1, 1, 4]])
  assert scene.class_names == {1: "meadow", 2: "roof"}
  assert scene.class_colours == {1: (0, 0, 255), 2: (255, 0, 0)}
  plain = formats.save_raster(tmp_path / "plain.tif", _CUBE, crs=None)
  np.testing.assert_array_equal(formats.read(plain, labels).labels, scene.labels)


def test_regions_in_map_coordinates(cube, tmp_path):
  wkt = pyproj.CRS.from_user_input(formats.CRS).to_wkt("WKT1_ESRI").replace('"', "&quot;")
  shape = _polygon("500000 5400000 500020 5400000 500020 5399990 500000 5399990 500000 5400000")
  line = "<LineString><Coordinates>500005 5399975 500035 5399975</Coordinates></LineString>"
  regions = _region("a", "", wkt, shape), _region("b", "", wkt, line)
  scene = formats.read(cube, _save(tmp_path / "a.xml", *regions))
  np.testing.assert_array_equal(scene.labels, [[1, 1, 0, 0], [0, 0, 0, 0], [2, 2, 2, 2]])


def test_parts_without_a_shape_are_counted(cube, tmp_path):
  shape = _polygon("0 0 3 0 3 3 0 3 0 0")
  other = '<Region name="c"><PixelDef><Pixels>1 2</Pixels></PixelDef></Region>'
  point = "<Point><Coordinates>3.5 0.5</Coordinates></Point>"
  regions = _region("a", "", "none", shape), _region("b", "1,2", "none", point), other
  scene = formats.read(cube, _save(tmp_path / "a.xml", *regions))
  assert scene.remarks == ("1 part of a region without a shape, such as pixels or thresholds, left out",)


@pytest.mark.parametrize(
  ("regions", "message"),
  [
    ([_region("a", "", "none", _polygon("0 0 1"))], "has a Polygon that is none"),
    ([_region("a", "", "none", _polygon("0 0 1 1 2 b"))], "has a Polygon that is none"),
    ([_region("a", "", "what", _polygon("0 0 1 0 1 1"))], "an unknown coordinate reference system"),
    (
      [_region("a", "", system, _polygon("0 0 1 0 1 1")) for system in ("EPSG:4326", "none")],
      "regions in several coordinate reference systems",
    ),
    ([], "no shape has a class"),
    (["<Region>"], "cannot be read as XML"),
  ],
)
def test_invalid_regions_are_rejected(cube, tmp_path, regions, message):
  with pytest.raises(RequestError, match=message) as error:
    formats.read(cube, _save(tmp_path / "a.xml", *regions))
  assert "\n" not in str(error.value)


def test_other_xml_is_rejected(cube, tmp_path):
  (tmp_path / "METADATA.XML").write_text("<level_X/>")
  with pytest.raises(RequestError, match=r"first element 'level_X'; .* regions of interest of ENVI"):
    formats.read(cube, tmp_path / "METADATA.XML")

"""Regions of interest of ENVI in XML."""

from pathlib import Path
from xml.sax.saxutils import escape

import pyproj

from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.roi_xml import read_roi_xml
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((3, 4), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_POLYGON = (
  "<Polygon><Exterior><LinearRing><Coordinates>{}</Coordinates></LinearRing></Exterior></Polygon>"
  "<Point><Coordinates>3.5 0.5</Coordinates></Point>"
)


def seeds(folder: Path) -> list[bytes]:
  places = (
    ("none", "0 0 3 0 3 3 0 3 0 0"),
    (
      escape(pyproj.CRS(formats.CRS).to_wkt("WKT1_ESRI")),
      "500000 5400000 500020 5400000 500020 5399990 500000 5400000",
    ),
  )
  regions = [
    f'<Region name="meadow" color="0,0,255"><GeometryDef><CoordSysStr>{crs}</CoordSysStr>'
    f"{_POLYGON.format(ring)}</GeometryDef></Region>"
    for crs, ring in places
  ]
  return [f'<RegionsOfInterest version="1.1">{region}</RegionsOfInterest>'.encode() for region in regions]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.xml"
  path.write_bytes(data)
  label_features(read_roi_xml(path, Reading()), _GRID, Reading())

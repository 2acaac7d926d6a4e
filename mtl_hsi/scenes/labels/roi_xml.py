"""Regions of interest of ENVI in XML.

<RegionsOfInterest> has a <Region name="..." color="r,g,b"> for each region, with a <GeometryDef> for each
group of shapes: its <CoordSysStr> is the coordinate reference system as WKT, or "none" for columns and rows
of the image, and its <Polygon>, <LineString> and <Point> have their <Coordinates> as pairs of numbers.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyproj
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import xml_files
from mtl_hsi.scenes.labels.class_table import RGB
from mtl_hsi.scenes.labels.features import Features
from mtl_hsi.scenes.labels.label_set import Reading

_ROOT = "RegionsOfInterest"
_NONE = ("", "none")
_PARTS = {"Polygon", "LineString", "Point", "MultiPoint"}


def read_roi_xml(path: Path, reading: Reading) -> Features:
  """Reads the shapes of all regions; a region is a class, and each shape or point of it a unit.

  Raises:
    RequestError: the file is not XML of regions, or its shapes are in several coordinate reference systems.
  """
  where = str(path.absolute())
  try:
    root = xml_files.read_xml(path)
  except (OSError, ValueError) as error:
    raise RequestError(f"{where} cannot be read as XML ({error}); download it again") from error
  if root.tag != _ROOT:
    raise RequestError(
      f"{where} has the first element {root.tag[:60]!r}; the XML files of labels that are read are regions "
      f"of interest of ENVI ({_ROOT})"
    )
  shapes, names, systems, colours, others = [], [], set(), {}, 0
  for region in root.iter("Region"):
    name = region.get("name", "").strip()
    colour = _colour(region.get("color", ""))
    if colour is not None:
      colours.setdefault(name, colour)
    for group in region:
      if group.tag != "GeometryDef":
        others += 1
        continue
      found = list(_shapes(group, where))
      systems.add((group.findtext("CoordSysStr") or "").strip())
      shapes += found
      names += [name] * len(found)
  remarks = ()
  if others:
    parts = noun(others, "part of a region", "parts of regions")
    remarks = (f"{others} {parts} without a shape, such as pixels or thresholds, left out",)
  crs = _crs(systems, where) if reading.crs is None else pyproj.CRS.from_user_input(reading.crs)
  return Features(
    where=where,
    shapes=np.array(shapes, object),
    crs=crs,
    classes=names,
    titles=[str(index) for index in range(len(names))],
    nouns=("shape", "shapes"),
    colours=colours,
    in_pixels=crs is None,
    remarks=remarks,
  )


def _shapes(group: ElementTree.Element, where: str) -> Iterator[shapely.Geometry]:
  for element in group:
    if element.tag not in _PARTS:
      continue
    try:
      if element.tag == "Polygon":
        outside = [_coordinates(part) for part in element.findall("Exterior//Coordinates")]
        inside = [_coordinates(part) for part in element.findall("Interior//Coordinates")]
        yield shapely.Polygon(outside[0] if outside else None, inside)
      elif element.tag == "LineString":
        yield from (shapely.LineString(_coordinates(part)) for part in element.iter("Coordinates"))
      else:
        for part in element.iter("Coordinates"):
          yield from shapely.points(_coordinates(part))
    except (ValueError, shapely.errors.ShapelyError) as error:
      reason = " ".join(str(error).split())
      raise RequestError(f"{where} has a {element.tag} that is none ({reason}); export it again") from error


def _coordinates(element: ElementTree.Element) -> np.ndarray:
  """Returns the points of an element, float64 `[n, 2]`."""
  numbers = np.array((element.text or "").replace(",", " ").split(), float)
  return numbers.reshape(-1, 2)


def _crs(systems: set[str], where: str) -> pyproj.CRS | None:
  known = {text for text in systems if text.lower() not in _NONE}
  if len(known) > 1 or (known and len(systems) > 1):
    raise RequestError(f"{where} has regions in several coordinate reference systems; export them in one")
  if not known:
    return None
  try:
    return pyproj.CRS.from_wkt(known.pop())
  except pyproj.exceptions.CRSError as error:
    reason = " ".join(str(error).split())[:200]
    raise RequestError(f"{where} has an unknown coordinate reference system ({reason})") from error


def _colour(text: str) -> RGB | None:
  parts = text.split(",")
  if len(parts) != 3 or not all(part.strip().isdecimal() and len(part.strip()) <= 3 for part in parts):
    return None
  colour = tuple(int(part) for part in parts)
  return colour if max(colour) < 256 else None

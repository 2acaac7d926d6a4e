"""What a file of labels is, by its ending and beginning."""

import enum
import os
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import SUFFIXES as ARRAY_SUFFIXES
from mtl_hsi.scenes.labels import roi_text, vector_files

_TABLES = (".csv", ".tsv", ".txt", ".roi")
# The first word of a grid as text, which is a raster.
_GRID = b"ncols"

_SHEET = "a spreadsheet; save the sheet of the labels as CSV"
_PART = "a part of a Shapefile; name the .shp file, and keep the others beside it"
_VECTOR = "a format of features that is not read; save the labels as GeoPackage (.gpkg)"
_PROJECT = "a project or style of a GIS, without the labels themselves; save their layer as GeoPackage"
_ARCHIVE = "an archive that is not read; unpack it and name the file of the labels"
# What files of other endings are, and what to do.
_OTHERS = {
  **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods", ".numbers"), _SHEET),
  **dict.fromkeys((".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix"), _PART),
  **dict.fromkeys((".tab", ".mif", ".mid", ".gpx", ".dxf", ".dwg", ".sqlite", ".mdb", ".evf"), _VECTOR),
  **dict.fromkeys((".geojsonl", ".geojsons", ".topojson", ".pmtiles", ".mbtiles", ".osm", ".pbf"), _VECTOR),
  **dict.fromkeys((".qgs", ".qgz", ".qml", ".qlr", ".mxd", ".aprx", ".lyr", ".lyrx"), _PROJECT),
  **dict.fromkeys((".7z", ".rar", ".gz", ".tar", ".tgz", ".bz2", ".xz"), _ARCHIVE),
  ".kmz": "a zip of a KML file; unpack it and name the .kml file in it",
  ".pdf": "a document; save the labels as GeoPackage, GeoTIFF or CSV",
  ".docx": "a document; save the labels as CSV",
}


class Kind(enum.Enum):
  """How the labels in a file are read."""

  ARRAY = enum.auto()
  TABLE = enum.auto()
  FEATURES = enum.auto()
  ROI_TEXT = enum.auto()
  ROI_XML = enum.auto()
  RASTER = enum.auto()


# Kinds with columns, and with named layers or arrays.
WITH_COLUMNS = Kind.TABLE, Kind.FEATURES
WITH_KEYS = Kind.ARRAY, Kind.FEATURES


def find_kind(path: Path) -> Kind:
  """Returns what a file is.

  Raises:
    RequestError: its labels cannot be read; says what it is and what to do.
  """
  suffix = path.suffix.lower()
  if suffix in ARRAY_SUFFIXES:
    return Kind.ARRAY
  if suffix in vector_files.SUFFIXES:
    return Kind.FEATURES
  if suffix in _OTHERS:
    raise RequestError(f"{path.absolute()} is {_OTHERS[suffix]}")
  if os.path.isdir(path):
    raise RequestError(f"{path.absolute()} is a folder; name the file of the labels in it{_candidates(path)}")
  if suffix == ".xml":
    return Kind.ROI_XML
  return _kind_of_text(path) if suffix in _TABLES and os.path.isfile(path) else _kind_by_name(suffix)


def _kind_by_name(suffix: str) -> Kind:
  """Returns the kind of a file that is missing or may be a raster."""
  return Kind.TABLE if suffix in _TABLES else Kind.RASTER


def _kind_of_text(path: Path) -> Kind:
  if roi_text.is_roi_text(path):
    return Kind.ROI_TEXT
  if path.suffix.lower() == ".roi":
    raise RequestError(
      f"{path.absolute()} is not text; open the regions in ENVI and export them as XML, or as text (ASCII) "
      "with the locations of pixels"
    )
  with path.open("rb") as file:
    grid = file.read(len(_GRID)).lower() == _GRID
  return Kind.RASTER if grid else Kind.TABLE


def _candidates(folder: Path) -> str:
  """Returns names of files in a folder that may have labels, in brackets, or ""."""
  known = (*ARRAY_SUFFIXES, *vector_files.SUFFIXES, *_TABLES, ".tif", ".hdr")
  found = sorted(entry.name for entry in os.scandir(folder) if Path(entry.name).suffix.lower() in known)
  return f" ({', '.join(found[:5])})" if found else ""

"""Reads features, such as polygons, with a column of classes from a file of any vector format."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import geopandas
import numpy as np
import pyogrio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels import shapefile_text, xml_features
from mtl_hsi.scenes.labels.features import Features, errors_as_requests
from mtl_hsi.scenes.labels.label_set import Reading
from mtl_hsi.scenes.labels.vector_archives import unpacked
from mtl_hsi.scenes.labels.vector_files import PARQUET_SUFFIXES, XML_SUFFIXES, check_vector_file

# Usual names of the column with the classes.
CLASS_COLUMNS = ("class", "label", "class_id", "class_name")
# Columns that programs add to every file.
_ADDED = ("id", "fid", "gml_id", "objectid", "shape_length", "shape_leng", "shape_area", "area", "perimeter")
# Columns that KML has always; the class may be the name.
_KML = (
  *("name", "description", "timestamp", "begin", "end", "altitudemode", "tessellate", "extrude"),
  *("visibility", "draworder", "icon", "snippet"),
)
_DEGREES = 360.0


def read_features(path: Path, layer: str | None, reading: Reading) -> Features:
  """Reads features.

  Args:
    path: the file, the folder of a FileGDB, or a zip of one of these.
    layer: the layer, or None for the only one.
    reading: the column of the classes (None selects one of `CLASS_COLUMNS`, or the only column) and further
      options.

  Raises:
    RequestError: the file cannot be read, has no class column or no coordinate reference system, or refers to
      other files or hosts.
  """
  where = str(path.absolute())
  with unpacked(path) as file:
    frame, remarks = _read_frame(file, layer, where)
  frame = _with_crs(frame, reading.crs, where)
  existing = [str(name) for name in frame.columns if name != frame.geometry.name]
  column = class_column(existing, reading, file.suffix.lower(), where)
  uses = None
  if reading.split is not None:
    missing = frame[reading.split].isna()
    uses = ["" if lacks else str(use) for use, lacks in zip(frame[reading.split], missing)]
  return Features(
    where=where,
    shapes=np.array(frame.geometry.to_numpy(), object),
    crs=frame.crs,
    classes=frame[column].tolist(),
    titles=[str(index) for index in range(len(frame))],
    column=column,
    uses=uses,
    remarks=remarks,
  )


def read_frame(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
  """Returns the features of a file with all their columns.

  Args:
    path: as for `read_features`.
    layer: likewise.

  Raises:
    RequestError: the file cannot be read, or refers to other files or hosts.
  """
  with unpacked(path) as file:
    return _read_frame(file, layer, str(path.absolute()))[0]


def _read_frame(file: Path, layer: str | None, where: str) -> tuple[geopandas.GeoDataFrame, tuple[str, ...]]:
  """Returns the features, and remarks on the text of a Shapefile."""
  suffix = file.suffix.lower()
  check_vector_file(file, where)
  if suffix in PARQUET_SUFFIXES:
    # Imported here as few files are of this format.
    from mtl_hsi.scenes.labels import geoparquet

    with errors_as_requests(f"{where} cannot be read as GeoParquet", "download it or save it again"):
      return geoparquet.read_frame(file, where), ()
  if suffix in XML_SUFFIXES:
    with xml_features.cleaned(file, where) as clean:
      return _read_layer(clean, layer, where), ()
  if suffix == ".shp" and shapefile_text.is_undeclared(file):
    return shapefile_text.decoded(_read_layer(file, layer, where, encoding="ISO-8859-1"), file.name)
  return _read_layer(file, layer, where), ()


def _read_layer(file: Path, layer: str | None, where: str, **options: str) -> geopandas.GeoDataFrame:
  file = file.absolute()
  with (
    errors_as_requests(f"{where} cannot be read as features", "download it again"),
    warnings.catch_warnings(),
  ):
    # GDAL warns about files that deviate from their format.
    warnings.simplefilter("ignore", RuntimeWarning)
    return geopandas.read_file(file, layer=_layer(file, layer, where), engine="pyogrio", **options)


def _layer(file: Path, layer: str | None, where: str) -> str:
  layers = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
  if layer is None and len(layers) == 1:
    return layers[0]
  if layer not in layers:
    problem = "does not have exactly one layer" if layer is None else f"has no layer {layer!r}"
    raise RequestError(
      f"{where} {problem} (layers: {', '.join(layers) or 'none'}); select one with labels_key, or "
      "with test_key for test labels"
    )
  return layer


def _with_crs(frame: geopandas.GeoDataFrame, given: str | None, where: str) -> geopandas.GeoDataFrame:
  """Returns the features in the reference system that is given, or else in that of the file."""
  if given is not None:
    return frame.set_crs(given, allow_override=True)
  largest = np.nanmax(np.abs(frame.total_bounds), initial=0)
  if frame.crs is not None and frame.crs.is_geographic and largest > _DEGREES:
    of_format = ", as GeoJSON without `crs` always is" if Path(where).suffix in (".geojson", ".json") else ""
    raise RequestError(
      f"{where} has coordinates up to {largest:.10g}, but its coordinate reference system is in degrees "
      f"({frame.crs.name}){of_format}; name the right one, such as labels_crs=EPSG:32633"
    )
  return frame


def class_column(existing: Sequence[str], reading: Reading, suffix: str, where: str) -> str:
  """Returns the name of the column with the classes, and checks that all columns that are named exist.

  Args:
    existing: names of all columns, without that of the geometry.
    reading: the columns that are named.
    suffix: ending of the file, in lower case.
    where: the file, for messages.

  Raises:
    RequestError: a column is missing, or the column of the classes cannot be told.
  """
  for column in filter(None, (reading.classes, reading.split)):
    if column not in existing:
      raise RequestError(f"{where} has no column {column!r} (columns: {', '.join(existing) or 'none'})")
  if reading.classes is not None:
    return reading.classes
  left = [name for name in existing if name != reading.split]
  likely = [name for name in left if name.lower() in CLASS_COLUMNS]
  added = (*_ADDED, *_KML) if suffix == ".kml" else _ADDED
  own = [name for name in left if name.lower() not in added]
  names = [name for name in left if suffix == ".kml" and name.lower() == "name"]
  for group in (likely, left, own, names if not own else ()):
    if len(group) == 1:
      return group[0]
  raise RequestError(
    f"{where}: cannot tell which column has the classes (columns: {', '.join(existing) or 'none'}); name it "
    "with label_column, --config.files.<scene>.label_column=<column>"
  )

"""Features in GeoParquet."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas
import pandas
import pyproj

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

# The most memory, in bytes, for a cell and for a stored byte without compression: WKB becomes a shape.
_CELL, _RATIO = 256, 32


def read_frame(path: Path, where: str) -> geopandas.GeoDataFrame:
  """Reads all features of a file; texts stay in a dictionary, so that repeated ones need no memory.

  Args:
    path: the file.
    where: the file that the user named, for messages.

  Raises:
    RequestError: pyarrow is not installed, or the file has no geometries in WKB or might not fit into memory.
    Exception: pyarrow finds damage.
  """
  try:
    from pyarrow import parquet
  except ImportError:
    raise RequestError(
      f"{where} needs pyarrow: pip install 'mtl_hsi[parquet]', or save it as GeoPackage"
    ) from None
  metadata = parquet.read_metadata(path)
  _check_size(metadata, where)
  names = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
  # No threads, which would each hold a column.
  table = parquet.read_table(path, read_dictionary=names, use_threads=False)
  described = _geometry(metadata.metadata, where)
  column, crs = described["column"], described["crs"]
  if column not in table.column_names:
    raise RequestError(f"{where} has no column {column!r}, which its metadata name as the geometry")
  frame = table.drop_columns([column]).to_pandas(use_threads=False)
  for name in frame.columns:
    frame[name] = _shared(frame[name], list)
  shapes = table[column].combine_chunks().to_pandas(use_threads=False)
  values = _shared(shapes, lambda different: geopandas.GeoSeries.from_wkb(different).to_numpy())
  return geopandas.GeoDataFrame(frame, geometry=geopandas.GeoSeries(values, crs=crs))


def _shared(column: pandas.Series, decode: Callable[[pandas.Index], Sequence[Any]]) -> pandas.Series:
  """Returns the values of a column; equal ones of a dictionary are decoded once, and are the same object."""
  if not isinstance(column.dtype, pandas.CategoricalDtype):
    return column
  different = decode(column.cat.categories)
  values = [None if code < 0 else different[code] for code in column.cat.codes]
  return pandas.Series(values, column.index, object)


def _check_size(metadata: Any, where: str) -> None:
  """Checks that the features fit into free memory, by what the metadata declare."""
  groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
  stored = sum(max(group.total_byte_size, 0) for group in groups)
  cells = max(metadata.num_rows, 0) * max(metadata.num_columns, 1)
  memory.check_fits((_CELL * cells + _RATIO * stored) // 2, where)


def _geometry(metadata: dict[bytes, bytes] | None, where: str) -> dict[str, Any]:
  """Returns the name and the reference system, or None, of the column with the geometries."""
  try:
    found = json.loads((metadata or {})[b"geo"])
    column = found["primary_column"]
    described = found["columns"][column]
    encoding = described["encoding"]
  except (KeyError, TypeError, ValueError, RecursionError):
    raise RequestError(
      f"{where} has no GeoParquet metadata; save it with geopandas or QGIS, or as GeoPackage"
    ) from None
  if encoding != "WKB":
    raise RequestError(
      f"{where} has geometries as {str(encoding)[:40]!r}; save them as WKB, or as GeoPackage"
    )
  # Without this member, coordinates are longitude and latitude.
  crs = described.get("crs", pyproj.CRS("OGC:CRS84").to_json_dict())
  return {"column": column, "crs": None if crs is None else pyproj.CRS.from_json_dict(crs)}

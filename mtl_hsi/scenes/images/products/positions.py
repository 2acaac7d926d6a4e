"""Georeferences and dates from the metadata of products."""

import datetime
import re
from collections.abc import Sequence

import numpy as np
import rasterio
from rasterio.errors import CRSError

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Georeference

_DATE = re.compile(r"(?=(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01]))")


def georeference(crs: int | str, transform: Sequence[float], where: str) -> Georeference:
  """Returns a georeference.

  Args:
    crs: EPSG code, as a number or as "EPSG:32633", or WKT.
    transform: coefficients (a, b, c, d, e, f) of `Georeference.transform`.
    where: the source, for messages.

  Raises:
    RequestError: the reference system is unknown, or the transform is not finite or not invertible.
  """
  a, b, _, d, e, _ = transform
  if not np.isfinite(transform).all() or not a * e - b * d:
    raise RequestError(f"{where}: the transform {tuple(transform)} gives its pixels no extent")
  code = re.fullmatch(r"\s*(?:EPSG:)?(\d{1,9})\s*", str(crs), re.IGNORECASE)
  try:
    found = rasterio.CRS.from_epsg(int(code[1])) if code else rasterio.CRS.from_wkt(str(crs))
    return Georeference(found.to_wkt(), tuple(map(float, transform)))
  except CRSError as error:
    name = f"EPSG:{code[1]}" if code else f"{str(crs)[:40]!r}"
    raise RequestError(f"{where}: the coordinate reference system {name} is unknown") from error


def from_gdal(coefficients: Sequence[float]) -> tuple[float, float, float, float, float, float]:
  """Returns the six coefficients of a geotransform of GDAL in the order of `Georeference.transform`."""
  c, a, b, f, d, e = map(float, coefficients)
  return a, b, c, d, e, f


def parse_geotransform(text: str | None) -> tuple[float, float, float, float, float, float] | None:
  """Returns the transform for a text with a geotransform of GDAL, six numbers; None if it is no such text."""
  try:
    numbers = [float(part) for part in (text or "").replace(",", " ").split()]
  except ValueError:
    return None
  return from_gdal(numbers) if len(numbers) == 6 else None


def north_up(
  left: float, top: float, right: float, bottom: float, shape: tuple[int, int]
) -> tuple[float, float, float, float, float, float]:
  """Returns the transform of a grid without rotation, by its outer edges and its rows and columns."""
  height, width = shape
  return (right - left) / width, 0.0, left, 0.0, (bottom - top) / height, top


def find_date(*texts: str | None) -> str | None:
  """Returns the first date in the texts, such as "2022-06-25", written as 2022-06-25 or 20220625, or None."""
  for text in filter(None, texts):
    for year, month, day in _DATE.findall(text):
      try:
        return datetime.date(int(year), int(month), int(day)).isoformat()
      except ValueError:
        continue
  return None

"""The width of a pixel on the ground, for a scale bar."""

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError

from mtl_hsi.scenes.scene import Georeference

# Rows at which the length is computed; a degree of longitude is shorter farther from the equator.
_ROWS = 9
# Columns on both sides of the middle between which the length is measured, in pixels.
_REACH = 0.5


def metres_per_column(georeference: Georeference | None, height: int, width: int) -> list[float]:
  """Returns the geodesic distance from one column to the next, at rows from the first to the last.

  Args:
    georeference: of the image, or None.
    height: H.
    width: W.

  Returns:
    Metres at the middle column, for equally spaced rows; 0 at a pole. Empty if the image is not
    georeferenced.
  """
  if georeference is None or georeference.crs is None:
    return []
  try:
    crs = pyproj.CRS.from_user_input(georeference.crs)
    if crs.geodetic_crs is None:
      return []
    metres = _geodesic(crs, georeference.transform, np.linspace(0, height, min(height, _ROWS)), width / 2)
  except (CRSError, ProjError):
    return []
  return metres.tolist() if np.isfinite(metres).all() and metres.max() > 0 else []


def _geodesic(crs, transform, rows, column):
  a, b, c, d, e, f = transform
  to_ground = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
  unit = crs.geodetic_crs.axis_info[0].unit_conversion_factor

  def place(columns):
    x, y = a * columns + b * rows + c, d * columns + e * rows + f
    return (unit * np.asarray(angle) for angle in to_ground.transform(x, y))

  ends = [*place(column - _REACH), *place(column + _REACH)]
  with np.errstate(invalid="ignore"):
    return np.asarray(crs.get_geod().inv(*ends, radians=True)[2])

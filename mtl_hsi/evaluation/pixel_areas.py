"""Hectares of the pixels of an image, from its place on the ground."""

import dataclasses

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError

from mtl_hsi.scenes.scene import Georeference

# Areas are computed at so many places along each side; between them they change evenly.
_PLACES = 65
# Up to this share a system's own areas are taken for true. UTM's are off by 0.1 % at most within a zone; Web
# Mercator's are twice the true ones at 45 degrees.
_FAITHFUL = 0.002
_SQUARE_METRES = 10_000


@dataclasses.dataclass(frozen=True, eq=False)
class PixelAreas:
  """Hectares of the pixels of an image.

  Attributes:
    rows: of the places where they are known, ascending `[m]`.
    columns: likewise `[n]`.
    hectares: of a pixel there `[m, n]`; a single place stands for all pixels.
  """

  rows: np.ndarray
  columns: np.ndarray
  hectares: np.ndarray

  def by_id(self, ids: np.ndarray, rows: slice, columns: slice, length: int) -> np.ndarray:
    """Sums of hectares, `[length]`, of the pixels of every id from 0.

    Args:
      ids: of the pixels of a window, `[h, w]`, less than `length`.
      rows: of the window.
      columns: likewise.
      length: how many ids there are.
    """
    if self.hectares.size == 1:
      return np.bincount(ids.ravel(), minlength=length) * self.hectares.item()
    down = _between(self.rows, np.arange(rows.start, rows.stop))
    across = _between(self.columns, np.arange(columns.start, columns.stop))
    own = down @ self.hectares @ across.T
    return np.bincount(ids.ravel(), own.ravel(), length)


def pixel_areas(georeference: Georeference | None, height: int, width: int) -> PixelAreas | None:
  """Areas of the pixels of an image on the ellipsoid.

  Of a projected system that keeps areas to 0.2 % all over the image, such as UTM, all pixels have the area
  that the system gives them.

  Args:
    georeference: of the image, or None.
    height: H.
    width: W.

  Returns:
    None where the image has no place on Earth.
  """
  if georeference is None:
    return None
  try:
    crs = pyproj.CRS.from_user_input(georeference.crs)
    if crs.geodetic_crs is None:
      return None
    rows, columns = (np.linspace(0, size - 1, min(size, _PLACES)) for size in (height, width))
    metres = _square_metres(crs, georeference.transform, rows, columns)
  except (CRSError, ProjError):
    return None
  if not np.isfinite(metres).all():
    return None
  if crs.is_projected:
    a, b, _, d, e, _ = georeference.transform
    nominal = abs(a * e - b * d) * crs.axis_info[0].unit_conversion_factor ** 2
    if np.abs(metres / nominal - 1).max() <= _FAITHFUL:
      return PixelAreas(rows[:1], columns[:1], np.full((1, 1), nominal / _SQUARE_METRES))
  return PixelAreas(rows, columns, metres / _SQUARE_METRES)


def _square_metres(crs, transform, rows, columns) -> np.ndarray:
  """Of pixels `[m, n]`: the parallelogram of the lines through the middle of one, from edge to edge."""
  a, b, c, d, e, f = transform
  ground = crs.geodetic_crs
  to_ground = pyproj.Transformer.from_crs(crs, ground, always_xy=True)
  unit = ground.axis_info[0].unit_conversion_factor
  ellipsoid = ground.get_geod()

  def place(row, column):
    """Metres from the centre of the Earth, `[m, n, 3]`: there neither poles nor the date line are a seam."""
    row, column = np.meshgrid(rows + row, columns + column, indexing="ij")
    x, y = a * column + b * row + c, d * column + e * row + f
    longitude, latitude = (unit * np.asarray(angle) for angle in to_ground.transform(x, y))
    radius = ellipsoid.a / np.sqrt(1 - ellipsoid.es * np.sin(latitude) ** 2)
    return np.stack(
      [
        radius * np.cos(latitude) * np.cos(longitude),
        radius * np.cos(latitude) * np.sin(longitude),
        radius * (1 - ellipsoid.es) * np.sin(latitude),
      ],
      axis=-1,
    )

  with np.errstate(invalid="ignore"):
    across, down = place(0.5, 1) - place(0.5, 0), place(1, 0.5) - place(0, 0.5)
    return np.linalg.norm(np.cross(across, down), axis=-1)


def _between(places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  """Weights of values at places `[m]` that interpolate them linearly, `[wanted, m]`."""
  return np.stack([np.interp(wanted, places, weights) for weights in np.eye(len(places))], axis=1)

"""Area of every class in a map, in pixels and, if the image is georeferenced, in hectares."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError

from mtl_hsi.scenes.scene import Georeference

# Areas are computed at this many positions along each side and interpolated linearly between them.
_POSITIONS = 65
# Largest relative error at which areas in a projected system are accepted. UTM is at most 0.1% off within
# a zone; Web Mercator doubles areas at 45 degrees.
_TOLERANCE = 0.002
_SQUARE_METRES = 10_000


@dataclasses.dataclass(frozen=True, eq=False)
class PixelAreas:
  """Hectares of the pixels of an image.

  Attributes:
    rows: rows of the positions with a known area, ascending `[m]`.
    columns: columns of these positions, ascending `[n]`.
    hectares: area of a pixel at each position `[m, n]`; a single value holds for all pixels.
  """

  rows: np.ndarray
  columns: np.ndarray
  hectares: np.ndarray

  def by_id(self, ids: np.ndarray, rows: slice, columns: slice, length: int) -> np.ndarray:
    """Sums the hectares of the pixels with each id from 0, `[length]`.

    Args:
      ids: ids of the pixels of a window, `[h, w]`, below `length`.
      rows: rows of the window in the image.
      columns: columns of the window in the image.
      length: number of ids.
    """
    if self.hectares.size == 1:
      return np.bincount(ids.ravel(), minlength=length) * self.hectares.item()
    return np.bincount(ids.ravel(), self.of_window(rows, columns).ravel(), length)

  def of_window(self, rows: slice, columns: slice) -> np.ndarray:
    """Returns the hectares of every pixel of a window of the image, `[h, w]`."""
    if self.hectares.size == 1:
      return np.full((rows.stop - rows.start, columns.stop - columns.start), self.hectares.item())
    down = _between(self.rows, np.arange(rows.start, rows.stop))
    across = _between(self.columns, np.arange(columns.start, columns.stop))
    return down @ self.hectares @ across.T


def pixel_areas(georeference: Georeference | None, height: int, width: int) -> PixelAreas | None:
  """Computes the areas of an image's pixels on the ellipsoid.

  If a projected system, such as UTM, preserves areas to 0.2% everywhere in the image, all pixels have their
  nominal area.

  Args:
    georeference: of the image, or None.
    height: H.
    width: W.

  Returns:
    None if the image has no position on Earth.
  """
  if georeference is None or georeference.crs is None:
    return None
  try:
    crs = pyproj.CRS.from_user_input(georeference.crs)
    if crs.geodetic_crs is None:
      return None
    rows, columns = (np.linspace(0, size - 1, min(size, _POSITIONS)) for size in (height, width))
    metres = _square_metres(crs, georeference.transform, rows, columns)
  except (CRSError, ProjError):
    return None
  if not np.isfinite(metres).all():
    return None
  if crs.is_projected:
    a, b, _, d, e, _ = georeference.transform
    nominal = abs(a * e - b * d) * crs.axis_info[0].unit_conversion_factor ** 2
    if np.abs(metres / nominal - 1).max() <= _TOLERANCE:
      return PixelAreas(rows[:1], columns[:1], np.full((1, 1), nominal / _SQUARE_METRES))
  return PixelAreas(rows, columns, metres / _SQUARE_METRES)


def _square_metres(crs, transform, rows, columns) -> np.ndarray:
  """Returns areas `[m, n]`: of the parallelogram spanned by the two centre lines of a pixel."""
  a, b, c, d, e, f = transform
  ground = crs.geodetic_crs
  to_ground = pyproj.Transformer.from_crs(crs, ground, always_xy=True)
  unit = ground.axis_info[0].unit_conversion_factor
  ellipsoid = ground.get_geod()

  def place(row, column):
    """Returns geocentric coordinates in metres, `[m, n, 3]`, which have no seam at poles or date line."""
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


def _between(positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  """Returns the weights `[wanted, m]` that interpolate values at positions `[m]` linearly."""
  return np.stack([np.interp(wanted, positions, weights) for weights in np.eye(len(positions))], axis=1)


def class_areas(
  maps: np.ndarray, class_ids: Sequence[int], nodata: np.ndarray | None, pixels: PixelAreas | None
) -> list[dict]:
  """Counts the pixels of every class in the maps of all replicas, without correction for map errors.

  Args:
    maps: class ids `[R, H, W]`.
    class_ids: class ids of the scene `[C]`.
    nodata: True for pixels to exclude, bool `[H, W]`, or None.
    pixels: areas of the pixels, or None.

  Returns:
    For every class `map_pixels` and `map_hectares`, each with `mean` and `std` (population) over replicas;
    `map_hectares` is None if areas are not known.
  """
  _, height, width = maps.shape
  length, ids = max(class_ids) + 1, list(class_ids)
  # 0 is not a class id, so these pixels are not counted.
  measured = maps if nodata is None else np.where(nodata, 0, maps)
  counts = _spread([np.bincount(image.ravel(), minlength=length)[ids] for image in measured])
  hectares = [None] * len(ids)
  if pixels is not None:
    whole = slice(0, height), slice(0, width)
    hectares = _spread([pixels.by_id(image, *whole, length)[ids] for image in measured])
  return [{"map_pixels": count, "map_hectares": area} for count, area in zip(counts, hectares, strict=True)]


def _spread(values: list[np.ndarray]) -> list[dict]:
  """Returns mean and standard deviation over replicas for every class."""
  pairs = zip(np.mean(values, axis=0).tolist(), np.std(values, axis=0).tolist(), strict=True)
  return [{"mean": mean, "std": std} for mean, std in pairs]

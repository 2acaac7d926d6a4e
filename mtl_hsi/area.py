"""Area of every class in a map, in pixels and, where its place on the ground is known, in hectares."""

from collections.abc import Sequence

import numpy as np
import rasterio
from rasterio.errors import CRSError

from mtl_hsi.scenes.scene import Georeference

_SQUARE_METRES = 10_000


def pixel_hectares(georeference: Georeference | None) -> float | None:
  """Hectares of a pixel; None without a georeference in a projected system, whose unit is a length."""
  if georeference is None:
    return None
  try:
    crs = rasterio.crs.CRS.from_user_input(georeference.crs)
  except CRSError:
    return None
  if not crs.is_projected:
    return None
  a, b, _, d, e, _ = georeference.transform
  return abs(a * e - b * d) * crs.linear_units_factor[1] ** 2 / _SQUARE_METRES


def class_areas(
  maps: np.ndarray, class_ids: Sequence[int], nodata: np.ndarray | None, hectares: float | None
) -> list[dict]:
  """Counts the pixels of every class in the maps of all replicas; what classifiers get wrong is wrong here.

  Args:
    maps: class ids `[R, H, W]`.
    class_ids: of the scene `[C]`.
    nodata: pixels that count for nothing, bool `[H, W]`, or None.
    hectares: of a pixel, or None.

  Returns:
    For every class `map_pixels` and `map_hectares`, each `mean` and `std` (population) over replicas, None
    where hectares are not known.
  """
  measured = slice(None) if nodata is None else ~nodata
  counts = [np.bincount(own[measured].ravel(), minlength=max(class_ids) + 1)[class_ids] for own in maps]
  areas = []
  for mean, std in zip(np.mean(counts, axis=0).tolist(), np.std(counts, axis=0).tolist(), strict=True):
    area = hectares and {"mean": mean * hectares, "std": std * hectares}
    areas.append({"map_pixels": {"mean": mean, "std": std}, "map_hectares": area})
  return areas

"""Area of every class in a map, in pixels and, where its place on the ground is known, in hectares."""

from collections.abc import Sequence

import numpy as np

from mtl_hsi.evaluation.pixel_areas import PixelAreas


def class_areas(
  maps: np.ndarray, class_ids: Sequence[int], nodata: np.ndarray | None, pixels: PixelAreas | None
) -> list[dict]:
  """Counts the pixels of every class in the maps of all replicas; what classifiers get wrong is wrong here.

  Args:
    maps: class ids `[R, H, W]`.
    class_ids: of the scene `[C]`.
    nodata: pixels that count for nothing, bool `[H, W]`, or None.
    pixels: their areas, or None.

  Returns:
    For every class `map_pixels` and `map_hectares`, each `mean` and `std` (population) over replicas, None
    where hectares are not known.
  """
  _, height, width = maps.shape
  length, ids = max(class_ids) + 1, list(class_ids)
  # 0 is no class.
  measured = maps if nodata is None else np.where(nodata, 0, maps)
  counts = _spread([np.bincount(own.ravel(), minlength=length)[ids] for own in measured])
  hectares = [None] * len(ids)
  if pixels is not None:
    whole = slice(0, height), slice(0, width)
    hectares = _spread([pixels.by_id(own, *whole, length)[ids] for own in measured])
  return [{"map_pixels": count, "map_hectares": own} for count, own in zip(counts, hectares, strict=True)]


def _spread(values: list[np.ndarray]) -> list[dict]:
  """Mean and standard deviation over replicas, of every class."""
  pairs = zip(np.mean(values, axis=0).tolist(), np.std(values, axis=0).tolist(), strict=True)
  return [{"mean": mean, "std": std} for mean, std in pairs]

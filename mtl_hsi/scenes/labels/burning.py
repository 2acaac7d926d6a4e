"""Burns shapes into an image of classes and one of the shapes' numbers."""

import numpy as np
import shapely
from rasterio import features


def burn(
  shapes: np.ndarray, ids: np.ndarray, numbers: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
  """Burns shapes with classes.

  Args:
    shapes: geometries in columns and rows `[n]`.
    ids: their class ids `[n]`, positive.
    numbers: their numbers `[n]`, positive.
    shape: rows and columns of the image.

  Returns:
    Class ids int32 `[H, W]`, 0 where there is no shape or shapes of several classes; numbers of the shapes
    int32 `[H, W]`; the number of pixels with several classes; and which shapes have no pixel, bool `[n]`.
  """
  image, units, contested = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, bool)
  empty = _too_small(shapes, shape)
  for class_id in np.unique(ids).tolist():
    members = ids == class_id
    # No transform is needed as the shapes are in pixels.
    burnt = features.rasterize(
      list(zip(shapes[members], numbers[members].tolist())), out_shape=shape, dtype=np.int32
    )
    covered = burnt > 0
    empty |= members & (not covered.any())
    contested |= covered & (image > 0)
    image[covered], units[covered] = class_id, burnt[covered]
  image[contested] = units[contested] = 0
  return image, units, int(contested.sum()), empty


def _too_small(shapes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
  """Finds polygons whose bounds contain no pixel centre, and points on the far edges of the scene."""
  last = np.array(shape[::-1]) - 1
  bounds = shapely.bounds(shapes)
  first_centre = np.maximum(np.ceil(bounds[:, :2] - 0.5), 0)
  last_centre = np.minimum(np.floor(bounds[:, 2:] - 0.5), last)
  between = (first_centre > last_centre).any(axis=1)
  beyond = (np.floor(bounds[:, :2]) > last).any(axis=1)
  return np.where(shapely.get_dimensions(shapes) == 2, between, beyond)

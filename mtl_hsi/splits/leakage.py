"""What a split leaks: the share of test pixels whose surroundings the network has seen in training."""

import numpy as np
from scipy import ndimage

from mtl_hsi.splits.split import Split, pixels_of


def near(pixels: np.ndarray, shape: tuple[int, int], distance: int) -> np.ndarray:
  """Marks the pixels of a scene that are at most `distance` rows and columns from one of the given pixels.

  Args:
    pixels: row and column, int `[n, 2]`.
    shape: rows and columns of the scene.
    distance: in pixels.

  Returns:
    bool `[H, W]`.
  """
  mask = np.zeros(shape, bool)
  mask[tuple(pixels.T)] = True
  return ndimage.maximum_filter(mask, size=2 * distance + 1, mode="constant", cval=False)


def leaked_share(split: Split, shape: tuple[int, int], patch: int) -> float | None:
  """Returns the share of test pixels that lie in the patch of a training pixel, the mean over replicas.

  Args:
    split: of the scene.
    shape: rows and columns of the scene.
    patch: side P of the patches.

  Returns:
    A fraction of 1, or None if there are no test pixels.
  """
  return _share_near(split, shape, patch // 2)


def patch_overlap(split: Split, shape: tuple[int, int], min_separation: int) -> float | None:
  """Returns the share of test pixels whose patch overlaps that of a training pixel, the mean over replicas.

  Args:
    split: of the scene.
    shape: rows and columns of the scene.
    min_separation: smallest difference in rows or columns at which two patches do not overlap.

  Returns:
    A fraction of 1, or None if there are no test pixels.
  """
  return _share_near(split, shape, min_separation - 1)


def _share_near(split, shape, distance):
  if not split.test.size:
    return None
  shares = [
    near(pixels_of(train), shape, distance)[tuple(pixels_of(test).T)].mean()
    for train, test in zip(split.train, split.test, strict=True)
  ]
  return float(np.mean(shares))

"""Pixels whose values say that there is no measurement. Images are never copied, as all work is by rows."""

from collections.abc import Sequence

import numpy as np


def missing(values: np.ndarray, nodata: Sequence[np.ndarray]) -> np.ndarray:
  """Returns the pixels with a nodata value, or one that is not finite, in any band, bool `[h, w]`.

  Args:
    values: values of an image, `[h, w, B]`.
    nodata: nodata values of every band, each `[B]`; NaN equals nothing.
  """
  floating = values.dtype.kind == "f"
  # In the precision of the image, in which the nodata value was stored.
  with np.errstate(over="ignore"):
    wanted = [numbers.astype(values.dtype) if floating else numbers for numbers in nodata]
  mask = np.zeros(values.shape[:2], bool)
  for found, line in zip(mask, values, strict=True):
    if floating:
      found |= ~np.isfinite(line).all(axis=1)
    for numbers in wanted:
      found |= (line == numbers).any(axis=1)
  return mask


def outside(values: np.ndarray, background: float) -> np.ndarray:
  """Returns the pixels that have the value of the background in all bands, bool `[h, w]`."""
  mask = np.empty(values.shape[:2], bool)
  for row, line in enumerate(values):
    mask[row] = (line == background).all(axis=1)
  return mask

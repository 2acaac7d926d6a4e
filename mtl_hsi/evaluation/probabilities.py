"""Probabilities of all classes: rounded for rasters, and how they are spread."""

import numpy as np

# How rasters store them, if at all.
NONE, UINT8, FLOAT16 = "none", "uint8", "float16"
KINDS = (NONE, UINT8, FLOAT16)
# With uint8, the probabilities of a pixel sum to this.
SCALE = 250


def rounded(probabilities: np.ndarray, mapped: np.ndarray, kind: str) -> np.ndarray:
  """Rounds probabilities so that the class of the map stays the most probable one.

  `UINT8`: multiples of 1 / `SCALE` by the method of largest remainders, which keeps the order of classes and
  makes the sum exact. `FLOAT16`: the nearest numbers of half precision. If another class is then as probable
  as that of the map, and was not more probable before, one step is taken from it: with `UINT8` the class of
  the map gets this step, with `FLOAT16` the others go down to the next number.

  Args:
    probabilities: float64 `[n, C]`, with sum 1.
    mapped: position of the class of the map `[n]`.
    kind: `UINT8` or `FLOAT16`.

  Returns:
    uint8 `[n, C]` with sum `SCALE`, or float16 `[n, C]`.
  """
  values = _largest_remainders(probabilities) if kind == UINT8 else probabilities.astype(np.float16)
  own = _of(values, mapped)[:, None]
  tied = values == own
  tied[np.arange(len(tied)), mapped] = False
  tied &= (_of(probabilities, mapped) == probabilities.max(axis=-1))[:, None]
  pixels = np.flatnonzero(tied.any(axis=-1))
  if kind == FLOAT16:
    values[tied] = np.nextafter(values[tied], np.float16(0))
  else:
    values[pixels, tied[pixels].argmax(axis=-1)] -= 1
    values[pixels, mapped[pixels]] += 1
  return values


def _largest_remainders(probabilities: np.ndarray) -> np.ndarray:
  """Returns whole numbers with sum `SCALE`, uint8; each is less than 1 off its probability times `SCALE`."""
  scaled = probabilities * SCALE
  whole = np.floor(scaled)
  remainders, missing = scaled - whole, SCALE - whole.sum(axis=-1, keepdims=True).astype(int)
  # The smallest remainder that may get a step; of equal ones, the first classes get it.
  smallest = np.take_along_axis(np.sort(remainders, axis=-1), -np.maximum(missing, 1), axis=-1)
  above, equal = remainders > smallest, remainders == smallest
  left = missing - above.sum(axis=-1, keepdims=True)
  raised = above | (equal & (np.cumsum(equal, axis=-1) <= left))
  return (whole + (raised & (missing > 0))).astype(np.uint8)


def entropy(probabilities: np.ndarray) -> np.ndarray:
  """Returns `-sum p log p / log C` of probabilities `[n, C]`, from 0 to 1; 0 for a single class."""
  classes = probabilities.shape[-1]
  logs = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
  return np.clip(-(probabilities * logs).sum(axis=-1) / np.log(max(classes, 2)), 0, 1)


def margin(probabilities: np.ndarray) -> np.ndarray:
  """Returns the largest minus the second largest of probabilities `[n, C]`; the largest of a single class."""
  if probabilities.shape[-1] == 1:
    return probabilities[:, 0]
  second, first = np.partition(probabilities, -2, axis=-1)[:, -2:].T
  return first - second


def _of(values: np.ndarray, position: np.ndarray) -> np.ndarray:
  return values[np.arange(len(values)), position]

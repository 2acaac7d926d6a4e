"""How unlike all training pixels a pixel is: its distance to the nearest one, which tells unknown classes.

The values x of a pixel are its first MNF components, averaged over 3 x 3 pixels. With the covariance W within
classes, k components and training pixels t:

  score(x) = min_t (x - t)' W^-1 (x - t) / s_t / min(1 + |x|^2 / k, 2)

s_t is the distance that training pixels of the class of t usually have to their nearest neighbour in it,
halfway to that of all classes. Over the scene, MNF components have mean 0 and variance 1, so the last factor
counts distances less where the scene itself has few pixels. It is bounded: what is far from everything has a
large score. The score needs no network. docs/trust.md compares it with others, among them those of networks.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.padded import Padded, channels_at

# Number of components; of more, most are noise.
COMPONENTS = 15
# Most training pixels of a class.
PIXELS = 50
# Share of the mean variance within classes that is added to all directions: there are few pixels.
_RIDGE = 0.1
_MOST_RARE = 2.0
# Distances that are computed at once.
_BLOCK = 2**22
_AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]


class Known(NamedTuple):
  """The training pixels of a scene, n of them, with k components.

  Attributes:
    whitening: from components to unit variance within classes, float32 `[k, k]`.
    places: training pixels after it, float32 `[n, k]`.
    spread: s of each, float32 `[n]`, positive.
  """

  whitening: np.ndarray
  places: np.ndarray
  spread: np.ndarray


def components_of(inputs: Inputs) -> slice:
  """Returns the channels whose values are used: the first MNF components; none if there are none."""
  available = 0 if inputs.components is None else inputs.components.shape[1]
  return slice(inputs.spectral_channels, inputs.spectral_channels + min(COMPONENTS, available))


def average(channels: np.ndarray, components: slice) -> np.ndarray:
  """Returns the components of a region averaged over 3 x 3 pixels, as far as they are measured.

  Args:
    channels: of a region with a margin of one pixel, `[h + 2, w + 2, B]`; pixels without a measurement are 0.
    components: which channels are used.

  Returns:
    float32 `[h, w, k]`.
  """
  height, width = (size - 2 for size in channels.shape[:2])
  return _mean(
    channels[1 + row : 1 + row + height, 1 + column : 1 + column + width, components]
    for row, column in _AROUND
  )


def average_at(padded: Padded, pixels: np.ndarray, components: slice) -> np.ndarray:
  """Returns the averaged components of single pixels, float32 `[n, k]`.

  Args:
    padded: channels of a scene, with a margin.
    pixels: rows and columns in it, at least one pixel from its border, int `[n, 2]`.
    components: which channels are used.
  """
  around = np.concatenate([pixels + offset for offset in _AROUND])
  found = channels_at(padded, around)[:, components]
  return _mean(found.reshape(len(_AROUND), len(pixels), found.shape[1]))


def _mean(neighbours: Iterable[np.ndarray]) -> np.ndarray:
  """Returns the mean of arrays `[..., k]`, without values that are 0 in all components."""
  total = count = 0
  for values in neighbours:
    total = total + values
    count = count + values.any(axis=-1, keepdims=True)
  return (total / np.maximum(count, 1)).astype(np.float32)


def fit(values: np.ndarray, classes: np.ndarray) -> Known:
  """Fits the distance to training pixels.

  Args:
    values: averaged components `[n, k]`.
    classes: their classes `[n]`.
  """
  values = values.astype(np.float64)
  ids, index = np.unique(classes, return_inverse=True)
  means = np.stack([values[index == i].mean(axis=0) for i in range(len(ids))])
  within = values - means[index]
  covariance = within.T @ within / max(1, len(values) - len(ids))
  # Of constant classes, distances are those of the components.
  mean = np.trace(covariance) / len(covariance) or 1.0
  covariance += _RIDGE * mean * np.eye(len(covariance))
  whitening = np.linalg.cholesky(np.linalg.inv(covariance))
  places = values @ whitening
  return Known(*(x.astype(np.float32) for x in (whitening, places, _spread(places, index))))


def _spread(places, index):
  distances = np.full(len(places), np.nan)
  for i in np.unique(index):
    rows = np.flatnonzero(index == i)
    if len(rows) > 1:
      between = _distances(places[rows], places[rows])
      np.fill_diagonal(between, np.inf)
      distances[rows] = between.min(axis=1)
  usual = np.nanmedian(distances) if np.isfinite(distances).any() else 1.0
  of_class = np.array([_median(distances[index == i], usual) for i in range(index.max() + 1)])
  spread = (of_class[index] + usual) / 2
  return np.where(spread > 0, spread, 1.0)


def _median(distances, otherwise):
  finite = distances[np.isfinite(distances)]
  return np.median(finite) if len(finite) else otherwise


def score(known: Known, values: np.ndarray) -> np.ndarray:
  """Returns the score of pixels, float32 `[...]`, from their averaged components `[..., k]`.

  It is not a number or infinite if it overflows.
  """
  rows = values.reshape(-1, values.shape[-1])
  found, step = np.empty(len(rows), np.float32), max(1, _BLOCK // len(known.places))
  # Values far outside of the range of training can overflow.
  with np.errstate(over="ignore", invalid="ignore"):
    for start in range(0, len(rows), step):
      block = rows[start : start + step]
      distances = _distances(block @ known.whitening, known.places) / known.spread.reshape(1, -1)
      rare = np.minimum(1 + np.square(block).mean(axis=1), _MOST_RARE)
      found[start : start + step] = distances.min(axis=1) / rare
  return found.reshape(values.shape[:-1])


def _distances(one, other):
  """Returns squared distances `[n, m]` of rows."""
  squares = np.square(one).sum(axis=1).reshape(-1, 1) + np.square(other).sum(axis=1).reshape(1, -1)
  return np.maximum(squares - 2 * one @ other.T, 0)

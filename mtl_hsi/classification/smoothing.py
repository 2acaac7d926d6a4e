"""Smoothing of class probabilities between neighbouring pixels with similar spectra.

The labels of a map change where the spectra do. So the probabilities p0_i that the network gives pixel i are
mixed with the smoothed ones of its eight neighbours, weighted by similarity:

  p_i = a p0_i + (1 - a) sum_j w_ij p_j,    w_ij proportional to exp(-c d_ij / d), with sum 1 over j

d_ij is the mean squared difference of the input channels; d is its median over the scene that was trained on.
The solution is that of a random walk that ends with probability a before every step (random walker: Grady,
2006; on probabilities of hyperspectral classes: Kang et al., 2015). It is approximated by a fixed number of
steps of Chebyshev's semi-iteration (Golub and Varga, 1961). A pixel depends only on pixels that are at most
this number of steps away, so a tile with a halo of this width gets the same result as the whole scene.

Smoothing uses the spectra of all these pixels, and no labels.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.cube import ENOUGH_PIXELS, Cube, blocks

# Rows and columns to four of the eight neighbours; the other four are opposite.
_HALF = ((0, 1), (1, 0), (1, 1), (1, -1))
_NEIGHBOURS = (*_HALF, *((-row, -column) for row, column in _HALF))


class Smoothing(NamedTuple):
  """How far and how strongly probabilities are mixed.

  Attributes:
    steps: number of iterations, and the distance in pixels that they cover; 0: no smoothing.
    restart: a, between 0 and 1, exclusive.
    sharpness: c, positive; larger values preserve edges better.
  """

  steps: int
  restart: float
  sharpness: float


# Strengths among which a scene's labels choose: how far the walk goes, from no step to large fields.
STRENGTHS = {
  "none": Smoothing(0, 0.5, 2.0),
  "light": Smoothing(4, 0.3, 2.0),
  "middle": Smoothing(12, 0.1, 2.0),
  "strong": Smoothing(40, 0.01, 2.0),
}


def contrast(cube: Cube, nodata: np.ndarray | None, inputs: Inputs) -> float:
  """Returns d of a scene: the median over adjacent measured pixels; 1 if that is 0 or there are none.

  Neighbours in different windows of a file do not count. For a large file, only some windows are used.

  Args:
    cube: values of the image `[H, W, bands]`.
    nodata: pixels without a measurement, bool `[H, W]`, or None.
    inputs: maps the image's values to input channels.
  """
  measured = np.ones(cube.shape[:2], bool) if nodata is None else ~nodata
  # Every pixel has at most two neighbours to the left and above; filled as far as there are such pairs.
  distances, count = np.empty(2 * measured.size, np.float32), 0
  for window, values in blocks(cube, ENOUGH_PIXELS):
    above = None
    # Row by row, so that a large cube is never copied whole.
    for line, valid in zip(values, measured[window], strict=True):
      row = inputs(line, ~valid)
      found = [_distance(row[1:], row[:-1])[valid[1:] & valid[:-1]]]
      if above is not None:
        found.append(_distance(row, above[0])[valid & above[1]])
      for some in found:
        distances[count : count + len(some)] = some
        count += len(some)
      above = row, valid
  return float(np.median(distances[:count], overwrite_input=True)) or 1.0 if count else 1.0


def weights(values: Array, measured: Array, scale: Array) -> Array:
  """Returns w of every pixel's eight neighbours `[8, H, W]`; their sum is 0 if none of them is measured.

  Args:
    values: input channels `[H, W, B]`.
    measured: pixels with a measurement, bool `[H, W]`.
    scale: d / c.
  """
  distances = [_distance(_neighbour(values, *offset), values) for offset in _HALF]
  # The distance to the opposite neighbour is that of the opposite neighbour to this pixel.
  distances += [
    _neighbour(distance, -row, -column) for distance, (row, column) in zip(distances, _HALF, strict=True)
  ]
  valid = jnp.stack([_neighbour(measured, *offset) for offset in _NEIGHBOURS])
  distances = jnp.where(valid, jnp.stack(distances), jnp.inf)
  # The nearest neighbour gets exp(0), so that the sum is never too small to divide by.
  nearest = distances.min(axis=0, keepdims=True)
  similarity = jnp.exp((jnp.where(jnp.isfinite(nearest), nearest, 0) - distances) / scale)
  return similarity / jnp.maximum(similarity.sum(axis=0, keepdims=True), 1)


def smooth(probabilities: Array, mixing: Array, settings: Smoothing) -> Array:
  """Returns the probabilities `[H, W, C]` after all steps; wrong within `steps` pixels of the border.

  Pixels whose probabilities are not finite keep them, and the others are smoothed without them.

  Args:
    probabilities: p0.
    mixing: from `weights`.
    settings: with at least 1 step.
  """
  finite = jnp.isfinite(probabilities).all(axis=-1, keepdims=True)
  start = jnp.where(finite, probabilities, 0)
  kept = settings.restart + (1 - settings.restart) * (1 - mixing.sum(axis=0))[..., None]

  def mix(p):
    around = sum(w[..., None] * _neighbour(p, *offset) for w, offset in zip(mixing, _NEIGHBOURS, strict=True))
    return kept * start + (1 - settings.restart) * around

  def step(carry, factor):
    before, p = carry
    return (p, factor * (mix(p) - before) + before), None

  (_, p), _ = lax.scan(step, (start, mix(start)), jnp.asarray(_factors(settings), start.dtype))
  # The iteration may overshoot slightly below 0.
  p = jnp.maximum(p, 0)
  return jnp.where(finite, p / p.sum(axis=-1, keepdims=True), probabilities)


def _factors(settings):
  """Relaxation factors of all steps but the first.

  w is similar to a symmetric matrix, and the eigenvalues of the iteration lie within 1 - a of 0.
  """
  squared, factors, factor = (1 - settings.restart) ** 2, [], 2.0
  for _ in range(settings.steps - 1):
    factor = 1 / (1 - squared * factor / 4)
    factors.append(factor)
  return np.array(factors)


def _distance(one, other):
  return ((one - other) ** 2).mean(axis=-1)


def _neighbour(values, row, column):
  """Moves an image `[H, W, ...]` so that every pixel holds its neighbour's value; 0 beyond the border."""
  height, width = values.shape[:2]
  padded = jnp.pad(values, [(1, 1), (1, 1)] + [(0, 0)] * (values.ndim - 2))
  return padded[1 + row : 1 + row + height, 1 + column : 1 + column + width]

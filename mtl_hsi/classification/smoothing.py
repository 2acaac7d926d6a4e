"""Class probabilities in use, drawn to those of neighbouring pixels that look alike.

The labels of a map change where the spectra do. So every pixel i mixes what the network says of it, p0, with
what is found for its eight neighbours, by weights of how alike they are:

  p_i = a p0_i + (1 - a) sum_j w_ij p_j,    w_ij in proportion to exp(-c d_ij / d), their sum 1

d_ij: mean squared difference of the input channels; d: its median over the scene that was trained on. This is
what a random walk finds that ends with probability a before every step (random walker: Grady, 2006; on
probabilities of hyperspectral classes: Kang et al., 2015). It is approached by so many steps of Chebyshev's
semi-iteration (Golub and Varga, 1961): a pixel depends on what is so many pixels away, and on no more, so
that a tile with these surroundings gets what the whole scene would.

It uses the spectra of all these pixels and no label.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mtl_hsi.channels.inputs import Inputs

# Four of the eight neighbours, of which the others are the opposites: rows and columns away.
_HALF = ((0, 1), (1, 0), (1, 1), (1, -1))
_AROUND = (*_HALF, *((-row, -column) for row, column in _HALF))


class Smoothing(NamedTuple):
  """How far and how strongly probabilities are mixed.

  Attributes:
    steps: of the iteration, which are pixels that it reaches; 0: none.
    restart: a, above 0 and below 1.
    sharpness: c, positive; the larger, the less goes across an edge.
  """

  steps: int
  restart: float
  sharpness: float


def contrast(cube: np.ndarray, nodata: np.ndarray | None, inputs: Inputs) -> float:
  """d of a scene: median over measured neighbours in a row or a column; 1 where it would be 0 or has none.

  Args:
    cube: values of the image `[H, W, bands]`.
    nodata: pixels without a measurement, bool `[H, W]`, or None.
    inputs: from its values to channels.
  """
  measured = np.ones(cube.shape[:2], bool) if nodata is None else ~nodata
  found, above = [], None
  # Row by row, so that a large cube is never copied whole.
  for row, own in zip(cube, measured, strict=True):
    line = inputs(row, ~own)
    found.append(_difference(line[1:], line[:-1])[own[1:] & own[:-1]])
    if above is not None:
      found.append(_difference(line, above[0])[own & above[1]])
    above = line, own
  found = np.concatenate(found)
  return float(np.median(found)) or 1.0 if len(found) else 1.0


def weights(values: Array, measured: Array, scale: Array) -> Array:
  """w of every pixel's eight neighbours `[8, H, W]`; their sum is 0 where none of them is measured.

  Args:
    values: input channels `[H, W, B]`.
    measured: pixels that count, bool `[H, W]`.
    scale: d / c.
  """
  distances = [_difference(_neighbour(values, *offset), values) for offset in _HALF]
  # Seen from the other end.
  distances += [_neighbour(own, -row, -column) for own, (row, column) in zip(distances, _HALF, strict=True)]
  counts = jnp.stack([_neighbour(measured, *offset) for offset in _AROUND])
  distances = jnp.where(counts, jnp.stack(distances), jnp.inf)
  # The nearest neighbour gets exp(0), so that the sum is never too small to divide by.
  nearest = distances.min(axis=0, keepdims=True)
  alike = jnp.exp((jnp.where(jnp.isfinite(nearest), nearest, 0) - distances) / scale)
  return alike / jnp.maximum(alike.sum(axis=0, keepdims=True), 1)


def smooth(probabilities: Array, mixing: Array, smoothing: Smoothing) -> Array:
  """The probabilities `[H, W, C]` after all steps; `steps` pixels from the border inwards they are not right.

  Pixels whose own are not finite stay so, and the others do without them.

  Args:
    probabilities: p0.
    mixing: from `weights`.
    smoothing: steps, at least 1, and restart.
  """
  sound = jnp.isfinite(probabilities).all(axis=-1, keepdims=True)
  own = jnp.where(sound, probabilities, 0)
  kept = smoothing.restart + (1 - smoothing.restart) * (1 - mixing.sum(axis=0))[..., None]

  def mixed(p):
    around = sum(w[..., None] * _neighbour(p, *offset) for w, offset in zip(mixing, _AROUND, strict=True))
    return kept * own + (1 - smoothing.restart) * around

  def step(carry, factor):
    before, p = carry
    return (p, factor * (mixed(p) - before) + before), None

  (_, p), _ = lax.scan(step, (own, mixed(own)), jnp.asarray(_factors(smoothing), own.dtype))
  # The iteration overshoots a little on its way.
  p = jnp.maximum(p, 0)
  return jnp.where(sound, p / p.sum(axis=-1, keepdims=True), probabilities)


def _factors(smoothing):
  """Of the steps after the first. w is similar to a symmetric matrix; its spectrum is within 1 - a of 0."""
  squared, factors, factor = (1 - smoothing.restart) ** 2, [], 2.0
  for _ in range(smoothing.steps - 1):
    factor = 1 / (1 - squared * factor / 4)
    factors.append(factor)
  return np.array(factors)


def _difference(one, other):
  return ((one - other) ** 2).mean(axis=-1)


def _neighbour(values, row, column):
  """For every pixel what is so many rows and columns away, 0 beyond the border."""
  height, width = values.shape[:2]
  around = jnp.pad(values, [(1, 1), (1, 1)] + [(0, 0)] * (values.ndim - 2))
  return around[1 + row : 1 + row + height, 1 + column : 1 + column + width]

"""Minimum noise fractions: contrasts of bands in the order of what they show above the noise.

Neighbouring bands are nearly the same, and what tells two crops apart is often a small difference of many: a
direction of little variance, which gradient descent from standardised bands finds late. These components have
it as a channel of its own. They are found without labels, from all pixels.

Source: Green et al., "A transformation for ordering multispectral data in terms of image quality with
implications for noise removal" (1988); noise from differences of neighbouring pixels, as there.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import linalg

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.scene import Scene

# Share of its mean variance that noise has at least in every direction.
_LEAST_NOISE = 1e-3
# Where a component of unit variance needs larger numbers, it is made of rounding: channels have 7 digits.
_LARGEST = 1e3


class _Moments(NamedTuple):
  """Covariances `[B, B]` of a scene's channels, and of their differences between neighbouring pixels."""

  signal: np.ndarray
  noise: np.ndarray


def components(scenes: Sequence[tuple[Scene, Inputs]], count: int) -> np.ndarray:
  """The directions of the first components, each of unit variance over the scenes, which all weigh the same.

  Args:
    scenes: with what is done to their pixels, all of B channels.
    count: of components; there are no more than channels.

  Returns:
    float32 `[B, min(count, B)]`, to be multiplied with channels of mean 0. Where nothing is left to tell, as
    of constant bands and of those that are sums of others, 0.
  """
  moments = [_moments(scene, inputs) for scene, inputs in scenes]
  signal, noise = (np.mean(parts, axis=0) for parts in zip(*moments, strict=True))
  channels = len(signal)
  least = _LEAST_NOISE * np.trace(noise) / channels
  # Without noise, as of a single pixel or of a drawing, principal components are left.
  noise = noise + least * np.eye(channels) if least > 0 else np.eye(channels)
  variances, directions = linalg.eigh(signal, noise)
  order = np.argsort(-variances, kind="stable")[:count]
  variances, directions = variances[order], directions[:, order]
  # An eigenvector's sign is no one's: the first of its largest numbers, rounding aside, is positive.
  sizes = np.abs(directions)
  first = (sizes > (1 - 1e-6) * sizes.max(axis=0)).argmax(axis=0)
  directions = directions * np.sign(directions[first, np.arange(len(order))])
  deviations = np.sqrt(np.maximum(variances, 0))
  shown = np.linalg.norm(directions, axis=0) < _LARGEST * deviations
  return np.where(shown, directions / np.where(shown, deviations, 1), 0).astype(np.float32)


def _moments(scene, inputs):
  """Row by row, so that a large cube is never copied whole."""
  measured = scene.measured
  signal, noise = (np.zeros((inputs.channels, inputs.channels)) for _ in _Moments._fields)
  pairs, above = 0, None
  for row, own in zip(scene.cube, measured, strict=True):
    line = inputs(row, ~own).astype(np.float64)
    signal += line[own].T @ line[own]
    steps = [(line[1:] - line[:-1])[own[1:] & own[:-1]]]
    if above is not None:
      steps.append((line - above[0])[own & above[1]])
    for step in steps:
      noise += step.T @ step
      pairs += len(step)
    above = line, own
  # A difference has the noise of two pixels.
  return _Moments(signal / max(measured.sum(), 1), noise / max(2 * pairs, 1))

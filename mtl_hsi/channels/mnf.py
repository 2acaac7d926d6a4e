"""MNF components: linear combinations of bands, in descending order of their signal-to-noise ratio.

Neighbouring bands are nearly equal, and two crops often differ by small contrasts of many bands. These
directions have little variance, so gradient descent on standardised bands learns them late. As MNF components
they become channels. The components are computed without labels, from all pixels up to a few million.

Source: Green et al., "A transformation for ordering multispectral data in terms of image quality with
implications for noise removal" (1988); noise from differences of neighbouring pixels, as there.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.cube import ENOUGH_PIXELS, blocks
from mtl_hsi.scenes.scene import Scene

# Smallest noise variance in any direction, as a fraction of the mean noise variance.
_LEAST_NOISE = 1e-3
# A component of unit variance with larger coefficients consists of rounding errors: channels have 7 digits.
_LARGEST = 1e3


class _Moments(NamedTuple):
  """Covariances `[B, B]` of a scene's channels (signal) and of differences between neighbours (noise)."""

  signal: np.ndarray
  noise: np.ndarray


def components(scenes: Sequence[tuple[Scene, Inputs]], count: int) -> np.ndarray:
  """Computes the first MNF components, each of unit variance over the scenes, which have equal weight.

  Args:
    scenes: each with its inputs, all of B channels.
    count: number of components; at most B are returned.

  Returns:
    float32 `[B, min(count, B)]`, to be multiplied with channels of mean 0. Components without
    information, such as those of constant or linearly dependent bands, are 0.
  """
  from scipy import linalg

  moments = [_moments(scene, inputs) for scene, inputs in scenes]
  signal, noise = (np.mean(parts, axis=0) for parts in zip(*moments, strict=True))
  channels = len(signal)
  least = _LEAST_NOISE * np.trace(noise) / channels
  # Without noise, as in a single pixel or a synthetic image, this gives principal components.
  noise = noise + least * np.eye(channels) if least > 0 else np.eye(channels)
  variances, directions = linalg.eigh(signal, noise)
  order = np.argsort(-variances, kind="stable")[:count]
  variances, directions = variances[order], directions[:, order]
  # An eigenvector's sign is arbitrary: make the first of its largest coefficients positive, up to rounding.
  sizes = np.abs(directions)
  first = (sizes > (1 - 1e-6) * sizes.max(axis=0)).argmax(axis=0)
  directions = directions * np.sign(directions[first, np.arange(len(order))])
  deviations = np.sqrt(np.maximum(variances, 0))
  shown = np.linalg.norm(directions, axis=0) < _LARGEST * deviations
  return np.where(shown, directions / np.where(shown, deviations, 1), 0).astype(np.float32)


def _moments(scene, inputs):
  """Computes the covariances row by row, so that a large cube is never copied as a whole.

  Neighbours in different windows of a file do not count.
  """
  measured = scene.measured
  signal, noise = (np.zeros((inputs.channels, inputs.channels)) for _ in _Moments._fields)
  pixels = pairs = 0
  for window, values in blocks(scene.cube, ENOUGH_PIXELS):
    above = None
    for row, valid in zip(values, measured[window], strict=True):
      line = inputs(row, ~valid).astype(np.float64)
      signal += line[valid].T @ line[valid]
      pixels += valid.sum()
      steps = [(line[1:] - line[:-1])[valid[1:] & valid[:-1]]]
      if above is not None:
        steps.append((line - above[0])[valid & above[1]])
      for step in steps:
        noise += step.T @ step
        pairs += len(step)
      above = line, valid
  # A difference has the noise of two pixels.
  return _Moments(signal / max(pixels, 1), noise / max(2 * pairs, 1))

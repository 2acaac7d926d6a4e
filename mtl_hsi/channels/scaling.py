"""Scaling of a scene's values for a network: (value - offset) / scale."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Scene


class Scaling(NamedTuple):
  """The scaling (value - offset) / scale of every band.

  Attributes:
    offset: `[bands of the scene]`.
    scale: `[bands of the scene]`, positive.
  """

  offset: np.ndarray
  scale: np.ndarray


Method = Callable[[Scene], Scaling]


def by_maximum(scene: Scene) -> Scaling:
  """Scales by the maximum over all bands of the scene (author's code).

  Raises:
    RequestError: no value is positive.
  """
  values = scene.cube if scene.nodata is None else scene.cube[scene.measured]
  largest = float(values.max())
  if largest <= 0:
    raise RequestError(f"scene {scene.name!r}: the largest value is {largest:g}; expected a positive one")
  return by_number(scene, largest)


def by_number(scene: Scene, number: float) -> Scaling:
  """Scales by a given number (5000 in another of the author's scripts)."""
  bands = scene.cube.shape[2]
  return Scaling(np.zeros(bands), np.full(bands, number))


def by_band(scene: Scene) -> Scaling:
  """Scales every band to mean 0 and standard deviation 1 over the scene; a constant band becomes 0."""
  measured = scene.measured
  # Sums around a first value keep their digits, and are exactly 0 where a band is constant.
  first = scene.cube[np.unravel_index(measured.argmax(), measured.shape)].astype(np.float64)
  total, squares = np.zeros_like(first), np.zeros_like(first)
  # Row by row, so that a large cube is never copied whole.
  for row, mask in zip(scene.cube, measured, strict=True):
    values = row[mask] - first
    total += values.sum(axis=0)
    squares += np.square(values).sum(axis=0)
  mean = total / measured.sum()
  deviation = np.sqrt(np.maximum(squares / measured.sum() - mean**2, 0))
  return Scaling(first + mean, np.where(deviation > 0, deviation, 1.0))


# Values of the config key `scaling`.
METHODS: dict[str, Method] = {"maximum": by_maximum, "per_band": by_band}

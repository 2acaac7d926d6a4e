"""Scaling of a scene's values for a network: (value - offset) / scale."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.cube import lines
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
  largest = max(float(row[mask].max()) for row, mask in lines(scene.cube, scene.measured) if mask.any())
  if largest <= 0:
    raise RequestError(f"scene {scene.name!r}: the largest value is {largest:g}; expected a positive one")
  return by_number(scene, largest)


def by_number(scene: Scene, number: float) -> Scaling:
  """Scales by a given number (5000 in another of the author's scripts)."""
  bands = scene.cube.shape[2]
  return Scaling(np.zeros(bands), np.full(bands, number))


def by_band(scene: Scene) -> Scaling:
  """Scales every band to mean 0 and standard deviation 1 over the scene; a constant band becomes 0."""
  return by_band_jointly([scene])


def by_band_jointly(scenes: Sequence[Scene]) -> Scaling:
  """Scales every band to mean 0 and standard deviation 1 over all pixels of all scenes.

  Raises:
    RequestError: the scenes have different numbers of bands.
  """
  if len({scene.cube.shape[2] for scene in scenes}) > 1:
    found = ", ".join(f"{scene.name} {scene.cube.shape[2]}" for scene in scenes)
    raise RequestError(
      f"scaling is {JOINT!r}, which needs scenes of one sensor, with equal numbers of bands ({found}); use "
      "--config.scaling=per_band"
    )
  # Sums around a first value keep their digits, and are exactly 0 where a band is constant.
  place = np.unravel_index(scenes[0].measured.argmax(), scenes[0].measured.shape)
  first = scenes[0].cube[tuple(slice(index, index + 1) for index in place)][0, 0].astype(np.float64)
  total, squares, count = np.zeros_like(first), np.zeros_like(first), 0
  for scene in scenes:
    count += scene.measured.sum()
    # Row by row, so that a large cube is never copied whole.
    for row, mask in lines(scene.cube, scene.measured):
      values = row[mask] - first
      total += values.sum(axis=0)
      squares += np.square(values).sum(axis=0)
  mean = total / count
  deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
  return Scaling(first + mean, np.where(deviation > 0, deviation, 1.0))


# Values of the config key `scaling` that fit every scene alone, the one that fits all scenes together, and
# those that standardise every band.
METHODS: dict[str, Method] = {"maximum": by_maximum, "per_band": by_band}
JOINT = "per_band_joint"
STANDARDISED = ("per_band", JOINT)

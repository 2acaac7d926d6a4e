"""Spectra of a scene's pixels, small enough for a page: in 8 bits, of some bands and pixels.

A page may weigh `PAGE_BUDGET`, a scene `SCENE_BUDGET` of it, in bytes of the
file: maps first, spectra with what is left.
"""

import base64
import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np

from mtl_hsi.scenes.scene import Scene

SCENE_BUDGET = 8_000_000
PAGE_BUDGET = 30_000_000
# More points than these no chart of its size shows.
_MOST_BANDS = 64
# Real scenes deflate to about this share.
_LIKELY_SHARE = 0.6
# The usual range of values; single bright or dead pixels do not squeeze the others.
_RANGE = (1, 99)  # percentiles


@dataclasses.dataclass(frozen=True, eq=False)
class Spectra:
  """Encoded spectra, and what is needed to read them.

  A byte b of a band stands for low + b (high - low) / 255. Bytes are
  `[bands, rows, columns]`, each the difference to its left neighbour modulo
  256, deflated (zlib) and in base64.

  Attributes:
    text: the bytes, "" where not even one pixel would fit.
    step: every how many rows and columns of the maps a spectrum was taken, from the first.
    rows: how many rows were.
    columns: how many columns were.
    bands: indices of the bands, in ascending order of wavelength where those are known.
    low: smallest value of each band.
    high: largest value of each band.
    usual: range that most values keep to.
  """

  text: str
  step: int
  rows: int
  columns: int
  bands: Sequence[int]
  low: Sequence[float]
  high: Sequence[float]
  usual: tuple[float, float]


def scene_budget(scenes: int) -> int:
  """Bytes of the page that each of so many scenes may take."""
  return min(SCENE_BUDGET, PAGE_BUDGET // scenes)


def packed(values: np.ndarray) -> str:
  """Bytes, uint8, deflated and in base64, as the page's script unpacks them."""
  return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 9)).decode()


def spectra(scene: Scene, every: int, budget: int) -> Spectra:
  """Encodes the spectra of as many pixels as fit.

  Args:
    scene: the scene.
    every: every how many rows and columns its maps show.
    budget: characters that the text may have.
  """
  bands = _bands(scene)
  height, width = (-(-size // every) for size in scene.labels.shape)
  step = max(1, int((height * width * len(bands) * 4 / 3 * _LIKELY_SHARE / max(budget, 1)) ** 0.5))
  # A step later the same scene takes a smaller part of its budget; one pixel is the end.
  while True:
    found = _encode(scene, bands, every, step)
    if len(found.text) <= budget:
      return found
    if found.rows == found.columns == 1:
      return dataclasses.replace(found, text="")
    step += 1


def _bands(scene: Scene) -> np.ndarray:
  count = scene.cube.shape[2]
  chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_BANDS)).round().astype(int))
  # Detectors overlap, so that bands do not always follow each other in wavelength.
  return chosen if scene.wavelengths is None else chosen[np.argsort(scene.wavelengths[chosen], kind="stable")]


def _encode(scene: Scene, bands: np.ndarray, every: int, step: int) -> Spectra:
  apart = every * step
  values = scene.cube[::apart, ::apart][..., bands].astype(np.float32)
  measured = scene.measured[::apart, ::apart]
  seen = values[measured] if measured.any() else np.zeros((1, len(bands)), np.float32)
  low, high = seen.min(0), seen.max(0)
  values = np.where(measured[..., None], values, low)
  levels = 255 * ((values - low) / np.where(high > low, high - low, 1))
  levels = levels.round().astype(np.uint8).transpose(2, 0, 1)
  return Spectra(
    text=packed(np.diff(levels, axis=2, prepend=np.uint8(0))),
    step=step,
    rows=levels.shape[1],
    columns=levels.shape[2],
    bands=bands.tolist(),
    low=_short(low),
    high=_short(high),
    usual=tuple(_short(np.percentile(seen, _RANGE))),
  )


def _short(values: np.ndarray) -> list[float]:
  """Six digits say more than 8 bits hold."""
  return [float(f"{value:.6g}") for value in values]

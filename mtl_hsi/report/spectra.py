"""Spectra of a scene's pixels for the page: in 8 bits, and thinned out until they fit.

A page may have `PAGE_BUDGET` bytes and each scene `SCENE_BUDGET` of them. Maps come first; spectra get the
rest.
"""

import base64
import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np

from mtl_hsi.scenes.cube import every_nth
from mtl_hsi.scenes.scene import Scene

SCENE_BUDGET = 8_000_000
PAGE_BUDGET = 30_000_000
# The chart is too small to show more points.
_MOST_BANDS = 64
# Size of a real scene's spectra after compression, relative to before.
_LIKELY_COMPRESSION = 0.6
# Percentiles of the axis, so that single bright or dead pixels do not flatten all other spectra.
_USUAL = (1, 99)


@dataclasses.dataclass(frozen=True, eq=False)
class Spectra:
  """Encoded spectra, and what is needed to decode them.

  A byte b of a band means low + b (high - low) / 255. Bytes are `[bands, rows, columns]`, each stored as the
  difference from its left neighbour modulo 256, deflated (zlib) and in base64.

  Attributes:
    text: the bytes, "" if not even one pixel fits.
    step: distance between spectra, in rows and columns of the maps, from the first.
    rows: number of rows of spectra.
    columns: number of columns of spectra.
    bands: indices of the bands, by ascending wavelength if wavelengths are known.
    low: smallest value of each band.
    high: largest value of each band.
    usual: range of most values.
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
  """Returns the bytes of the page that each scene may use."""
  return min(SCENE_BUDGET, PAGE_BUDGET // scenes)


def deflate_base64(values: np.ndarray) -> str:
  """Returns an array of bytes deflated and in base64, as the page's script decodes it."""
  return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 9)).decode()


def encode_spectra(scene: Scene, stride: int, budget: int) -> Spectra:
  """Returns the spectra of pixels at equal distances, as close together as the budget allows.

  Args:
    scene: the scene.
    stride: distance between the rows and columns that its maps show.
    budget: largest number of characters of the text.
  """
  bands = _bands(scene)
  height, width = (-(-size // stride) for size in scene.labels.shape)
  step = max(1, int((height * width * len(bands) * 4 / 3 * _LIKELY_COMPRESSION / max(budget, 1)) ** 0.5))
  while True:
    encoded = _encode(scene, bands, stride, step)
    if len(encoded.text) <= budget:
      return encoded
    if encoded.rows == encoded.columns == 1:
      return dataclasses.replace(encoded, text="")
    step += 1


def _bands(scene: Scene) -> np.ndarray:
  count = scene.cube.shape[2]
  chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_BANDS)).round().astype(int))
  # Detectors overlap, so bands are not always in order of wavelength.
  return chosen if scene.wavelengths is None else chosen[np.argsort(scene.wavelengths[chosen], kind="stable")]


def _encode(scene: Scene, bands: np.ndarray, stride: int, step: int) -> Spectra:
  distance = stride * step
  values = every_nth(scene.cube, distance, bands).astype(np.float32)
  measured = scene.measured[::distance, ::distance]
  valid = values[measured] if measured.any() else np.zeros((1, len(bands)), np.float32)
  low, high = valid.min(0), valid.max(0)
  values = np.where(measured[..., None], values, low)
  levels = 255 * ((values - low) / np.where(high > low, high - low, 1))
  levels = levels.round().astype(np.uint8).transpose(2, 0, 1)
  return Spectra(
    text=deflate_base64(np.diff(levels, axis=2, prepend=np.uint8(0))),
    step=step,
    rows=levels.shape[1],
    columns=levels.shape[2],
    bands=bands.tolist(),
    low=_short(low),
    high=_short(high),
    usual=tuple(_short(np.percentile(valid, _USUAL))),
  )


def _short(values: np.ndarray) -> list[float]:
  """Six digits are more precise than 8 bits."""
  return [float(f"{value:.6g}") for value in values]

"""Settings of the classification of whole scenes by trained networks."""

import dataclasses
from typing import Any

import numpy as np

from mtl_hsi.classification import logits
from mtl_hsi.classification.classify import InferenceOptions
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.settings.config_checks import one_of, require


@dataclasses.dataclass(frozen=True)
class InferenceSettings:
  """How trained networks classify a scene.

  Attributes:
    method: a name of `logits.METHODS`.
    tile_pixels: maximum number of pixels classified at once.
    options: symmetries and smoothing.
  """

  method: str
  tile_pixels: int
  options: InferenceOptions


def read(config: Any) -> InferenceSettings:
  """Reads and checks the keys `classify.*`.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  classify = config.classify
  smoothing = classify.smoothing
  require(classify.tile_pixels >= 1, "classify.tile_pixels", classify.tile_pixels, "1 or more")
  require(smoothing.steps >= 0, "classify.smoothing.steps", smoothing.steps, "0 (none) or more")
  restart, sharpness = smoothing.restart, smoothing.sharpness
  require(0 < restart < 1, "classify.smoothing.restart", restart, "a number between 0 and 1")
  require(0 < sharpness < np.inf, "classify.smoothing.sharpness", sharpness, "a positive number")
  return InferenceSettings(
    method=one_of(tuple(logits.METHODS), "classify.method", classify.method),
    tile_pixels=classify.tile_pixels,
    options=InferenceOptions(classify.symmetries, Smoothing(smoothing.steps, restart, sharpness)),
  )

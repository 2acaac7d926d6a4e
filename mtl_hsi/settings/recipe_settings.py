"""The keys of a training recipe that the letter does not have."""

import math
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.training.recipe import AUGMENTATIONS, DECAYS, Recipe

# Keys that need steps_per_epoch, with the values that they must have without it.
_DRAWN = {"augmentation": "mirrors", "patch_shift": 0, "balanced": False}


def read(config: Any) -> Recipe:
  """Reads and checks the keys of a `Recipe`.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  steps = config.steps_per_epoch
  require(steps is None or steps >= 1, "steps_per_epoch", steps, "1 or more, or None")
  one_of(tuple(AUGMENTATIONS), "augmentation", config.augmentation)
  require(config.patch_shift >= 0, "patch_shift", config.patch_shift, "0 or more")
  for key, value in _DRAWN.items():
    if steps is None and config[key] != value:
      raise RequestError(
        f"config key {key} is {config[key]!r}, which needs a number of steps_per_epoch; without it an epoch "
        f"shows every sample in its mirrors once, so leave it at {value!r}"
      )
  for key in ("label_smoothing", "warmup", "weight_averaging", "band_dropout"):
    require(0 <= config[key] < 1, key, config[key], "0 or more and less than 1")
  jitter = config.radiometric_jitter
  require(0 <= jitter < math.inf, "radiometric_jitter", jitter, "0 or more")
  return Recipe(
    steps=steps,
    augmentation=config.augmentation,
    shift=config.patch_shift,
    balanced=config.balanced,
    smoothing=config.label_smoothing,
    warmup=config.warmup,
    decay=one_of(DECAYS, "learning_rate_decay", config.learning_rate_decay),
    averaging=config.weight_averaging,
    jitter=jitter,
    band_dropout=config.band_dropout,
  )

"""Reads configs/predict.py: from keys to checked, typed values."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtl_hsi.classification import logits
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation import probabilities
from mtl_hsi.settings import image_settings, unknown_settings
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.settings.unknown_settings import UnknownSettings


@dataclasses.dataclass(frozen=True)
class PredictionSettings:
  """The settings of a prediction.

  Attributes:
    run: work directory of the finished run, or the file that it was exported to.
    scene: the scene whose head, scaling and bands are used, or None for the run's target.
    image: file of the new image.
    image_key: name of the array in an .npz or .mat file, or None.
    image_keys: further keys of the image, for `image_settings.read`.
    output: prefix of the output files (see configs/predict.py), or None.
    replica: the replica whose networks vote, or None for all.
    classify_method: a name of `logits.METHODS`.
    tile_pixels: maximum number of pixels classified at once, or None for that of the run.
    probabilities: how those of all classes are written, a name of `evaluation.probabilities.KINDS`.
    unknown: what to do with pixels that are unlike every class.
  """

  run: Path
  scene: str | None
  image: Path
  image_key: str | None
  image_keys: Mapping[str, str]
  output: str | None
  replica: int | None
  classify_method: str
  tile_pixels: int | None
  probabilities: str
  unknown: UnknownSettings


def read(config: Any) -> PredictionSettings:
  """Reads and checks a config of configs/predict.py; opens nothing.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  for key, what in (("run", "the work directory of a finished run"), ("image", "the file of an image")):
    if not config[key]:
      raise RequestError(f"nothing to predict: give {what}, --config.{key}=<path>")
  replicas = config.replicas
  fine = replicas == "all" or re.fullmatch(r"\d{1,9}", replicas)
  require(fine, "replicas", replicas, "'all' or one replica's number from 0")
  image_settings.read(config)
  tile_pixels = config.classify.tile_pixels
  require(tile_pixels is None or tile_pixels >= 1, "classify.tile_pixels", tile_pixels, "1 or more")
  return PredictionSettings(
    run=Path(config.run),
    scene=config.scene or None,
    image=Path(config.image),
    image_key=config.image_key or None,
    image_keys={key: config[key] for key in image_settings.KEYS},
    output=config.output or None,
    replica=None if replicas == "all" else int(replicas),
    classify_method=one_of(tuple(logits.METHODS), "classify.method", config.classify.method),
    tile_pixels=tile_pixels,
    probabilities=one_of(probabilities.KINDS, "probabilities", config.probabilities),
    unknown=unknown_settings.read(config),
  )

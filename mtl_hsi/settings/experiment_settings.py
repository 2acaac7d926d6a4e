"""Reads the config of an experiment: from its keys to checked, typed values."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.channels.by_wavelength import SpectralBands
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation import probabilities
from mtl_hsi.models import products
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import (
  band_settings,
  inference_settings,
  legend_settings,
  mixture_settings,
  model_settings,
  scene_settings,
  split_settings,
  training_settings,
  unknown_settings,
)
from mtl_hsi.settings.band_settings import BandSettings
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.settings.inference_settings import InferenceSettings
from mtl_hsi.settings.mixture_settings import MixtureSettings
from mtl_hsi.settings.model_settings import ModelSettings
from mtl_hsi.settings.scene_settings import SceneSettings
from mtl_hsi.settings.split_settings import SplitSettings
from mtl_hsi.settings.training_settings import TrainingSettings
from mtl_hsi.settings.unknown_settings import UnknownSettings


@dataclasses.dataclass(frozen=True)
class Origin:
  """The finished run that training starts from.

  Attributes:
    run: its work directory.
    new_stem: whether the first layer is initialised again.
    channels: bands to which the run's scenes were resampled and new scenes must be, or None.
  """

  run: Path
  new_stem: bool
  channels: SpectralBands | None


@dataclasses.dataclass(frozen=True)
class Settings:
  """The settings of an experiment.

  Attributes:
    scenes: the scenes and where they come from.
    bands: how the bands and values of the scenes become the network's channels.
    shared_legend: whether scenes share the classes that have the same name, and one head.
    split: how pixels are split into training and test pixels.
    model: the network, or an SVM.
    training: how networks are trained.
    inference: how networks classify.
    mixture: what is chosen for every scene by left-out labels.
    replicas: number of maps, or of networks that vote on one map; see `split_settings.ensemble_of`.
    seed: seed of replica 0.
    precision: precision of matrix products, a name of `products.PRECISIONS`.
    probabilities: how those of all classes are written, a name of `evaluation.probabilities.KINDS`.
    unknown: what to do with pixels that are unlike every class.
    proposals: number of pixels of each scene proposed for labelling; 0 for none.
    tensorboard: whether to write event files for TensorBoard.
    check_only: whether to stop after the checks.
    origin: the run that training starts from, or None for new networks.
  """

  scenes: SceneSettings
  bands: BandSettings
  shared_legend: bool
  split: SplitSettings
  model: ModelSettings
  training: TrainingSettings
  inference: InferenceSettings
  mixture: MixtureSettings
  replicas: int
  seed: int
  precision: str
  probabilities: str
  unknown: UnknownSettings
  proposals: int
  tensorboard: bool
  check_only: bool
  origin: Origin | None


def read(config: Any, scenes: Mapping[str, Scene] | None = None) -> Settings:
  """Reads and checks a config; loads nothing.

  Args:
    config: a ConfigDict with the keys of `configs/common.py`.
    scenes: the scenes in memory, by name; the config says where the others are.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  try:
    return _read(config, scenes or {})
  except (AttributeError, KeyError) as error:
    key = str(error).split("\n")[0].strip("\"'")
    raise RequestError(
      f"the config has no key {key!r}; start from configs/common.py, which has all keys"
    ) from error


def _read(config, scenes_in_memory):
  scenes = scene_settings.read(config, scenes_in_memory)
  require(config.replicas >= 1, "replicas", config.replicas, "1 or more")
  largest = 2**31 - config.replicas
  require(0 <= config.seed <= largest, "seed", config.seed, f"0 to {largest}, since keys have 32 bits")
  require(config.proposals >= 0, "proposals", config.proposals, "0 or more")
  all_are_given = len(scenes.given_splits) == len(scenes.loaders)
  return Settings(
    scenes=scenes,
    bands=band_settings.read(config, tuple(scenes.loaders)),
    shared_legend=legend_settings.read(config),
    split=split_settings.read(config, all_can_train=all_are_given or config.split == "random"),
    model=model_settings.read(config),
    training=training_settings.read(config),
    inference=inference_settings.read(config),
    mixture=mixture_settings.read(config),
    replicas=config.replicas,
    seed=config.seed,
    precision=one_of(tuple(products.PRECISIONS), "precision", config.precision),
    probabilities=_probabilities(config),
    unknown=unknown_settings.read(config),
    proposals=config.proposals,
    tensorboard=config.tensorboard,
    check_only=config.check_only,
    origin=_origin(config),
  )


def _probabilities(config):
  kind = one_of(probabilities.KINDS, "probabilities", config.probabilities)
  if kind != probabilities.NONE and config.model.name == model_settings.SVM:
    raise RequestError(
      f"config key probabilities is {kind!r}, but model.name=svm has no probabilities; expected "
      f"{probabilities.NONE!r}"
    )
  return kind


def _origin(config):
  """The origin in a config that starts from configs/adapt.py; None for any other."""
  if "run" not in config:
    return None
  channels = None
  if "channels" in config:
    channels = SpectralBands(np.array(config.channels.centres), np.array(config.channels.widths))
  return Origin(Path(config.run), config.stem == "new", channels)

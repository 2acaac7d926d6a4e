"""The part of a config that networks and their training depend on: from its keys to checked, typed values."""

import dataclasses
from typing import Any

import numpy as np

from mtl_hsi.classification.classify import InferenceOptions
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.errors import RequestError
from mtl_hsi.models import convolution, registry
from mtl_hsi.models.backbone import ModelOptions
from mtl_hsi.settings import scene_settings
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.training import svm_baseline
from mtl_hsi.training.schedule import Phase, Schedule

SVM = "svm"


@dataclasses.dataclass(frozen=True)
class ModelSettings:
  """Arguments of `models.registry.make_network` that a config decides; `SVM` by name is no network."""

  name: str
  spectral_knowledge: bool
  norm_per_scene: bool
  blocks: int
  pool: bool
  glorot: bool
  convolution: str
  patch: int | None
  width: int | None


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
  """What a finished run was told that its networks depend on, as in `settings.Settings`; scenes by name."""

  scenes: tuple[str, ...]
  target: str
  model: ModelSettings
  schedule: Schedule
  replicas: int
  precision: str
  tile_pixels: int
  inference: InferenceOptions


def read(config: Any) -> TrainingSettings:
  """Reads back from the config of a finished run what its networks need; its scenes' files may be gone.

  Raises:
    RequestError: the config lacks a key, or a value is of no use.
  """
  try:
    return TrainingSettings(
      scenes=scene_settings.names(config),
      target=config.target,
      model=model(config),
      schedule=schedule(config),
      replicas=config.replicas,
      precision=config.precision,
      tile_pixels=tile_pixels(config),
      inference=inference(config),
    )
  except (AttributeError, KeyError) as error:
    raise RequestError(f"the config of the run lacks a key: {error}") from error


def model(config: Any) -> ModelSettings:
  """Reads and checks what the network is.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  own = config.model
  options = ModelOptions(own.blocks, own.pool, own.patch, own.width)
  if one_of((*registry.MODELS, SVM), "model.name", own.name) == SVM:
    _check_svm(config)
    options.refuse_unused(SVM)
  else:
    registry.check_options(own.name, options)
  return ModelSettings(
    name=own.name,
    spectral_knowledge=config.spectral_knowledge,
    norm_per_scene=one_of(("per_scene", "joint"), "model.norm", own.norm) == "per_scene",
    blocks=own.blocks,
    pool=own.pool,
    glorot=one_of(("normal", "glorot"), "model.init", own.init) == "glorot",
    convolution=_convolution(config),
    patch=own.patch,
    width=own.width,
  )


def _convolution(config):
  name = one_of(tuple(convolution.FORMS), "model.convolution", config.model.convolution)
  require(
    name == "products" or config.precision != "bfloat16",
    "model.convolution",
    name,
    "'products' with precision='bfloat16'",
  )
  return name


def _check_svm(config):
  drawn, number = config.split in ("random", "blocks"), config.samples_per_class
  require(
    # 0 takes all pixels given, which are counted once they are read.
    not drawn or number == 0 or number >= svm_baseline.FOLDS,
    "samples_per_class",
    number,
    f"{svm_baseline.FOLDS} or more with svm, which is cross-validated in as many parts",
  )


def tile_pixels(config: Any) -> int:
  """Reads and checks the bound on the pixels classified at once.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  pixels = config.classify.tile_pixels
  require(pixels >= 1, "classify.tile_pixels", pixels, "1 or more")
  return pixels


def inference(config: Any) -> InferenceOptions:
  """Reads and checks how the networks are used.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  own = config.classify.smoothing
  require(own.steps >= 0, "classify.smoothing.steps", own.steps, "0 (none) or more")
  require(0 < own.restart < 1, "classify.smoothing.restart", own.restart, "a number between 0 and 1")
  require(0 < own.sharpness < np.inf, "classify.smoothing.sharpness", own.sharpness, "a positive number")
  return InferenceOptions(config.classify.symmetries, Smoothing(own.steps, own.restart, own.sharpness))


def schedule(config: Any) -> Schedule:
  """Reads and checks phases and snapshots.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  snapshots = tuple(config.snapshots)
  whole = all(isinstance(epoch, int) for epoch in snapshots)
  require(whole, "snapshots", snapshots, "whole numbers of epochs")
  return Schedule(tuple(_phase(name, own) for name, own in sorted(config.phases.items())), snapshots)


def _phase(name, own):
  rate = own.learning_rate
  require(0 < rate < np.inf, f"phases.{name}.learning_rate", rate, "a positive number")
  return Phase(name, own.epochs, rate, tuple(own.frozen))

"""Settings of the training of networks."""

import dataclasses
from typing import Any

import numpy as np

from mtl_hsi.settings import recipe_settings
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.training import optim
from mtl_hsi.training.recipe import Recipe
from mtl_hsi.training.schedule import Phase, Schedule


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
  """How networks are trained.

  Attributes:
    mixed: whether a batch holds samples of all scenes.
    batch_size: N.
    drop_last: whether epochs end without a last partial batch.
    schedule: phases and snapshots.
    optimizer: the optimiser's name in optax.
    make_optimizer: from a learning rate to a transformation.
    recipe: differences from the letter's training.
    checkpoint_seconds: time between two saves of the state.
  """

  mixed: bool
  batch_size: int
  drop_last: bool
  schedule: Schedule
  optimizer: str
  make_optimizer: optim.Factory
  recipe: Recipe
  checkpoint_seconds: float


def read(config: Any) -> TrainingSettings:
  """Reads and checks how networks are trained.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  require(config.batch_size >= 1, "batch_size", config.batch_size, "1 or more")
  seconds = config.checkpoint_seconds
  require(0 <= seconds < np.inf, "checkpoint_seconds", seconds, "0 or more")
  arguments = {key: value for key, value in config.optimizer.items() if key != "name"}
  return TrainingSettings(
    mixed=one_of(("per_scene", "mixed"), "batch", config.batch) == "mixed",
    batch_size=config.batch_size,
    drop_last=one_of(("partial", "dropped"), "last_batch", config.last_batch) == "dropped",
    schedule=schedule(config),
    optimizer=config.optimizer.name,
    make_optimizer=optim.optimizer(config.optimizer.name, arguments),
    recipe=recipe_settings.read(config),
    checkpoint_seconds=seconds,
  )


def schedule(config: Any) -> Schedule:
  """Reads and checks phases and snapshots.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  snapshots = tuple(config.snapshots)
  whole = all(isinstance(epoch, int) for epoch in snapshots)
  require(whole, "snapshots", snapshots, "whole numbers of epochs")
  return Schedule(tuple(_phase(name, phase) for name, phase in sorted(config.phases.items())), snapshots)


def _phase(name, phase):
  rate = phase.learning_rate
  require(0 < rate < np.inf, f"phases.{name}.learning_rate", rate, "a positive number")
  return Phase(name, phase.epochs, rate, tuple(phase.frozen))

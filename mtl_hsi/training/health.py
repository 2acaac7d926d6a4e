"""Detection of values that are not finite, in the epoch in which they appear, with advice for the user."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.training.schedule import Phase

# Parts of the training state, as error messages call them.
PARTS = {
  "params": "a parameter",
  "stats": "a statistic of batch normalisation",
  "opt": "the optimiser's state",
}


class Epoch(NamedTuple):
  """An epoch, as error messages describe it.

  Attributes:
    number: counted from 1.
    phase: the phase that it belongs to.
    seed: of replica 0.
    scene_names: of all scenes.
    saved: the epoch whose state was saved last, 0 if none was.
  """

  number: int
  phase: Phase
  seed: int
  scene_names: Sequence[str]
  saved: int


def with_finite_flags(run: Callable) -> Callable:
  """Makes an epoch `run(state, ...) -> state` return (state, flags).

  The flags {"params", "stats", "opt"}, one bool scalar each, are true where that part of the state is
  finite. A gradient that is not finite shows in the parameters that it updates. The check is one pass over
  the state within the program of the epoch.
  """

  def run_and_check(state, *arguments):
    state = run(state, *arguments)
    return state, {part: _all_finite(state[part]) for part in PARTS}

  return run_and_check


def check_epoch(losses: np.ndarray, finite: Mapping[str, np.ndarray], epoch: Epoch) -> None:
  """Refuses an epoch after which the loss or the state of a replica is not finite.

  Args:
    losses: mean losses `[R, T]`.
    finite: the flags of `with_finite_flags`, bool `[R]` each.
    epoch: for the message.

  Raises:
    RequestError: names the replicas, and what is not finite in the first of them.
  """
  sound = np.isfinite(losses).all(axis=1) & np.all([finite[part] for part in PARTS], axis=0)
  if sound.all():
    return
  first, name = int(np.argmin(sound)), epoch.phase.name
  parts = [words for part, words in PARTS.items() if not finite[part][first]]
  raise RequestError(
    f"{_problem(losses[first], parts, epoch.scene_names)} in {_replicas(sound, epoch.seed)} after epoch "
    f"{epoch.number} (phases.{name}, learning rate {epoch.phase.learning_rate:g}); lower "
    f"--config.phases.{name}.learning_rate, in a new work directory{_hints(sound)}; {_saved(epoch.saved)}"
  )


def check_probabilities(probabilities: np.ndarray, scene: str, seed: int) -> None:
  """Refuses a map that is not finite: a network with finite parameters may still overflow on a scene.

  Args:
    probabilities: of all replicas, `[R, H, W]`.
    scene: name of the scene.
    seed: of replica 0.

  Raises:
    RequestError: names the replicas.
  """
  sound = np.isfinite(probabilities).all(axis=(1, 2))
  if not sound.all():
    raise RequestError(
      f"the probabilities of scene {scene!r} are not finite in {_replicas(sound, seed)}; lower the learning "
      f"rate of the last of --config.phases, in a new work directory{_hints(sound)}"
    )


def _all_finite(tree) -> Array:
  leaves = [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.inexact)]
  return jnp.all(jnp.stack([jnp.array(True), *(jnp.isfinite(x).all() for x in leaves)]))


def _problem(losses, parts, names):
  """Describes one replica by its losses `[T]` or, if these are finite, by the parts of its state."""
  bad = np.flatnonzero(~np.isfinite(losses))
  if len(bad):
    return f"the loss of {_scenes(names[scene] for scene in bad)} is {losses[bad[0]]}"
  return f"{' and '.join(parts)} of the network of {_scenes(names)} is not finite"


def _scenes(names):
  return "scene " + " and ".join(map(repr, names))


def _replicas(sound, seed):
  bad = np.flatnonzero(~sound)
  return f"replica{'s' * (len(bad) > 1)} " + ", ".join(f"{index} (seed {seed + index})" for index in bad)


def _saved(epoch):
  return f"the state saved after epoch {epoch} is kept" if epoch else "no state had been saved"


def _hints(sound):
  hint = "; --config.check_only=True shows values that may be the cause (scaling, nodata)"
  # Replicas share nothing: a seed gives the same network without the others.
  if sound.any():
    hint += "; the other replicas are finite: train them alone with --config.seed and --config.replicas"
  return hint

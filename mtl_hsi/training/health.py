"""Numbers that stop being finite: found in the epoch in which they appear, and told with what to do."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.classification.voting import Votes
from mtl_hsi.errors import RequestError
from mtl_hsi.training.schedule import Phase

# Parts of the training state, in words.
PARTS = {
  "params": "a parameter",
  "stats": "a statistic of batch normalisation",
  "opt": "the optimiser's state",
}


class Epoch(NamedTuple):
  """Which epoch it is, for messages.

  Attributes:
    number: from 1.
    phase: that it belongs to.
    seed: of replica 0.
    scene_names: of all scenes.
    saved: the epoch whose state was saved last, 0 where none was.
  """

  number: int
  phase: Phase
  seed: int
  scene_names: Sequence[str]
  saved: int


def watched(run: Callable) -> Callable:
  """Makes an epoch `run(state, ...) -> state` return (state, which parts of it are finite).

  The second is {"params", "stats", "opt"}, a bool scalar each. A gradient that is not finite shows in
  what it updates. One pass over the state, in the epoch's own program.
  """

  def run_and_look(state, *arguments):
    state = run(state, *arguments)
    return state, {part: _all_finite(state[part]) for part in PARTS}

  return run_and_look


def check_epoch(losses: np.ndarray, finite: Mapping[str, np.ndarray], epoch: Epoch) -> None:
  """Refuses an epoch after which a replica is not finite.

  Args:
    losses: mean losses `[R, T]`.
    finite: of every part of the state, bool `[R]`.
    epoch: for the message.

  Raises:
    RequestError: names the replicas, and of the first one what is not finite.
  """
  sound = np.isfinite(losses).all(axis=1) & np.all([finite[part] for part in PARTS], axis=0)
  if sound.all():
    return
  first, name = int(np.argmin(sound)), epoch.phase.name
  parts = [words for part, words in PARTS.items() if not finite[part][first]]
  raise RequestError(
    f"{_problem(losses[first], parts, epoch.scene_names)} in {_replicas(sound, epoch.seed)} after epoch "
    f"{epoch.number} (phases.{name}, learning rate {epoch.phase.learning_rate:g}); lower "
    f"--config.phases.{name}.learning_rate, in a new work directory{_hints(sound)}; {_kept(epoch.saved)}"
  )


def check_votes(votes: Votes, scene: str, seed: int) -> None:
  """Refuses a scene of which a network says nothing: finite parameters may still overflow in use.

  Args:
    votes: of all replicas.
    scene: its name.
    seed: of replica 0.

  Raises:
    RequestError: names the replicas.
  """
  sound = np.isfinite(votes.probability).all(axis=(1, 2))
  if not sound.all():
    raise RequestError(
      f"the probabilities of scene {scene!r} are not finite in {_replicas(sound, seed)}; lower the learning "
      f"rate of the last of --config.phases, in a new work directory{_hints(sound)}"
    )


def _all_finite(tree) -> Array:
  leaves = [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.inexact)]
  return jnp.all(jnp.stack([jnp.array(True), *(jnp.isfinite(x).all() for x in leaves)]))


def _problem(losses, parts, names):
  """What is wrong with one replica, by its losses `[T]` or else by parts of its state."""
  bad = np.flatnonzero(~np.isfinite(losses))
  if len(bad):
    return f"the loss of {_scenes(names[scene] for scene in bad)} is {losses[bad[0]]}"
  return f"{' and '.join(parts)} of the network of {_scenes(names)} is not finite"


def _scenes(names):
  return "scene " + " and ".join(map(repr, names))


def _replicas(sound, seed):
  bad = np.flatnonzero(~sound)
  return f"replica{'s' * (len(bad) > 1)} " + ", ".join(f"{index} (seed {seed + index})" for index in bad)


def _kept(saved):
  return f"the state that was saved after epoch {saved} stays" if saved else "no state was saved before it"


def _hints(sound):
  """Replicas share nothing, so a seed trains the same without the others."""
  hint = "; --config.check_only=True shows values that may be to blame (scaling, nodata)"
  if sound.any():
    hint += "; the other replicas are sound, and --config.seed with --config.replicas trains them alone"
  return hint

"""Training state, loss, step and epoch: pure functions, jitted by the caller.

The state is a nested dict: `params` and `stats` (see `Network.init`), `opt` (the optimiser's state), `losses`
(mean loss of every epoch and scene `[epochs, T]`, 0 if no sample of the scene was drawn), `accuracies`
(likewise, the share of samples classified correctly, each before the update by the step that used it), and,
if the recipe averages weights, `average` (see `optim.start_average`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from mtl_hsi.models.multitask import Network
from mtl_hsi.training import optim, patches
from mtl_hsi.training.batches import Order, TrainingSet, draw_step, epoch_order
from mtl_hsi.training.recipe import AUGMENTATIONS, LETTER_RECIPE, Recipe

# Parts of the state that hold means of every epoch.
MEANS = ("losses", "accuracies")


class Batch(NamedTuple):
  """One step's samples of every scene.

  Attributes:
    patches: `[T, N, P, P, B]`.
    classes: class indices from 0, int32 `[T, N]`.
    valid: which slots hold a sample, bool `[T, N]`.
    weight: weight of every sample in the loss, `[T, N]`; 0 where not valid.
    scene: index of the scene of every sample, int32 `[T, N]`, if the scenes share a head; a mixed batch then
      has a single row with the samples of all scenes. None: every row is of one scene.
  """

  patches: Array
  classes: Array
  valid: Array
  weight: Array
  scene: Array | None = None


class Outcome(NamedTuple):
  """Results of a step for every sample, by the network before the update.

  Attributes:
    entropies: cross-entropies `[T, N]`, 0 where not valid.
    correct: whether the class of the sample has the largest logit, bool `[T, N]`; false where not valid.
  """

  entropies: Array
  correct: Array


def init_state(network: Network, key: Array, epochs: int) -> dict:
  """Returns a fresh network; the optimiser's state is added by `start_phase`."""
  params, stats = network.init(key)
  return state_from(network, {"params": params, "stats": stats}, epochs)


def state_from(network: Network, weights: dict, epochs: int) -> dict:
  """Returns a state with given {"params", "stats"}; otherwise as `init_state`."""
  nothing = jnp.full((epochs, network.scenes), jnp.nan, jnp.float32)
  return {**weights, "losses": nothing, "accuracies": nothing}


def start_phase(
  state: dict, make_optimizer: optim.Factory, learning_rate: float, frozen: tuple[str, ...]
) -> dict:
  """Gives the state fresh accumulators for a phase; some optimisers start them from the learning rate."""
  transformation = optim.phase_transformation(make_optimizer, learning_rate, frozen)
  return {**state, "opt": transformation.init(state["params"])}


def loss(
  params: dict,
  stats: dict,
  batch: Batch,
  key: Array,
  *,
  network: Network,
  frozen: tuple[str, ...],
  smoothing: float = 0.0,
) -> tuple[Array, tuple[dict, Outcome]]:
  """Returns the masked cross-entropy of every scene, weighted and summed.

    L = sum over scenes t and samples i of w[t, i] * -log p_t(y[t, i] | x[t, i])

  With label smoothing s, the target of a sample is 1 - s for its class plus s spread evenly over all classes
  of its scene.

  Returns:
    L, and (updated statistics, outcome). Source: letter, equation (2).
  """
  logits, moved = network.train_logits(params, stats, batch.patches, batch.valid, key, frozen, batch.scene)
  entropies = _cross_entropies(logits, batch, network, smoothing)
  entropies = jnp.where(batch.valid, entropies, 0)
  correct = batch.valid & (jnp.argmax(logits, axis=-1) == batch.classes)
  return jnp.sum(batch.weight * entropies), (moved, Outcome(entropies, correct))


def _cross_entropies(logits, batch, network, smoothing):
  classes = batch.classes
  if smoothing == 0:
    return optax.softmax_cross_entropy_with_integer_labels(logits, classes)
  if batch.scene is None:
    present = network.present.reshape(network.scenes, 1, -1)
  else:
    present = network.present[batch.scene]
  even = present / jnp.sum(present, axis=-1, keepdims=True)
  targets = (1 - smoothing) * jax.nn.one_hot(classes, logits.shape[-1]) + smoothing * even
  return optax.softmax_cross_entropy(logits, targets, where=jnp.broadcast_to(present, logits.shape))


def make_train_step(
  network: Network, make_optimizer: optim.Factory, frozen: tuple[str, ...], recipe: Recipe = LETTER_RECIPE
) -> Callable:
  """Builds `step(state, batch, learning_rate, key) -> (state, outcome)`.

  Forward pass, loss, gradients and update are one XLA program.
  """

  def step(state, batch, learning_rate, key):
    gradient = jax.grad(loss, has_aux=True)
    grads, (stats, outcome) = gradient(
      *(state["params"], state["stats"], batch, key),
      network=network,
      frozen=frozen,
      smoothing=recipe.smoothing,
    )
    transformation = optim.phase_transformation(make_optimizer, learning_rate, frozen)
    updates, opt = transformation.update(grads, state["opt"], state["params"])
    params = optax.apply_updates(state["params"], updates)
    state = {**state, "params": params, "stats": stats, "opt": opt}
    return optim.update_average(state, recipe.averaging) if recipe.averaging else state, outcome

  return step


def make_epoch(
  network: Network,
  make_optimizer: optim.Factory,
  frozen: tuple[str, ...],
  *,
  batch_size: int,
  mixed: bool,
  recipe: Recipe = LETTER_RECIPE,
) -> Callable:
  """Builds `run(state, samples, key, pixels, epoch, learning_rate, steps, phase_span) -> state`.

  It is one loop over steps. Of its arguments,

  - `key` is the replica's. `epoch`, an int32 scalar, is folded into it, so a resumed run draws the same
    random numbers as an uninterrupted one.
  - `steps`, from `batches.steps_per_epoch`, is an int32 scalar, so one program serves training sets of
    several sizes.
  - `phase_span` is needed if the learning rate changes within a phase: first epoch and number of epochs of
    the phase, int32 scalars.
  """
  step = make_train_step(network, make_optimizer, frozen, recipe)

  def run(
    state: dict,
    samples: TrainingSet,
    key: Array,
    pixels: patches.Pixels,
    epoch: Array,
    learning_rate: Any,
    steps: Array,
    phase_span: tuple[Array, Array] = (0, 1),
  ) -> dict:
    order_key, step_key = jax.random.split(jax.random.fold_in(key, epoch))
    order_at = _orders(samples, order_key, batch_size, mixed, recipe, network)
    first, length = phase_span

    def body(index, carry):
      moving, sums, correct, counts = carry
      order = order_at(index)
      batch, key = _batch(samples, pixels, order, jax.random.fold_in(step_key, index), network, mixed, recipe)
      batch, key = _perturb(batch, key, recipe)
      rate = recipe.learning_rate(learning_rate, (epoch - first) * steps + index, length * steps)
      moving, outcome = step(moving, batch, rate, key)
      # A value that is not finite spreads to every scene in the next step; the sums keep where it began.
      of_scenes = jnp.sum(jnp.where(order.valid, outcome.entropies, 0), axis=1)
      sums = jnp.where(jnp.isfinite(sums).all(), sums + of_scenes, sums)
      correct += jnp.sum(order.valid & outcome.correct, axis=1)
      return moving, sums, correct, counts + jnp.sum(order.valid, axis=1)

    moving = {name: value for name, value in state.items() if name not in MEANS}
    none = jnp.zeros(network.scenes, int)
    moving, sums, correct, counts = lax.fori_loop(0, steps, body, (moving, none.astype(float), none, none))
    counts = jnp.maximum(counts, 1)
    means = {"losses": sums / counts, "accuracies": correct / counts}
    return moving | {name: state[name].at[epoch].set(means[name]) for name in MEANS}

  return run


def _orders(samples, key, batch_size, mixed, recipe, network):
  """Builds a function from the number of a step to its `Order`."""
  if recipe.steps is None:
    order = epoch_order(samples, key, batch_size=batch_size, mixed=mixed)
    return lambda index: Order(*(rows[index] for rows in order))
  return lambda index: draw_step(
    samples,
    jax.random.fold_in(key, index),
    batch_size=batch_size,
    mixed=mixed,
    balanced=recipe.balanced,
    images=AUGMENTATIONS[recipe.augmentation],
    shared_classes=network.shared_outputs is not None,
  )


def _batch(samples, pixels, order, key, network, mixed, recipe):
  """Returns the batch of a step and a key for the rest of the step."""
  sample, symmetry, valid = order
  scene = jnp.broadcast_to(jnp.arange(sample.shape[0]).reshape(-1, 1), sample.shape)
  if mixed and network.shared_outputs:
    sample, symmetry, valid, scene = _in_one_row(order)
  centres, classes = samples.centres[scene, sample], samples.classes[scene, sample]
  count = jnp.sum(valid) if mixed else jnp.maximum(jnp.sum(valid, axis=1, keepdims=True), 1)
  if recipe.shift:
    shift_key, key = jax.random.split(key)
    centres = patches.shift(centres, pixels.sizes[scene], shift_key, recipe.shift)
  cut = patches.gather(pixels, scene, centres, symmetry, network.patch)
  return Batch(cut, classes, valid, valid / count, scene if network.shared_outputs else None), key


def _in_one_row(order):
  """Returns sample, symmetry, valid and scene `[1, N]` of a mixed batch, each slot of which has one scene."""
  scene = jnp.argmax(order.valid, axis=0, keepdims=True)
  return *(jnp.take_along_axis(rows, scene, axis=0) for rows in order), scene


def _perturb(batch, key, recipe):
  """Returns the batch with perturbed spectra and a key for the rest of the step."""
  if not (recipe.jitter or recipe.band_dropout):
    return batch, key
  perturb_key, key = jax.random.split(key)
  changed = patches.perturb(
    batch.patches, perturb_key, jitter=recipe.jitter, band_dropout=recipe.band_dropout
  )
  return batch._replace(patches=changed), key

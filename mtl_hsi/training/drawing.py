"""Batches drawn at random step by step, as many as are wanted of however few samples."""

import jax
import jax.numpy as jnp
from jax import Array

from mtl_hsi.training.batches import Order, TrainingSet


def draw(
  samples: TrainingSet, key: Array, *, batch_size: int, mixed: bool, balanced: bool, images: int
) -> Order:
  """Draws the samples of one step.

  N different samples of every scene; where there are fewer all of them, and
  some once more. Balanced, a batch has every class equally often, up to one
  sample, and those of small classes again and again. A mixed batch instead
  holds N samples of the pooled set, balanced over the classes of all scenes;
  each stands in its own scene's row, the other rows' slots are empty.

  Args:
    samples: the training set of one replica.
    key: of this step.
    batch_size: N.
    mixed: batches of pooled samples.
    balanced: classes are drawn evenly.
    images: every sample is shown in one of the first so many of `patches.SYMMETRIES`.

  Returns:
    The order of one step, arrays `[T, N]`.
  """
  scenes, rows = samples.classes.shape
  sample_key, group_key, image_key = jax.random.split(key, 3)
  exists = jnp.arange(rows).reshape(1, -1) < samples.counts.reshape(-1, 1)
  groups = samples.classes if balanced else jnp.zeros_like(samples.classes)
  # Rows that pad change no draw: a scene's first numbers are the same however many there are.
  keys = jax.random.split(sample_key, scenes)
  rank = jax.vmap(lambda own: jax.random.uniform(own, (rows,)))(keys)
  if mixed:
    if balanced:
      groups = groups + rows * jnp.arange(scenes).reshape(-1, 1)
    drawn = _draw(rank.reshape(-1), group_key, groups.reshape(-1), exists.reshape(-1), batch_size)
    valid = (drawn // rows).reshape(1, -1) == jnp.arange(scenes).reshape(-1, 1)
    sample = jnp.where(valid, (drawn % rows).reshape(1, -1), 0)
  else:
    keys = jax.random.split(group_key, scenes)
    sample = jax.vmap(_draw, in_axes=(0, 0, 0, 0, None))(rank, keys, groups, exists, batch_size)
    valid = jnp.ones(sample.shape, bool)
  mirror = jax.random.randint(image_key, sample.shape, 0, images, jnp.int32)
  return Order(sample.astype(jnp.int32), mirror, valid)


def _draw(rank, key, groups, exists, size):
  """Indices `[size]` of samples `[M]` that exist: one of every group in turn, by rank within the group."""
  order = jnp.lexsort((rank, groups, ~exists))
  sorted_groups, number = groups[order], jnp.arange(len(order))
  begins = (number < jnp.sum(exists)) & ((number == 0) | (sorted_groups != jnp.roll(sorted_groups, 1)))
  count = jnp.sum(begins)
  (starts,) = jnp.nonzero(begins, size=len(order) + 1, fill_value=jnp.sum(exists))
  turns = jnp.argsort(jnp.where(number < count, jax.random.uniform(key, number.shape), jnp.inf))
  slot = jnp.arange(size)
  group = turns[slot % count]
  return order[starts[group] + slot // count % (starts[group + 1] - starts[group])]

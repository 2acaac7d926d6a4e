"""The training sets of all replicas, and which samples form the batches of an epoch.

Batches come from a shuffled epoch (`epoch_order`, the letter's way) or are drawn step by step (`draw_step`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.legend import outputs_of
from mtl_hsi.splits.split import PADDING
from mtl_hsi.training.patches import MIRROR_IMAGES, SPECTRUM

# The number of rows of a training set is a power of two, at least this one, so that a few compiled programs
# serve sets of all sizes.
_MIN_ROWS = 64


class TrainingSet(NamedTuple):
  """Training pixels of all scenes.

  Attributes:
    centres: row and column, int32 `[T, M, 2]`; of spectra of a library, `SPECTRUM` and the position in
      `Pixels.spectra`.
    classes: class indices from 0, int32 `[T, M]`.
    counts: number of samples of every scene, int32 `[T]`; later rows are padding.
    longest: largest of all counts of all replicas, an int32 scalar; M or less.
  """

  centres: np.ndarray | Array
  classes: np.ndarray | Array
  counts: np.ndarray | Array
  longest: np.ndarray | Array


class Order(NamedTuple):
  """The samples of all steps of an epoch, or of one step without the leading axis.

  Attributes:
    sample: index into the scene's training pixels, int32 `[steps, T, N]`.
    symmetry: index into `patches.SYMMETRIES`, int32 `[steps, T, N]`.
    valid: which slots hold a sample, bool `[steps, T, N]`.
  """

  sample: Array
  symmetry: Array
  valid: Array


def training_set(
  train: list[np.ndarray],
  labels: list[np.ndarray],
  class_ids: list[np.ndarray],
  libraries: list[np.ndarray] | None = None,
) -> TrainingSet:
  """Returns the training sets of all replicas, stacked on a leading axis R.

  All of them have the spectra of the libraries, after the pixels.

  Args:
    train: for every scene, the training pixels `[R, n, 2]` of its split.
    labels: for every scene, its label image.
    class_ids: for every scene, its class id of every output of the network.
    libraries: for every scene, the class ids of the spectra of its library, int32 `[n]`.
  """
  libraries = libraries or [np.empty(0, np.int32)] * len(train)
  replicas = len(train[0])
  longest = max(pixels.shape[1] + len(ids) for pixels, ids in zip(train, libraries, strict=True))
  rows = max(_MIN_ROWS, 1 << (longest - 1).bit_length())
  centres = np.zeros((replicas, len(train), rows, 2), np.int32)
  classes = np.zeros((replicas, len(train), rows), np.int32)
  counts = np.zeros((replicas, len(train)), np.int32)
  first = np.cumsum([0, *map(len, libraries)])
  for scene, (drawn, image, ids, of_spectra) in enumerate(
    zip(train, labels, class_ids, libraries, strict=True)
  ):
    positions = first[scene] + np.arange(len(of_spectra))
    spectra = np.stack([np.full(len(of_spectra), SPECTRUM), positions], axis=1)
    for replica in range(replicas):
      pixels = drawn[replica][drawn[replica, :, 0] != PADDING]
      samples = np.concatenate([image[tuple(pixels.T)], of_spectra])
      centres[replica, scene, : len(samples)] = np.concatenate([pixels, spectra])
      classes[replica, scene, : len(samples)] = outputs_of(ids, samples)
      counts[replica, scene] = len(samples)
  return TrainingSet(centres, classes, counts, np.full(replicas, longest, np.int32))


def steps_per_epoch(
  counts: np.ndarray, batch_size: int, *, mixed: bool, drop_last: bool, fixed: int | None = None
) -> int:
  """Returns the number of steps in which every mirror image of every sample is drawn once.

  Args:
    counts: training pixels `[R, T]`; the longest set decides, or the sum of all sets if mixed.
    batch_size: N.
    mixed: see `epoch_order`.
    drop_last: whether to leave out the last batch if it is partial.
    fixed: a number of steps that replaces the computed one (`Recipe.steps`), or None.

  Raises:
    RequestError: no batch is left.
  """
  if fixed is not None:
    return fixed
  samples = int(MIRROR_IMAGES * (counts.sum(axis=1) if mixed else counts.max(axis=1)).max())
  if not drop_last:
    return -(-samples // batch_size)
  if samples < batch_size:
    raise RequestError(
      f"config key last_batch is 'dropped' and batch_size {batch_size}, but an epoch has {samples} samples, "
      "mirror images included: no batch is left; lower batch_size"
    )
  return samples // batch_size


def most_steps(samples: TrainingSet, batch_size: int, mixed: bool) -> int:
  """Returns the steps of the longest epoch that a training set with this number of rows can have."""
  scenes, rows = samples.classes.shape
  return -(-MIRROR_IMAGES * rows * (scenes if mixed else 1) // batch_size)


def epoch_order(samples: TrainingSet, key: Array, *, batch_size: int, mixed: bool) -> Order:
  """Shuffles the mirrored samples of one epoch.

  Every step has N samples of every scene. The longest scene sets the length of the epoch, and its last batch
  may be partial; shorter scenes wrap around (as in a Keras model with two inputs). A mixed batch instead
  has N samples of the pooled set: each is in the row of its scene, and the same slot of the other rows is
  empty.

  Args:
    samples: the training set of one replica.
    key: random key of this epoch.
    batch_size: N.
    mixed: whether batches are drawn from the pooled set.

  Returns:
    An order of `most_steps` steps; the epoch consists of the first `steps_per_epoch` of them.
  """
  counts, longest = samples.counts, samples.longest
  scenes, rows = samples.classes.shape
  steps = most_steps(samples, batch_size, mixed)
  # Mirror image m of sample i has the random number m * longest + i, so that padding rows change no draw.
  index = jnp.arange(MIRROR_IMAGES * rows, dtype=jnp.int32).reshape(1, -1)
  exists = (index < MIRROR_IMAGES * longest) & (index % longest < counts.reshape(-1, 1))
  first = (jnp.arange(scenes, dtype=jnp.int32) * MIRROR_IMAGES * longest).reshape(-1, 1)
  rank = jnp.where(exists, jax.random.uniform(key, (exists.size,))[first + index], jnp.inf)
  slot = jnp.arange(steps * batch_size, dtype=jnp.int32)
  if mixed:
    total = MIRROR_IMAGES * jnp.sum(counts)
    flat = jnp.argsort(rank.reshape(-1))[slot % total]
    in_scene = (flat // exists.shape[1]).reshape(1, -1) == jnp.arange(scenes).reshape(-1, 1)
    drawn = jnp.broadcast_to((flat % exists.shape[1]).reshape(1, -1), in_scene.shape)
    valid = in_scene & _in_epoch(slot, total, batch_size).reshape(1, -1)
  else:
    totals = MIRROR_IMAGES * counts
    place = slot.reshape(1, -1) % jnp.maximum(totals, 1).reshape(-1, 1)
    drawn = jnp.take_along_axis(jnp.argsort(rank, axis=1), place, axis=1)
    valid = _in_epoch(slot, jnp.max(totals), batch_size).reshape(1, -1) & (counts > 0).reshape(-1, 1)
  drawn = jnp.where(valid, drawn, 0).astype(jnp.int32)

  def by_step(values):
    return values.reshape(scenes, steps, batch_size).transpose(1, 0, 2)

  # In the author's order, the upright image is the last of the four; in SYMMETRIES it is the first.
  symmetry = (drawn // longest + 1) % MIRROR_IMAGES
  return Order(by_step(drawn % longest), by_step(symmetry), by_step(valid))


def _in_epoch(slot, total, batch_size):
  """Marks slots up to the last sample; a replica with fewer steps than another continues in full batches."""
  return (slot < total) | (slot - slot % batch_size >= total)


def draw_step(
  samples: TrainingSet,
  key: Array,
  *,
  batch_size: int,
  mixed: bool,
  balanced: bool,
  images: int,
  shared_classes: bool = False,
) -> Order:
  """Draws the samples of one step.

  A step has N different samples of every scene; a scene with fewer samples gives all of them, and some
  repeatedly, and a scene without samples none. Balanced, all classes occur equally often, up to a difference
  of one, and samples of small classes are repeated. A mixed batch instead has N samples of the pooled set,
  balanced over the classes of all scenes: each is in the row of its scene, and the same slot of the other
  rows is empty.

  Args:
    samples: the training set of one replica.
    key: random key of this step.
    batch_size: N.
    mixed: whether batches are drawn from the pooled set.
    balanced: whether classes are drawn evenly.
    images: every sample is drawn as one of the first `images` of `patches.SYMMETRIES`.
    shared_classes: whether equal class indices of two scenes are one class, for a balanced mixed batch.

  Returns:
    The order of one step, arrays `[T, N]`.
  """
  scenes, rows = samples.classes.shape
  sample_key, group_key, image_key = jax.random.split(key, 3)
  exists = jnp.arange(rows).reshape(1, -1) < samples.counts.reshape(-1, 1)
  groups = samples.classes if balanced else jnp.zeros_like(samples.classes)
  # Padding rows change no draw: the first random numbers of a scene do not depend on how many follow.
  keys = jax.random.split(sample_key, scenes)
  rank = jax.vmap(lambda scene_key: jax.random.uniform(scene_key, (rows,)))(keys)
  if mixed:
    if balanced and not shared_classes:
      groups = groups + rows * jnp.arange(scenes).reshape(-1, 1)
    drawn = _draw(rank.reshape(-1), group_key, groups.reshape(-1), exists.reshape(-1), batch_size)
    valid = (drawn // rows).reshape(1, -1) == jnp.arange(scenes).reshape(-1, 1)
    sample = jnp.where(valid, (drawn % rows).reshape(1, -1), 0)
  else:
    keys = jax.random.split(group_key, scenes)
    sample = jax.vmap(_draw, in_axes=(0, 0, 0, 0, None))(rank, keys, groups, exists, batch_size)
    valid = jnp.broadcast_to((samples.counts > 0).reshape(-1, 1), sample.shape)
    sample = jnp.where(valid, sample, 0)
  symmetry = jax.random.randint(image_key, sample.shape, 0, images, jnp.int32)
  return Order(sample.astype(jnp.int32), symmetry, valid)


def _draw(rank, key, groups, exists, size):
  """Draws `[size]` of the M samples that exist: one of every group in turn, by rank within the group."""
  order = jnp.lexsort((rank, groups, ~exists))
  sorted_groups, number = groups[order], jnp.arange(len(order))
  begins = (number < jnp.sum(exists)) & ((number == 0) | (sorted_groups != jnp.roll(sorted_groups, 1)))
  # Without samples, the result has no meaning.
  count = jnp.maximum(jnp.sum(begins), 1)
  (starts,) = jnp.nonzero(begins, size=len(order) + 1, fill_value=jnp.sum(exists))
  turns = jnp.argsort(jnp.where(number < count, jax.random.uniform(key, number.shape), jnp.inf))
  slot = jnp.arange(size)
  group = turns[slot % count]
  return order[starts[group] + slot // count % jnp.maximum(starts[group + 1] - starts[group], 1)]

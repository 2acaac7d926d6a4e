"""Which samples stand in which batch of an epoch."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.sampling import PADDING
from mtl_hsi.training.patches import MIRRORS

# Rows of a training set are a power of two from here on, so that few programs serve sets of all sizes.
_FEWEST_ROWS = 64


class TrainingSet(NamedTuple):
  """Training pixels of all scenes; each counts once per mirror image.

  Attributes:
    centres: row and column, int32 `[T, M, 2]`.
    classes: class indices from 0, int32 `[T, M]`.
    counts: pixels of every scene, int32 `[T]`.
    longest: the largest set's pixels of all replicas, an int32 scalar; M or fewer.
  """

  centres: np.ndarray | Array
  classes: np.ndarray | Array
  counts: np.ndarray | Array
  longest: np.ndarray | Array


class Order(NamedTuple):
  """The samples of all steps of an epoch, or of one step without the leading axis.

  Attributes:
    sample: index into the scene's training pixels, int32 `[steps, T, N]`.
    mirror: index into `MIRRORS`, or into `patches.SYMMETRIES` where steps are drawn one by one, int32
      `[steps, T, N]`.
    valid: which slots hold a sample, bool `[steps, T, N]`.
  """

  sample: Array
  mirror: Array
  valid: Array


def training_set(
  train: list[np.ndarray], labels: list[np.ndarray], class_ids: list[np.ndarray]
) -> TrainingSet:
  """Training sets of all replicas, stacked on a leading axis R.

  Args:
    train: per scene the training pixels `[R, n, 2]` of its split.
    labels: per scene the label image.
    class_ids: per scene its class ids, ascending.
  """
  replicas, longest = len(train[0]), max(rows.shape[1] for rows in train)
  rows = max(_FEWEST_ROWS, 1 << (longest - 1).bit_length())
  centres = np.zeros((replicas, len(train), rows, 2), np.int32)
  classes = np.zeros((replicas, len(train), rows), np.int32)
  counts = np.zeros((replicas, len(train)), np.int32)
  for scene, (drawn, image, ids) in enumerate(zip(train, labels, class_ids, strict=True)):
    for replica in range(replicas):
      pixels = drawn[replica][drawn[replica, :, 0] != PADDING]
      centres[replica, scene, : len(pixels)] = pixels
      classes[replica, scene, : len(pixels)] = np.searchsorted(ids, image[tuple(pixels.T)])
      counts[replica, scene] = len(pixels)
  return TrainingSet(centres, classes, counts, np.full(replicas, longest, np.int32))


def steps_per_epoch(
  counts: np.ndarray, batch_size: int, *, mixed: bool, drop_last: bool, fixed: int | None = None
) -> int:
  """Steps until every mirrored sample of the longest set (or of all sets, if mixed) was drawn.

  Args:
    counts: training pixels `[R, T]`.
    batch_size: N.
    mixed: see `epoch_order`.
    drop_last: without the last batch where it is partial.
    fixed: so many in any case, as of a `Recipe`; None: those.

  Raises:
    RequestError: no batch is left.
  """
  if fixed is not None:
    return fixed
  samples = int(len(MIRRORS) * (counts.sum(axis=1) if mixed else counts.max(axis=1)).max())
  if not drop_last:
    return -(-samples // batch_size)
  if samples < batch_size:
    raise RequestError(
      f"config key last_batch is 'dropped' and batch_size {batch_size}, but an epoch has {samples} samples, "
      "mirror images included: no batch is left; lower batch_size"
    )
  return samples // batch_size


def most_steps(samples: TrainingSet, batch_size: int, mixed: bool) -> int:
  """Steps of the longest epoch that a training set of these rows, of one replica, can have."""
  scenes, rows = samples.classes.shape
  return -(-len(MIRRORS) * rows * (scenes if mixed else 1) // batch_size)


def epoch_order(samples: TrainingSet, key: Array, *, batch_size: int, mixed: bool) -> Order:
  """Shuffles the samples of one epoch.

  Every step takes N samples of every scene. The epoch is as long as the
  longest scene needs, whose last batch may be partial; shorter scenes wrap
  around (a two-input Keras model). A mixed batch instead holds N samples of the
  pooled set; each stands in its own scene's row, the other rows' slots are
  empty.

  Args:
    samples: the training set of one replica.
    key: of this epoch.
    batch_size: N.
    mixed: batches of pooled samples.

  Returns:
    The order of `most_steps`, of which the first `steps_per_epoch` are the epoch's.
  """
  counts, longest, mirrors = samples.counts, samples.longest, len(MIRRORS)
  scenes, rows = samples.classes.shape
  steps = most_steps(samples, batch_size, mixed)
  # Sample i of the mirror image m is drawn as m * longest + i, so that rows that pad change no draw.
  index = jnp.arange(mirrors * rows, dtype=jnp.int32).reshape(1, -1)
  exists = (index < mirrors * longest) & (index % longest < counts.reshape(-1, 1))
  first = (jnp.arange(scenes, dtype=jnp.int32) * mirrors * longest).reshape(-1, 1)
  rank = jnp.where(exists, jax.random.uniform(key, (exists.size,))[first + index], jnp.inf)
  slot = jnp.arange(steps * batch_size, dtype=jnp.int32)
  if mixed:
    total = mirrors * jnp.sum(counts)
    flat = jnp.argsort(rank.reshape(-1))[slot % total]
    owner = (flat // exists.shape[1]).reshape(1, -1) == jnp.arange(scenes).reshape(-1, 1)
    drawn = jnp.broadcast_to((flat % exists.shape[1]).reshape(1, -1), owner.shape)
    valid = owner & _in_epoch(slot, total, batch_size).reshape(1, -1)
  else:
    totals = mirrors * counts
    drawn = jnp.take_along_axis(
      jnp.argsort(rank, axis=1), slot.reshape(1, -1) % totals.reshape(-1, 1), axis=1
    )
    valid = jnp.broadcast_to(_in_epoch(slot, jnp.max(totals), batch_size).reshape(1, -1), drawn.shape)
  drawn = jnp.where(valid, drawn, 0).astype(jnp.int32)

  def by_step(values):
    return values.reshape(scenes, steps, batch_size).transpose(1, 0, 2)

  return Order(by_step(drawn % longest), by_step(drawn // longest), by_step(valid))


def _in_epoch(slot, total, batch_size):
  """Slots up to the last sample; a replica that has fewer steps than another goes on with whole batches."""
  return (slot < total) | (slot - slot % batch_size >= total)

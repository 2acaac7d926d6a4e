"""The majority of the snapshots, and how far they agree."""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array


class Votes(NamedTuple):
  """What the snapshots say together about every pixel.

  Attributes:
    labels: class indices, uint16 `[R, H, W]`.
    share: of the snapshots that voted for that class, float32 `[R, H, W]`, above 0 and up to 1.
    probability: softmax probability of that class, mean over all snapshots, float16 `[R, H, W]`.
  """

  labels: Array
  share: Array
  probability: Array


class Tally(NamedTuple):
  """What has been counted so far.

  Attributes:
    votes: snapshots for every class, int32 `[..., C]`.
    probabilities: their sum over the snapshots, float32 `[..., C]`.
  """

  votes: Array
  probabilities: Array


def start(shape: tuple[int, ...]) -> Tally:
  """Nothing counted yet, of a shape `[..., C]`."""
  return Tally(jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.float32))


def count(tally: Tally, labels: Array, probabilities: Array) -> Tally:
  """Adds one snapshot: class indices `[...]` and the probabilities of all classes `[..., C]`."""
  classes = jnp.arange(tally.votes.shape[-1]).reshape((1,) * labels.ndim + (-1,))
  return Tally(tally.votes + (labels[..., None] == classes), tally.probabilities + probabilities)


def decide(tally: Tally, snapshots: int) -> Votes:
  """The majority of so many snapshots; ties go to the smallest class (author's code)."""
  labels = jnp.argmax(tally.votes, axis=-1)

  def of_voted(values):
    return jnp.take_along_axis(values, labels[..., None], axis=-1)[..., 0] / snapshots

  return Votes(
    labels.astype(jnp.uint16),
    of_voted(tally.votes).astype(jnp.float32),
    # Steps of 1/2048 at most; rounding never leads beyond 1 by more than the sum's own.
    jnp.minimum(of_voted(tally.probabilities), 1).astype(jnp.float16),
  )


def confidence_arrays(votes: Mapping[str, Votes]) -> dict[str, np.ndarray]:
  """By scene `<scene>/vote_share` and `<scene>/probability`, as `confidence.npz` holds them."""
  arrays = {}
  for name, own in votes.items():
    arrays |= {f"{name}/vote_share": own.share, f"{name}/probability": own.probability}
  return arrays

"""The majority vote of the snapshots, and how well they agree."""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array


class Votes(NamedTuple):
  """The joint result of all snapshots in every pixel.

  Attributes:
    labels: class indices from 0, uint16 `[R, H, W]`.
    share: fraction of the snapshots that voted for that class, float32 `[R, H, W]`, up to 1.
    probability: softmax probability of that class, mean over all snapshots, float16 `[R, H, W]`.
  """

  labels: Array
  share: Array
  probability: Array


class Tally(NamedTuple):
  """Sums over the snapshots counted so far.

  Attributes:
    votes: number of snapshots for every class, int32 `[..., C]`.
    probabilities: sum of the class probabilities, float32 `[..., C]`.
  """

  votes: Array
  probabilities: Array


def start(shape: tuple[int, ...]) -> Tally:
  """Returns an empty tally of shape `[..., C]`."""
  return Tally(jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.float32))


def count(tally: Tally, labels: Array, probabilities: Array) -> Tally:
  """Adds one snapshot: class indices `[...]` and the probabilities of all classes `[..., C]`."""
  classes = jnp.arange(tally.votes.shape[-1]).reshape((1,) * labels.ndim + (-1,))
  return Tally(tally.votes + (labels[..., None] == classes), tally.probabilities + probabilities)


def decide(tally: Tally, snapshots: int, by_probability: bool = False) -> Votes:
  """Returns the class of most snapshots; ties go to the smallest class (author's code).

  Args:
    tally: of all snapshots.
    snapshots: their number.
    by_probability: whether the class with the largest mean probability wins instead.
  """
  labels = jnp.argmax(tally.probabilities if by_probability else tally.votes, axis=-1)

  def mean_of_voted(values):
    return jnp.take_along_axis(values, labels[..., None], axis=-1)[..., 0] / snapshots

  return Votes(
    labels.astype(jnp.uint16),
    mean_of_voted(tally.votes).astype(jnp.float32),
    # The sum of float32 probabilities may exceed 1 by rounding. float16 has steps of at most 1/2048 here.
    jnp.minimum(mean_of_voted(tally.probabilities), 1).astype(jnp.float16),
  )


def confidence_arrays(votes: Mapping[str, Votes]) -> dict[str, np.ndarray]:
  """Returns the arrays of `confidence.npz`: `<scene>/vote_share` and `<scene>/probability` of every scene."""
  arrays = {}
  for name, scene_votes in votes.items():
    arrays |= {f"{name}/vote_share": scene_votes.share, f"{name}/probability": scene_votes.probability}
  return arrays

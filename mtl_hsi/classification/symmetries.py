"""A network in use that sees a region in all eight symmetries of the square."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from mtl_hsi.models.multitask import Network

# From network, parameters, statistics, region and scene to logits [H, W, C].
Logits = Callable[[Network, dict, dict, Array, Array], Array]

_FLIPS = ((), (0,), (1,), (0, 1))


def symmetric(logits: Logits) -> Logits:
  """Logits whose softmax is the mean of those that a region and its flipped and transposed images get.

  A pixel gets the same whichever way the scene is turned; it takes eight times the work.
  """

  def mean(network, params, stats, region, scene):
    def probabilities(view):
      return jax.nn.softmax(logits(network, params, stats, view, scene))

    def over_flips(view):
      views = jnp.stack([jnp.flip(view, axes) for axes in _FLIPS])
      return sum(jnp.flip(own, axes) for own, axes in zip(lax.map(probabilities, views), _FLIPS, strict=True))

    upright, transposed = over_flips(region), over_flips(region.swapaxes(0, 1)).swapaxes(0, 1)
    return jnp.log((upright + transposed) / (2 * len(_FLIPS)))

  return mean

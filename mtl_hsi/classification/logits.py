"""The logits of all pixels of a region, by either method and by all symmetries of the square."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from mtl_hsi.models.multitask import Network

# From network, parameters, statistics, region [H + P - 1, W + P - 1, B] and scene to logits [H, W, C].
Logits = Callable[[Network, dict, dict, Array, Array], Array]

_FLIPS = ((), (0,), (1,), (0, 1))


def dense(network: Network, params: dict, stats: dict, region: Array, scene: Array) -> Array:
  """Logits of a region; what neighbouring pixels share is computed once."""
  return network.dense_logits(params, stats, region, scene)


def by_patches(network: Network, params: dict, stats: dict, region: Array, scene: Array) -> Array:
  """Logits of a region from the separate patch of every pixel.

  It works row by row: with the halo of smoothing, the patches of all pixels of a tile would need a gigabyte.
  """
  rows = jnp.arange(region.shape[0] - network.patch + 1)
  return lax.map(
    lambda row: network.patch_logits(params, stats, _patches_of_row(region, row, network.patch), scene), rows
  )


METHODS: dict[str, Logits] = {"dense": dense, "patches": by_patches}


def average_symmetries(logits: Logits) -> Logits:
  """Returns logits whose softmax is the mean over all eight flipped and transposed images of a region.

  A pixel gets the same probabilities whichever way the scene is turned, at eight times the cost.
  """

  def mean_logits(network, params, stats, region, scene):
    def probabilities(view):
      return jax.nn.softmax(logits(network, params, stats, view, scene))

    def sum_over_flips(view):
      views = jnp.stack([jnp.flip(view, axes) for axes in _FLIPS])
      maps = lax.map(probabilities, views)
      return sum(jnp.flip(flipped, axes) for flipped, axes in zip(maps, _FLIPS, strict=True))

    upright, transposed = sum_over_flips(region), sum_over_flips(region.swapaxes(0, 1)).swapaxes(0, 1)
    return jnp.log((upright + transposed) / (2 * len(_FLIPS)))

  return mean_logits


def _patches_of_row(region: Array, row: Array, patch: int) -> Array:
  """Cuts the patches `[W, P, P, B]` of one row out of `[H + P - 1, W + P - 1, B]`."""
  strip = lax.dynamic_slice_in_dim(region, row, patch)
  columns = jnp.arange(region.shape[1] - patch + 1).reshape(-1, 1) + jnp.arange(patch).reshape(1, -1)
  return strip[:, columns].transpose(1, 0, 2, 3)

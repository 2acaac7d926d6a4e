"""Every pixel of a scene, in tiles of bounded memory, by majority vote of snapshots."""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.models.multitask import Network
from mtl_hsi.replicas import Replicas

METHODS = ("dense", "patches")


def make_classifier(network: Network, replicas: Replicas, method: str) -> Callable:
  """Compiles `labels(params, stats, region, scene) -> class indices int32 [R, H, W]` of a tile.

  `region [H + P - 1, W + P - 1, B]` holds the tile and its surroundings. The
  method is "dense" (whatever pixels share is computed once) or "patches" (every
  pixel's patch on its own); both give the same labels.
  """

  def dense(params, stats, region, scene):
    return jnp.argmax(network.dense_logits(params, stats, region, scene), axis=-1)

  def patches(params, stats, region, scene):
    height, width = (size - network.patch + 1 for size in region.shape[:2])
    logits = network.patch_logits(params, stats, _all_patches(region, network.patch), scene)
    return jnp.argmax(logits, axis=-1).reshape(height, width)

  return replicas.spread({"dense": dense, "patches": patches}[method], 2)


def tile_pixels(method: str, patch: int, pixels: int) -> int:
  """Pixels a tile may have; patch by patch every pixel takes P * P times the memory."""
  return pixels if method == "dense" else max(1, pixels // patch**2)


def classify(
  classifier: Callable,
  replicas: Replicas,
  snapshot: dict,
  padded: np.ndarray,
  scene: int,
  *,
  patch: int,
  pixels: int,
) -> np.ndarray:
  """Class indices of every pixel by one snapshot of every replica.

  Args:
    classifier: from `make_classifier`.
    replicas: the R networks.
    snapshot: {"params", "stats"} as `Replicas.put` placed them.
    padded: the scene's padded cube `[H + P - 1, W + P - 1, B]`.
    scene: its index.
    patch: side P.
    pixels: bound on the pixels of a tile.

  Returns:
    Unsigned integers `[R, H, W]`.
  """
  height, width = (size - patch + 1 for size in padded.shape[:2])
  labels = np.empty((replicas.count, height, width), np.uint16)
  for rows, columns in tiles(height, width, pixels):
    region = padded[rows.start : rows.stop + patch - 1, columns.start : columns.stop + patch - 1]
    result = classifier(snapshot["params"], snapshot["stats"], replicas.share(region), np.int32(scene))
    labels[:, rows, columns] = replicas.get(result)
  return labels


def tiles(height: int, width: int, pixels: int) -> Iterator[tuple[slice, slice]]:
  """Cuts a scene into near-square tiles of one size, so that one program serves all; the last overlap."""
  side = max(1, int(pixels**0.5))
  rows, columns = (-(-size // -(-size // min(size, side))) for size in (height, width))
  for top in range(0, height, rows):
    for left in range(0, width, columns):
      row, column = min(top, height - rows), min(left, width - columns)
      yield slice(row, row + rows), slice(column, column + columns)


def vote(labels: np.ndarray, classes: int) -> np.ndarray:
  """Majority of the snapshots; ties go to the smallest class (author's code).

  Args:
    labels: class indices `[S, ...]`.
    classes: how many there are.

  Returns:
    Class indices `[...]`.
  """
  best = np.zeros(labels.shape[1:], labels.dtype)
  most = np.zeros(labels.shape[1:], np.uint16)
  for index in range(classes):
    count = np.sum(labels == index, axis=0, dtype=np.uint16)
    better = count > most
    best[better], most[better] = index, count[better]
  return best


def _all_patches(region: Array, patch: int) -> Array:
  """`[H + P - 1, W + P - 1, B]` to `[H * W, P, P, B]`."""
  height, width = (size - patch + 1 for size in region.shape[:2])
  rows = jnp.arange(height).reshape(-1, 1, 1, 1) + jnp.arange(patch).reshape(1, 1, -1, 1)
  columns = jnp.arange(width).reshape(1, -1, 1, 1) + jnp.arange(patch).reshape(1, 1, 1, -1)
  return region[rows, columns].reshape(height * width, patch, patch, region.shape[-1])

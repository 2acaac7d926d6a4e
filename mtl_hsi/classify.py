"""Every pixel of a scene, in tiles of bounded memory, by majority vote of snapshots."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mtl_hsi import processes
from mtl_hsi.models.multitask import Network
from mtl_hsi.replicas import loop_over_replicas

METHODS = ("dense", "patches")

_AXIS = "tiles"


class Classifier:
  """Classifies scenes by R networks; every device has all networks and takes a tile at a time.

  The method is "dense" (whatever pixels share is computed once) or "patches"
  (every pixel's patch on its own); both give the same labels.

  Args:
    network: the architecture.
    devices: to spread the tiles over.
    method: of `METHODS`.
    tile_pixels: bound on the pixels that a device classifies at once; patch by
      patch every pixel takes P * P times the memory, and the bound is lower.
  """

  def __init__(self, network: Network, devices: list[jax.Device], method: str, tile_pixels: int):
    self._patch, self._devices = network.patch, len(devices)
    self._pixels = tile_pixels if method == "dense" else max(1, tile_pixels // network.patch**2)
    self._mesh = Mesh(np.array(devices), (_AXIS,), axis_types=(AxisType.Auto,))
    loop = loop_over_replicas(devices[0].platform)
    label = {"dense": _dense_labels, "patches": _patch_labels}[method]

    def local(networks, regions, scene):
      return loop(lambda own: label(network, own["params"], own["stats"], regions[0], scene))(networks)[
        :, None
      ]

    self._label = jax.jit(
      jax.shard_map(
        local,
        mesh=self._mesh,
        in_specs=(PartitionSpec(), PartitionSpec(_AXIS), PartitionSpec()),
        out_specs=PartitionSpec(None, _AXIS),
      )
    )

  def place(self, networks: dict) -> dict:
    """Copies {"params", "stats"} of R networks, leading axis R, to every device."""
    return processes.place(networks, NamedSharding(self._mesh, PartitionSpec()))

  def classify(self, networks: dict, padded: np.ndarray, scene: int) -> np.ndarray:
    """Class indices of every pixel by every network.

    Args:
      networks: from `place`.
      padded: the scene's padded cube `[H + P - 1, W + P - 1, B]`.
      scene: its index.

    Returns:
      Unsigned integers `[R, H, W]`.
    """
    margin = self._patch - 1
    height, width = (size - margin for size in padded.shape[:2])
    count = len(jax.tree.leaves(networks)[0])
    labels = np.empty((count, height, width), np.uint16)

    def store(group, result):
      for (rows, columns), own in zip(group, processes.fetch(result).swapaxes(0, 1)):
        labels[:, rows, columns] = own

    waiting = None
    places = list(tiles(height, width, self._pixels, devices=self._devices, margin=margin))
    for first in range(0, len(places), self._devices):
      group = places[first : first + self._devices]
      # Devices without a tile repeat the last one.
      filled = group + group[-1:] * (self._devices - len(group))
      regions = np.stack(
        [
          padded[rows.start : rows.stop + margin, columns.start : columns.stop + margin]
          for rows, columns in filled
        ]
      )
      regions = processes.place(regions, NamedSharding(self._mesh, PartitionSpec(_AXIS)))
      result = self._label(networks, regions, np.int32(scene))
      # The devices work on this group while the one before is fetched.
      if waiting:
        store(*waiting)
      waiting = group, result
    store(*waiting)
    return labels


def tiles(
  height: int, width: int, pixels: int, *, devices: int, margin: int
) -> Iterator[tuple[slice, slice]]:
  """Cuts a scene into tiles of one size, so that one program serves all; the last overlap.

  Of all sizes it is the one that takes the least work, by pixels of tiles and
  surroundings.

  Args:
    height: H of the scene.
    width: W of the scene.
    pixels: bound on the pixels of a tile.
    devices: how many tiles are worked on at once.
    margin: rows and columns of surroundings that come with a tile.
  """

  def work(size):
    rows, columns = size
    rounds = -(-(-(-height // rows) * -(-width // columns)) // devices)
    return rounds * (rows + margin) * (columns + margin)

  # Near-equal parts of the height, and for each as few parts of the width as the bound allows.
  heights = {-(-height // count) for count in range(1, height + 1)}
  sizes = [
    (rows, -(-width // -(-width // min(width, pixels // rows)))) for rows in sorted(heights) if rows <= pixels
  ]
  rows, columns = min(sizes, key=work)
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


def _dense_labels(network, params, stats, region, scene):
  return jnp.argmax(network.dense_logits(params, stats, region, scene), axis=-1)


def _patch_labels(network, params, stats, region, scene):
  height, width = (size - network.patch + 1 for size in region.shape[:2])
  logits = network.patch_logits(params, stats, _all_patches(region, network.patch), scene)
  return jnp.argmax(logits, axis=-1).reshape(height, width)


def _all_patches(region: Array, patch: int) -> Array:
  """`[H + P - 1, W + P - 1, B]` to `[H * W, P, P, B]`."""
  height, width = (size - patch + 1 for size in region.shape[:2])
  rows = jnp.arange(height).reshape(-1, 1, 1, 1) + jnp.arange(patch).reshape(1, 1, -1, 1)
  columns = jnp.arange(width).reshape(1, -1, 1, 1) + jnp.arange(patch).reshape(1, 1, 1, -1)
  return region[rows, columns].reshape(height * width, patch, patch, region.shape[-1])

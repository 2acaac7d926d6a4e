"""Every pixel of a scene, in tiles of bounded memory, by majority vote of snapshots."""

from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mtl_hsi import processes, symmetries, voting
from mtl_hsi.models.multitask import Network
from mtl_hsi.per_device import per_device
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
    symmetric: see `symmetries.symmetric`.
  """

  def __init__(
    self,
    network: Network,
    devices: list[jax.Device],
    method: str,
    tile_pixels: int,
    symmetric: bool = False,
  ):
    self._patch, self._devices = network.patch, len(devices)
    self._pixels = tile_pixels if method == "dense" else max(1, tile_pixels // network.patch**2)
    self._mesh = Mesh(np.array(devices), (_AXIS,), axis_types=(AxisType.Auto,))
    loop = loop_over_replicas(devices[0].platform)
    logits = {"dense": _dense_logits, "patches": _patch_logits}[method]
    if symmetric:
      logits = symmetries.symmetric(logits)

    def labels(networks, regions, scene):
      def label(own):
        return jnp.argmax(logits(network, own["params"], own["stats"], regions[0], scene), axis=-1)

      return loop(label)(networks)[:, None]

    def votes(networks, regions, scene):
      def score(own):
        scores = logits(network, own["params"], own["stats"], regions[0], scene)
        return jnp.argmax(scores, axis=-1), jax.nn.softmax(scores)

      snapshots, replicas = jax.tree.leaves(networks)[0].shape[:2]
      height, width = (size - network.patch + 1 for size in regions.shape[1:3])
      nothing = voting.start((replicas, height, width, max(network.class_counts)))

      def add(tally, own):
        return voting.count(tally, *loop(score)(own)), None

      tally, _ = lax.scan(add, nothing, networks)
      return jax.tree.map(lambda x: x[:, None], voting.decide(tally, snapshots))

    self._labels, self._votes = (per_device(function, self._mesh, axis=1) for function in (labels, votes))

  def place(self, networks: dict) -> dict:
    """Copies {"params", "stats"} of R networks, leading axis R, to every device."""
    return processes.place(networks, NamedSharding(self._mesh, PartitionSpec()))

  def place_snapshots(self, snapshots: Sequence[dict]) -> dict:
    """Copies several snapshots of R networks, each as in `place`, to every device: leading axes S, R."""
    return self.place(jax.tree.map(lambda *leaves: np.stack(leaves), *snapshots))

  def classify(self, networks: dict, padded: np.ndarray, scene: int) -> np.ndarray:
    """Class indices of every pixel by every network.

    Args:
      networks: from `place`.
      padded: the scene's padded cube `[H + P - 1, W + P - 1, B]`.
      scene: its index.

    Returns:
      Unsigned integers `[R, H, W]`.
    """
    count = len(jax.tree.leaves(networks)[0])
    labels = np.empty((count, *self._size(padded)), np.uint16)
    for (rows, columns), own in self._by_tile(self._labels, networks, padded, scene):
      labels[:, rows, columns] = own
    return labels

  def vote(self, snapshots: dict, padded: np.ndarray, scene: int, tick: Callable[[], object]) -> voting.Votes:
    """The majority of the snapshots in every pixel, with its confidence; each runs once over every tile.

    The probabilities of all classes are held for one tile at a time.

    Args:
      snapshots: from `place_snapshots`.
      padded: the scene's padded cube `[H + P - 1, W + P - 1, B]`.
      scene: its index.
      tick: called after every tile.

    Returns:
      numpy arrays `[R, H, W]`.
    """
    shape = (jax.tree.leaves(snapshots)[0].shape[1], *self._size(padded))
    votes = voting.Votes(np.empty(shape, np.uint16), np.empty(shape, np.float32), np.empty(shape, np.float16))
    for (rows, columns), own in self._by_tile(self._votes, snapshots, padded, scene):
      for whole, part in zip(votes, own):
        whole[:, rows, columns] = part
      tick()
    return votes

  def tiles(self, padded: np.ndarray) -> list[tuple[slice, slice]]:
    """Rows and columns of the tiles that a padded cube is classified in."""
    return list(tiles(*self._size(padded), self._pixels, devices=self._devices, margin=self._patch - 1))

  def _size(self, padded):
    return tuple(size - self._patch + 1 for size in padded.shape[:2])

  def _by_tile(self, program, networks, padded, scene):
    """Every tile with what a program says of it, arrays `[R, h, w]`."""
    margin, waiting = self._patch - 1, None
    places = self.tiles(padded)
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
      result = program(networks, regions, np.int32(scene))
      # The devices work on this group while the one before is fetched.
      if waiting:
        yield from _fetched(*waiting)
      waiting = group, result
    yield from _fetched(*waiting)


def _fetched(group, result):
  result = processes.fetch(result)
  for index, place in enumerate(group):
    yield place, jax.tree.map(lambda x, index=index: x[:, index], result)


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


def _dense_logits(network, params, stats, region, scene):
  return network.dense_logits(params, stats, region, scene)


def _patch_logits(network, params, stats, region, scene):
  height, width = (size - network.patch + 1 for size in region.shape[:2])
  logits = network.patch_logits(params, stats, _all_patches(region, network.patch), scene)
  return logits.reshape(height, width, -1)


def _all_patches(region: Array, patch: int) -> Array:
  """`[H + P - 1, W + P - 1, B]` to `[H * W, P, P, B]`."""
  height, width = (size - patch + 1 for size in region.shape[:2])
  rows = jnp.arange(height).reshape(-1, 1, 1, 1) + jnp.arange(patch).reshape(1, 1, -1, 1)
  columns = jnp.arange(width).reshape(1, -1, 1, 1) + jnp.arange(patch).reshape(1, 1, 1, -1)
  return region[rows, columns].reshape(height * width, patch, patch, region.shape[-1])

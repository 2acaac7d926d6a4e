"""Every pixel of a scene, in tiles of bounded memory, by majority vote of snapshots."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mtl_hsi.classification import smoothing, symmetries, voting
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.models.multitask import Network
from mtl_hsi.runtime import processes
from mtl_hsi.runtime.per_device import per_device
from mtl_hsi.runtime.replicas import loop_over_replicas

METHODS = ("dense", "patches")

_AXIS = "tiles"


class Manner(NamedTuple):
  """How networks are used.

  Attributes:
    symmetric: see `symmetries.symmetric`.
    smoothing: see `smoothing.smooth`.
  """

  symmetric: bool
  smoothing: Smoothing


# Of so many steps, the other numbers are of no use.
PLAIN = Manner(symmetric=False, smoothing=Smoothing(0, 0.5, 1.0))


class Part(NamedTuple):
  """Pixels of a scene that are classified.

  Attributes:
    padded: the scene's padded cube `[H + P - 1, W + P - 1, B]`, or that of a part of it.
    scene: its index.
    contrast: of the scene (`smoothing.contrast`); None where nothing is smoothed.
    measured: pixels that smoothing may use, bool `[H, W]`; None: all.
    window: rows and columns to classify, of which `padded` has as many more as smoothing reaches and the
      scene has; None: all.
  """

  padded: np.ndarray
  scene: int
  contrast: float | None = None
  measured: np.ndarray | None = None
  window: tuple[slice, slice] | None = None


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
    manner: see `Manner`.
  """

  def __init__(
    self,
    network: Network,
    devices: list[jax.Device],
    method: str,
    tile_pixels: int,
    manner: Manner = PLAIN,
  ):
    self._patch, self._devices, self.reach = network.patch, len(devices), manner.smoothing.steps
    self._pixels = tile_pixels if method == "dense" else max(1, tile_pixels // network.patch**2)
    self._mesh = Mesh(np.array(devices), (_AXIS,), axis_types=(AxisType.Auto,))
    loop = loop_over_replicas(devices[0].platform)
    logits = {"dense": _dense_logits, "patches": _patch_logits}[method]
    if manner.symmetric:
      logits = symmetries.symmetric(logits)

    def judging(region, measured, scene, contrast):
      """From a network to the class of every pixel of a tile, and the probabilities of all."""
      if not self.reach:
        return lambda own: _decided(logits(network, own["params"], own["stats"], region, scene))
      centres = region[network.patch // 2 :, network.patch // 2 :][: measured.shape[0], : measured.shape[1]]
      mixing = smoothing.weights(centres, measured, contrast / manner.smoothing.sharpness)
      inner = (slice(self.reach, -self.reach),) * 2

      def judge(own):
        scores = logits(network, own["params"], own["stats"], region, scene)
        probabilities = smoothing.smooth(jax.nn.softmax(scores), mixing, manner.smoothing)[inner]
        return jnp.argmax(probabilities, axis=-1), probabilities

      return judge

    def labels(networks, regions, measured, scene, contrast):
      judge = judging(regions[0], measured[0], scene, contrast)
      return loop(lambda own: judge(own)[0])(networks)[:, None]

    def votes(networks, regions, measured, scene, contrast):
      judge = judging(regions[0], measured[0], scene, contrast)
      snapshots, replicas = jax.tree.leaves(networks)[0].shape[:2]
      height, width = (size - 2 * self.reach for size in measured.shape[1:])
      nothing = voting.start((replicas, height, width, max(network.class_counts)))

      def add(tally, own):
        return voting.count(tally, *loop(judge)(own)), None

      tally, _ = lax.scan(add, nothing, networks)
      return jax.tree.map(lambda x: x[:, None], voting.decide(tally, snapshots))

    self._labels, self._votes = (per_device(function, self._mesh, axis=1) for function in (labels, votes))

  def place(self, networks: dict) -> dict:
    """Copies {"params", "stats"} of R networks, leading axis R, to every device."""
    return processes.place(networks, NamedSharding(self._mesh, PartitionSpec()))

  def place_snapshots(self, snapshots: Sequence[dict]) -> dict:
    """Copies several snapshots of R networks, each as in `place`, to every device: leading axes S, R."""
    return self.place(jax.tree.map(lambda *leaves: np.stack(leaves), *snapshots))

  def classify(self, networks: dict, part: Part) -> np.ndarray:
    """Class indices of every pixel by every network.

    Args:
      networks: from `place`.
      part: the pixels.

    Returns:
      Unsigned integers `[R, h, w]`.
    """
    window = self._window(part)
    labels = np.empty((len(jax.tree.leaves(networks)[0]), *_size(window)), np.uint16)
    for (rows, columns), own in self._by_tile(self._labels, networks, part, window):
      labels[:, rows, columns] = own
    return labels

  def vote(self, snapshots: dict, part: Part, tick: Callable[[], object]) -> voting.Votes:
    """The majority of the snapshots in every pixel, with its confidence; each runs once over every tile.

    The probabilities of all classes are held for one tile at a time.

    Args:
      snapshots: from `place_snapshots`.
      part: the pixels.
      tick: called after every tile.

    Returns:
      numpy arrays `[R, h, w]`.
    """
    window = self._window(part)
    shape = (jax.tree.leaves(snapshots)[0].shape[1], *_size(window))
    votes = voting.Votes(np.empty(shape, np.uint16), np.empty(shape, np.float32), np.empty(shape, np.float16))
    for (rows, columns), own in self._by_tile(self._votes, snapshots, part, window):
      for whole, tile in zip(votes, own):
        whole[:, rows, columns] = tile
      tick()
    return votes

  def tiles(self, part: Part) -> list[tuple[slice, slice]]:
    """Rows and columns, from the window's first, of the tiles that a part of a scene is classified in."""
    margin = self._patch - 1 + 2 * self.reach
    return list(tiles(*_size(self._window(part)), self._pixels, devices=self._devices, margin=margin))

  def _window(self, part):
    return part.window or tuple(slice(0, size - self._patch + 1) for size in part.padded.shape[:2])

  def _by_tile(self, program, networks, part, window):
    """Every tile, by its place in the window, with what a program says of it, arrays `[R, h, w]`."""
    measured = part.measured
    if measured is None:
      measured = np.ones([size - self._patch + 1 for size in part.padded.shape[:2]], bool)
    places, waiting = self.tiles(part), None
    sharded = NamedSharding(self._mesh, PartitionSpec(_AXIS))
    for start in range(0, len(places), self._devices):
      group = places[start : start + self._devices]
      # Devices without a tile repeat the last one.
      filled = [
        tuple(slice(first.start + tile.start, first.start + tile.stop) for first, tile in zip(window, own))
        for own in group + group[-1:] * (self._devices - len(group))
      ]
      regions = np.stack([_around(part.padded, own, self.reach, self._patch - 1) for own in filled])
      counted = np.stack([_around(measured, own, self.reach, 0) for own in filled])
      placed = (processes.place(own, sharded) for own in (regions, counted))
      result = program(networks, *placed, np.int32(part.scene), np.float32(part.contrast or 1))
      # The devices work on this group while the one before is fetched.
      if waiting:
        yield from _fetched(*waiting)
      waiting = group, result
    yield from _fetched(*waiting)


def _decided(scores):
  return jnp.argmax(scores, axis=-1), jax.nn.softmax(scores)


def _size(window):
  return tuple(part.stop - part.start for part in window)


def _around(values, place, reach, beyond):
  """A place with `reach` more pixels on every side and `beyond` more behind, 0 where there are none."""
  wanted = [(part.start - reach, part.stop + reach + beyond) for part in place]
  lacking = [(max(-start, 0), max(stop - size, 0)) for (start, stop), size in zip(wanted, values.shape)]
  there = values[tuple(slice(max(start, 0), stop) for start, stop in wanted)]
  if not np.any(lacking):
    return there
  return np.pad(there, lacking + [(0, 0)] * (values.ndim - 2))


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
  """Row by row: with what smoothing reaches, the patches of all pixels of a tile would be a gigabyte."""
  rows = jnp.arange(region.shape[0] - network.patch + 1)
  return lax.map(
    lambda row: network.patch_logits(params, stats, _patches_of(region, row, network.patch), scene), rows
  )


def _patches_of(region: Array, row: Array, patch: int) -> Array:
  """`[H + P - 1, W + P - 1, B]` to the patches `[W, P, P, B]` of a row."""
  strip = lax.dynamic_slice_in_dim(region, row, patch)
  columns = jnp.arange(region.shape[1] - patch + 1).reshape(-1, 1) + jnp.arange(patch).reshape(1, -1)
  return strip[:, columns].transpose(1, 0, 2, 3)

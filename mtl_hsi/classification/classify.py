"""Classification of every pixel of a scene, in tiles of bounded memory, by majority vote of snapshots."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mtl_hsi.channels.padded import Padded
from mtl_hsi.classification import mixture, smoothing, voting
from mtl_hsi.classification.logits import METHODS, Logits, average_symmetries
from mtl_hsi.classification.members import cut, expert_logits, network_logits
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.classification.tiles import Margins, equal_tiles, halo_of
from mtl_hsi.models.multitask import Network
from mtl_hsi.runtime import processes
from mtl_hsi.runtime.per_device import per_device
from mtl_hsi.runtime.replicas import loop_over_replicas
from mtl_hsi.scenes.windows import Pair, Window, cut_with_halo, shape_of, shifted

_AXIS = "tiles"


class InferenceOptions(NamedTuple):
  """How the outputs of a network are processed before it votes.

  Attributes:
    symmetric: whether outputs are averaged over all symmetries; see `logits.average_symmetries`.
    smoothing: how class probabilities are smoothed; see `smoothing.smooth`.
  """

  symmetric: bool
  smoothing: Smoothing


# Without smoothing steps, the other two numbers have no effect.
PLAIN = InferenceOptions(symmetric=False, smoothing=Smoothing(0, 0.5, 1.0))


class SceneRegion(NamedTuple):
  """Pixels of one scene to classify.

  Attributes:
    padded: channels of the scene or of a part of it, padded for the patches: `[H + P - 1, W + P - 1, B]`.
    scene: index of the scene.
    contrast: contrast of the scene (`smoothing.contrast`); None without smoothing.
    measured: pixels that smoothing may use, bool `[H, W]`; None: all.
    window: rows and columns of `[H, W]` to classify; None: all. Around it, `padded` must include the halo
      that smoothing needs (`Classifier.halo`), as far as the scene has it.
  """

  padded: Padded
  scene: int
  contrast: float | None = None
  measured: np.ndarray | None = None
  window: Window | None = None


class Classifier:
  """Classifies scenes by the votes of S snapshots of R networks.

  Every device has all networks and classifies one tile at a time. Both methods give the same labels.

  Args:
    networks: the architecture and, if there is one, that of smaller patches.
    devices: to spread the tiles over.
    method: a name in `logits.METHODS`.
    tile_pixels: bound on the pixels that a device classifies at once; with "patches", a pixel needs P * P
      times the memory, and the bound is divided by that.
    options: see `InferenceOptions`.
    all_classes: whether `vote` can hand out the probabilities of all classes.

  Attributes:
    halo: pixels around a window that its classification depends on, without those of the patches.
  """

  def __init__(
    self,
    networks: tuple[Network, ...],
    devices: list[jax.Device],
    method: str,
    tile_pixels: int,
    options: InferenceOptions = PLAIN,
    *,
    all_classes: bool = False,
  ):
    self.halo = options.smoothing.steps
    self._patch, self._devices = networks[0].patch, len(devices)
    self._pixels = tile_pixels if method == "dense" else max(1, tile_pixels // self._patch**2)
    self._mesh = Mesh(np.array(devices), (_AXIS,), axis_types=(AxisType.Auto,))
    logits = METHODS[method]
    if options.symmetric:
      logits = average_symmetries(logits)
    loop = loop_over_replicas(devices[0].platform)

    def program(halo):
      votes = voting_program(networks, logits, options.smoothing, halo, loop, all_classes)
      return per_device(votes, self._mesh, axis=1)

    # Halo by halo, as tiles that extend from border to border have none.
    self._program = functools.cache(program)

  def place_snapshots(self, snapshots: Sequence[dict]) -> dict:
    """Copies snapshots to every device.

    Args:
      snapshots: {"params", "stats"} of R networks each, leading axis R; of a mixture of M members also the
        "local" network and "mixture": "weights" `[R, M]`, "temperature" `[R]` and, of a regression, "kernel"
        `[R, B, C]` and "bias" `[R, C]`.

    Returns:
      The same tree with leading axes S, R.
    """
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *snapshots)
    return processes.place(stacked, NamedSharding(self._mesh, PartitionSpec()))

  def vote(
    self,
    snapshots: dict,
    region: SceneRegion,
    tick: Callable[[], object],
    take: Callable[[Window, np.ndarray, np.ndarray], object] | None = None,
  ) -> voting.Votes:
    """Computes the majority of the snapshots in every pixel, and its confidence.

    The probabilities of all classes are kept for one tile at a time.

    Args:
      snapshots: from `place_snapshots`.
      region: the pixels.
      tick: called after every tile.
      take: called with every tile: its window, counted from the first pixel of the region's window; of the
        first replica the class indices, uint16 `[h, w]`, and the mean probabilities of all classes, float32
        `[h, w, C]`. Needs `all_classes`.

    Returns:
      numpy arrays `[R, h, w]`.
    """
    shape = (jax.tree.leaves(snapshots)[0].shape[1], *shape_of(self._window(region)))
    votes = voting.Votes(np.empty(shape, np.uint16), np.empty(shape, np.float32), np.empty(shape, np.float16))
    for (rows, columns), (tile_votes, probabilities) in self._votes_by_tile(snapshots, region):
      for whole, tile in zip(votes, tile_votes, strict=True):
        whole[:, rows, columns] = tile
      if take is not None:
        take((rows, columns), tile_votes.labels[0], probabilities[0])
      tick()
    return votes

  def tiles(self, region: SceneRegion) -> list[Window]:
    """Lists the tiles in which a region is classified, counted from the first pixel of its window."""
    window, patch = self._window(region), self._patch - 1
    outside = halo_of(window, self._shape(region), self.halo)
    margins = Margins(tuple(patch + 2 * size for size in outside), patch + 2 * self.halo)
    return list(equal_tiles(*shape_of(window), self._pixels, devices=self._devices, margins=margins))

  def _window(self, region):
    return region.window or tuple(slice(0, size) for size in self._shape(region))

  def _shape(self, region):
    return tuple(size - self._patch + 1 for size in region.padded.shape[:2])

  def _votes_by_tile(self, snapshots, region) -> Iterator[tuple[Window, tuple]]:
    tiles, running = self.tiles(region), None
    for start in range(0, len(tiles), self._devices):
      group = tiles[start : start + self._devices]
      halo = halo_of(shifted(group[0], *self._start(region)), self._shape(region), self.halo)
      votes = self._program(halo)(snapshots, *self._inputs(region, group, halo))
      # The devices compute the votes of this group while those of the previous one are fetched.
      if running:
        yield from _fetch(*running)
      running = group, votes
    yield from _fetch(*running)

  def _start(self, region):
    return tuple(part.start for part in self._window(region))

  def _inputs(self, region, group, halo):
    """Returns the voting program's arguments, a tile per device; devices without a tile get the last one."""
    filled = group + group[-1:] * (self._devices - len(group))
    windows = [shifted(tile, *self._start(region)) for tile in filled]
    measured = region.measured
    if measured is None:
      measured = np.ones(self._shape(region), bool)
    behind = tuple(size + self._patch - 1 for size in halo)
    cubes = np.stack([cut_with_halo(region.padded, window, halo, behind) for window in windows])
    masks = np.stack([cut_with_halo(measured, window, halo, halo) for window in windows])
    sharded = NamedSharding(self._mesh, PartitionSpec(_AXIS))
    placed = [processes.place(values, sharded) for values in (cubes, masks)]
    return *placed, np.int32(region.scene), np.float32(region.contrast or 1)


def voting_program(
  networks: tuple[Network, ...],
  logits: Logits,
  settings: Smoothing,
  halo: Pair,
  loop: Callable,
  all_classes: bool,
) -> Callable:
  """Builds the program of one device, on its tile: votes `[R, 1, h, w]` of all snapshots.

  They come with the mean probabilities of all classes of the first replica `[1, 1, h, w, C]`, or with None.

  Args:
    networks: see `Classifier`.
    logits: from a network and a region to its logits.
    settings: how probabilities are smoothed.
    halo: rows and columns of the tile that only smoothing needs.
    loop: applies a function to all replicas.
    all_classes: whether the probabilities are wanted.

  Returns:
    A function of snapshots, the channels and the measured pixels of the tile, each with a leading axis of 1,
    the index of the scene and its contrast.
  """

  def votes(snapshots, cubes, measured, scene, contrast):
    tile = cubes[0], measured[0], scene, contrast
    classify_tile = _tile_classifier(networks, logits, settings, halo, *tile)
    count, replicas = jax.tree.leaves(snapshots)[0].shape[:2]
    height, width = (size - 2 * more for size, more in zip(measured.shape[1:], halo, strict=True))
    nothing = voting.start((replicas, height, width, networks[0].classes))

    def add(tally, networks):
      return voting.count(tally, *loop(classify_tile)(networks)), None

    tally, _ = lax.scan(add, nothing, snapshots)
    # The probabilities of a mixture are calibrated; those of networks alone are not, and every network has a
    # vote (letter).
    decided = voting.decide(tally, count, by_probability="mixture" in snapshots)
    probabilities = tally.probabilities[:1] / count if all_classes else None
    return jax.tree.map(lambda x: x[:, None], (decided, probabilities))

  return votes


def _tile_classifier(
  networks, logits, settings, halo, cube, measured, scene, contrast
) -> Callable[[Any], tuple]:
  """Builds a function from weights to classes `[h, w]` and probabilities `[h, w, C]` of a tile."""
  centres, present = cut(cube, networks[0].patch, 1), networks[0].present[scene]

  def probabilities(weights):
    found = list(network_logits(networks, logits, weights, cube, scene))
    if "mixture" not in weights:
      return jax.nn.softmax(found[0]), found[0]
    found += expert_logits(weights["mixture"], centres)
    mixed = mixture.mix(mixture.log_probabilities(found, present), weights["mixture"]["weights"], present)
    return mixed, mixed

  def tempered(weights, values):
    return mixture.temper(values, weights["mixture"]["temperature"]) if "mixture" in weights else values

  def classify_plain(weights):
    found, scores = probabilities(weights)
    return jnp.argmax(scores, axis=-1), tempered(weights, found)

  if not settings.steps:
    return classify_plain
  mixing = smoothing.weights(centres, measured, contrast / settings.sharpness)
  inner = tuple(slice(more, size - more) for size, more in zip(measured.shape, halo, strict=True))

  def classify_smoothed(weights):
    smoothed = smoothing.smooth(probabilities(weights)[0], mixing, settings)[inner]
    return jnp.argmax(smoothed, axis=-1), tempered(weights, smoothed)

  return classify_smoothed


def _fetch(group, votes):
  votes = processes.fetch(votes)
  for index, tile in enumerate(group):
    yield tile, jax.tree.map(lambda x, index=index: x[:, index], votes)

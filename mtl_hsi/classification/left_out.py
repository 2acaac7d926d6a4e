"""The probabilities of every candidate mixture for the pixels that a fold leaves out."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mtl_hsi.classification import mixture, smoothing
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.classification.logits import METHODS, average_symmetries
from mtl_hsi.classification.members import cut, expert_logits, network_logits
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.classification.tiles import Margins, equal_tiles, halo_of
from mtl_hsi.models.heads import mask_absent
from mtl_hsi.models.multitask import Network
from mtl_hsi.scenes.windows import cut_with_halo, shape_of

# The number of pixels of a tile is padded to a power of two, at least this one, for few compiled programs.
_LEAST_PIXELS = 64


class Candidates(NamedTuple):
  """The mixtures to choose from; without smoothings, only the members are evaluated.

  Attributes:
    weights: weights of the M members, float32 `[W, M]`.
    smoothings: S kinds of smoothing.
  """

  weights: np.ndarray
  smoothings: tuple[Smoothing, ...]


class LeftOut(NamedTuple):
  """Log-probabilities for n pixels that neither the network nor the experts were trained on.

  Those of classes that the scene lacks are minus infinity.

  Attributes:
    members: of every member alone, without smoothing, float32 `[M, n, C]`.
    candidates: of every mixture, float32 `[W, S, n, C]`.
  """

  members: np.ndarray
  candidates: np.ndarray


def evaluate(
  networks: tuple[Network, ...],
  snapshots: dict,
  experts: dict,
  region: SceneRegion,
  pixels: np.ndarray,
  candidates: Candidates,
  *,
  method: str,
  symmetric: bool,
  tile_pixels: int,
) -> LeftOut:
  """Classifies pixels of a scene by all candidates, tile by tile; tiles without such pixels are skipped.

  Args:
    networks: the architecture and, if there is one, that of smaller patches.
    snapshots: {"params", "stats"} and "local" of one network each, leading axis S: their probabilities are
      averaged.
    experts: "kernel" `[B, C]` and "bias" `[C]` of the regression; empty without one.
    region: the whole scene.
    pixels: rows and columns, int32 `[n, 2]`.
    candidates: the mixtures.
    method: a name in `logits.METHODS`.
    symmetric: whether outputs are averaged over all symmetries.
    tile_pixels: bound on the pixels that are classified at once.
  """
  reach = max((kind.steps for kind in candidates.smoothings), default=0)
  patch = networks[0].patch
  height, width = (size - patch + 1 for size in region.padded.shape[:2])
  measured = np.ones((height, width), bool) if region.measured is None else region.measured
  members, classes = candidates.weights.shape[1], networks[0].classes
  found = LeftOut(
    np.empty((members, len(pixels), classes), np.float32),
    np.empty((len(candidates.weights), len(candidates.smoothings), len(pixels), classes), np.float32),
  )
  missing = np.ones(len(pixels), bool)
  margins = Margins((patch - 1, patch - 1), patch - 1 + 2 * reach)
  for window in equal_tiles(height, width, tile_pixels, devices=1, margins=margins):
    inside = np.flatnonzero(missing & _inside(pixels, window))
    if not len(inside):
      continue
    missing[inside] = False
    places = pixels[inside] - [part.start for part in window]
    halo = halo_of(window, (height, width), reach)
    cube = cut_with_halo(region.padded, window, halo, tuple(size + patch - 1 for size in halo))
    mask = cut_with_halo(measured, window, halo, halo)
    tile = _program(networks, method, symmetric, candidates.smoothings, halo)(
      *(snapshots, experts, cube, mask, np.int32(region.scene), np.float32(region.contrast or 1)),
      *(candidates.weights, _padded(places, shape_of(window))),
    )
    for whole, part in zip(found, tile, strict=True):
      whole[..., inside, :] = np.asarray(part)[..., : len(inside), :]
  return found


# The same for all folds, so that each program is compiled once.
@functools.lru_cache(maxsize=8)
def _program(networks, method, symmetric, smoothings, halo):
  """Returns the evaluation of one tile."""
  logits = average_symmetries(METHODS[method]) if symmetric else METHODS[method]

  @jax.jit
  def evaluate_tile(snapshots, experts, cube, measured, scene, contrast, weights, places):
    centres, present = cut(cube, networks[0].patch, 1), networks[0].present[scene]
    found = _mean_logits(networks, logits, snapshots, cube, scene) + expert_logits(experts, centres)
    log_members = mixture.log_probabilities(found, present)
    rows, columns = places[:, 0] + halo[0], places[:, 1] + halo[1]
    of_sharpness = {
      kind.sharpness: smoothing.weights(centres, measured, contrast / kind.sharpness)
      for kind in smoothings
      if kind.steps
    }

    def of_candidate(member_weights):
      mixed = mixture.mix(log_members, member_weights, present)
      maps = [
        smoothing.smooth(mixed, of_sharpness[kind.sharpness], kind) if kind.steps else mixed
        for kind in smoothings
      ]
      return jnp.stack([p[rows, columns] for p in maps])

    # A temperature must not give probability to classes that the scene lacks.
    members = mask_absent(log_members[:, rows, columns], present)
    if not smoothings:
      return members, jnp.zeros((len(weights), 0, len(places), present.size))
    chosen = jnp.maximum(jnp.log(lax.map(of_candidate, weights)), mixture.FLOOR)
    return members, mask_absent(chosen, present)

  return evaluate_tile


def _mean_logits(networks, logits, snapshots, cube, scene) -> list[Array]:
  """Returns for every network the logarithm of the snapshots' mean probabilities `[H, W, C]`."""

  def probabilities(weights):
    return [jax.nn.softmax(found) for found in network_logits(networks, logits, weights, cube, scene)]

  return [jnp.log(maps.mean(axis=0)) for maps in lax.map(probabilities, snapshots)]


def _inside(pixels, window):
  rows, columns = window
  return (
    (pixels[:, 0] >= rows.start)
    & (pixels[:, 0] < rows.stop)
    & (pixels[:, 1] >= columns.start)
    & (pixels[:, 1] < columns.stop)
  )


def _padded(places: Sequence, shape) -> np.ndarray:
  """Repeats the last place up to a power of two, so that few programs serve all tiles."""
  count = max(_LEAST_PIXELS, 1 << (len(places) - 1).bit_length())
  return np.concatenate([places, np.repeat(places[-1:], count - len(places), axis=0)]).astype(np.int32)

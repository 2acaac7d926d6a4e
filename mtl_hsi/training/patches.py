"""Patches gathered on the device from the scenes' cubes, mirrored by index."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.channels.inputs import Inputs

# The four mirror images of a sample in the author's order: rows flipped,
# columns flipped, both, none. Factors of the row and column offsets.
MIRRORS = np.array([(-1, 1), (1, -1), (-1, -1), (1, 1)], np.int32)

# All eight symmetries of the square: such factors, and 1 where the patch is transposed after that. The
# image as it is comes first, then its mirrors.
_UPRIGHT_FIRST = np.roll(MIRRORS, 1, axis=0)
SYMMETRIES = np.concatenate([np.insert(_UPRIGHT_FIRST, 2, flag, axis=1) for flag in (0, 1)])


class Pixels(NamedTuple):
  """The padded cubes of all scenes, one pixel a row.

  Attributes:
    values: float32 `[pixels, B]`.
    first: row of `values` where each scene's unpadded pixel (0, 0) stands, int32 `[T]`.
    stride: pixels in a padded row of each scene, int32 `[T]`.
    sizes: rows and columns of each scene without padding, int32 `[T, 2]`.
  """

  values: np.ndarray | Array
  first: np.ndarray | Array
  stride: np.ndarray | Array
  sizes: np.ndarray | Array


class Layer(NamedTuple):
  """What becomes of one scene's cube on its way into the network.

  Attributes:
    cube: values `[H, W, bands of the scene]`.
    inputs: what is done to its pixels.
    nodata: pixels that become 0, bool `[H, W]`, or None.
  """

  cube: np.ndarray
  inputs: Inputs
  nodata: np.ndarray | None


def lay_out(layers: Sequence[Layer], patch: int) -> tuple[Pixels, list[np.ndarray]]:
  """Scales, aligns and pads the cubes of all scenes into one array.

  Border pixels are repeated so that every pixel is the centre of a patch
  (author's code).

  Returns:
    The pixels, and each scene's padded cube `[H + P - 1, W + P - 1, B]`, a view of them.
  """
  margin = patch // 2
  shapes = [tuple(size + 2 * margin for size in layer.cube.shape[:2]) for layer in layers]
  counts = [height * width for height, width in shapes]
  starts = np.cumsum([0, *counts])
  strides = np.array([width for _, width in shapes], np.int32)
  values = np.empty((starts[-1], layers[0].inputs.channels), np.float32)
  padded = [
    values[start : start + count].reshape(*shape, -1) for start, count, shape in zip(starts, counts, shapes)
  ]
  for layer, target in zip(layers, padded, strict=True):
    _fill(target, layer, margin)
  first = (starts[:-1] + margin * strides + margin).astype(np.int32)
  sizes = np.array([layer.cube.shape[:2] for layer in layers], np.int32)
  return Pixels(values, first, strides, sizes), padded


def _fill(target, layer, margin):
  """Row by row, so that a large cube is never copied whole."""
  height = layer.cube.shape[0]
  for row in range(height):
    line = layer.inputs(layer.cube[row], None if layer.nodata is None else layer.nodata[row])
    target[margin + row] = np.pad(line, [(margin, margin), (0, 0)], mode="edge")
  target[:margin] = target[margin]
  target[margin + height :] = target[margin + height - 1]


def shift(centres: Array, sizes: Array, key: Array, reach: int) -> Array:
  """Moves every pixel at random by up to `reach` rows and as many columns, but not out of its scene.

  Args:
    centres: row and column of every sample, int32 `[T, N, 2]`.
    sizes: rows and columns of the scenes, int32 `[T, 2]`.
    key: of the step.
    reach: 0 or more.
  """
  moved = centres + jax.random.randint(key, centres.shape, -reach, reach + 1)
  return jnp.clip(moved, 0, sizes.reshape(-1, 1, 2) - 1)


def gather(
  pixels: Pixels,
  scene: Array,
  centres: Array,
  mirror: Array,
  patch: int,
  transposed: Array | None = None,
) -> Array:
  """Cuts patches around pixels.

  Args:
    pixels: of all scenes.
    scene: scene index of every sample, int32 `[...]`.
    centres: row and column of every sample in its scene, int32 `[..., 2]`.
    mirror: factors of `MIRRORS` for every sample, int32 `[..., 2]`.
    patch: side P.
    transposed: which samples have rows and columns swapped after mirroring, bool `[...]`; None: none.

  Returns:
    `[..., P, P, B]`.
  """
  stride = pixels.stride[scene][..., None, None]
  offsets = jnp.arange(patch, dtype=jnp.int32) - patch // 2
  lead = (1,) * scene.ndim
  down, right = offsets.reshape(*lead, patch, 1), offsets.reshape(*lead, 1, patch)
  if transposed is not None:
    swap = transposed[..., None, None]
    down, right = jnp.where(swap, right, down), jnp.where(swap, down, right)
  rows = centres[..., 0][..., None, None] + mirror[..., 0][..., None, None] * down
  columns = centres[..., 1][..., None, None] + mirror[..., 1][..., None, None] * right
  return pixels.values[pixels.first[scene][..., None, None] + rows * stride + columns]

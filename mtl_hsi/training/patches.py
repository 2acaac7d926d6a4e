"""Patches: gathered on the device from the padded cubes of the scenes, shifted, flipped and perturbed."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.scenes.cube import Cube

# The eight symmetries of the square: factors of the row and column offsets, and 1 if rows and columns are
# swapped after that. The upright image comes first.
_MIRRORS = np.array([(1, 1), (-1, 1), (1, -1), (-1, -1)], np.int32)
SYMMETRIES = np.concatenate([np.insert(_MIRRORS, 2, swap, axis=1) for swap in (0, 1)])
# The first symmetries, without a swap, are the mirror images in which the author trains every sample.
MIRROR_IMAGES = len(_MIRRORS)

# Side of the blocks of scenes that are not laid out as a whole.
BLOCK = 8

# The row of samples that are spectra of a library; their column is the position in `Pixels.spectra`.
SPECTRUM = -1


class Pixels(NamedTuple):
  """The padded cubes of all scenes, or blocks of them, one pixel per row.

  Attributes:
    values: float32 `[pixels, B]`.
    first: row of `values`, or entry of `blocks`, with the unpadded pixel (0, 0) of each scene, int32 `[T]`.
    stride: pixels, or blocks, per padded image row of each scene, int32 `[T]`.
    sizes: rows and columns of each scene without padding, int32 `[T, 2]`.
    blocks: row of `values` with the first pixel of each block of `BLOCK` x `BLOCK` pixels, int32; None: whole
      scenes.
    spectra: input channels of the library spectra of all scenes, float32 `[n, B]`, or None.
  """

  values: np.ndarray | Array
  first: np.ndarray | Array
  stride: np.ndarray | Array
  sizes: np.ndarray | Array
  blocks: np.ndarray | Array | None = None
  spectra: np.ndarray | Array | None = None


class Layer(NamedTuple):
  """One scene and how its values become input channels.

  Attributes:
    cube: values `[H, W, bands of the scene]`.
    inputs: maps the values of pixels to channels.
    nodata: pixels that become 0, bool `[H, W]`, or None.
  """

  cube: Cube
  inputs: Inputs
  nodata: np.ndarray | None


def lay_out(layers: Sequence[Layer], patch: int) -> tuple[Pixels, list[np.ndarray]]:
  """Converts the cubes of all scenes to input channels and pads them, in one array.

  Border pixels are repeated so that every pixel is the centre of a patch (author's code).

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
  """Fills a padded cube row by row, so that a large cube is never copied as a whole."""
  height = layer.cube.shape[0]
  for row in range(height):
    line = layer.inputs(layer.cube[row], None if layer.nodata is None else layer.nodata[row])
    target[margin + row] = np.pad(line, [(margin, margin), (0, 0)], mode="edge")
  target[:margin] = target[margin]
  target[margin + height :] = target[margin + height - 1]


def shift(centres: Array, sizes: Array, key: Array, distance: int) -> Array:
  """Moves every centre at random by up to `distance` rows and columns, but not out of its scene.

  Spectra of libraries stay.

  Args:
    centres: row and column of every sample, int32 `[T, N, 2]`.
    sizes: rows and columns of the scene of every sample, int32 `[T, N, 2]`.
    key: random key of the step.
    distance: 0 or more.
  """
  moved = centres + jax.random.randint(key, centres.shape, -distance, distance + 1)
  return jnp.where(centres[..., :1] == SPECTRUM, centres, jnp.clip(moved, 0, sizes - 1))


def gather(pixels: Pixels, scene: Array, centres: Array, symmetry: Array, patch: int) -> Array:
  """Cuts patches around pixels; a patch around a spectrum of a library has it at all pixels.

  Args:
    pixels: of all scenes.
    scene: scene index of every sample, int32 `[...]`.
    centres: row and column of every sample in its scene, int32 `[..., 2]`.
    symmetry: index into `SYMMETRIES` of every sample, int32 `[...]`.
    patch: side P.

  Returns:
    `[..., P, P, B]`.
  """
  vertical, horizontal, swap = jnp.moveaxis(jnp.asarray(SYMMETRIES)[symmetry], -1, 0)[..., None, None]
  offsets = jnp.arange(patch, dtype=jnp.int32) - patch // 2
  down, right = offsets.reshape(patch, 1), offsets.reshape(1, patch)
  down, right = jnp.where(swap == 1, right, down), jnp.where(swap == 1, down, right)
  rows = centres[..., 0][..., None, None] + vertical * down
  columns = centres[..., 1][..., None, None] + horizontal * right
  stride, first = (values[scene][..., None, None] for values in (pixels.stride, pixels.first))
  if pixels.blocks is None:
    places = first + rows * stride + columns
  else:
    start = pixels.blocks[first + rows // BLOCK * stride + columns // BLOCK]
    places = start + rows % BLOCK * BLOCK + columns % BLOCK
  cut = pixels.values[places]
  if pixels.spectra is None:
    return cut
  known = (centres[..., 0] == SPECTRUM)[..., None, None, None]
  spectra = pixels.spectra[jnp.where(centres[..., 0] == SPECTRUM, centres[..., 1], 0)]
  return jnp.where(known, spectra[..., None, None, :], cut)


def perturb(patches: Array, key: Array, *, jitter: float, band_dropout: float) -> Array:
  """Varies the illumination of training patches and removes bands, equally at all pixels of a patch.

    x_b -> m_b * ((1 + g) * x_b + o)    g, o ~ N(0, jitter^2),  m_b = 0 with probability band_dropout, else 1

  Args:
    patches: input channels `[T, N, P, P, B]`; MNF components are perturbed like bands.
    key: random key of the step.
    jitter: standard deviation of gain and offset.
    band_dropout: probability that a channel is set to 0, the mean of standardised bands.
  """
  gain_key, offset_key, band_key = jax.random.split(key, 3)
  lead = (*patches.shape[:2], 1, 1)
  if jitter:
    gain = 1 + jitter * jax.random.normal(gain_key, (*lead, 1))
    patches = gain * patches + jitter * jax.random.normal(offset_key, (*lead, 1))
  if band_dropout:
    kept = jax.random.bernoulli(band_key, 1 - band_dropout, (*lead, patches.shape[-1]))
    patches = jnp.where(kept, patches, 0)
  return patches

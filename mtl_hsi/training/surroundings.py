"""The surroundings of training pixels, all that training needs of a scene that is larger than memory.

A padded scene is divided into square blocks. Those that a training patch can touch are laid out one after the
other, and a table gives the place of each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.padded import PaddedChannels, channel_windows
from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory
from mtl_hsi.training.patches import BLOCK, Layer, Pixels

# A device has a copy beside that of the host.
_COPIES = 2


class _Blocks(NamedTuple):
  """The blocks of a scene, with enough around it for the patches of border pixels.

  Attributes:
    padded: the channels, with whole blocks above and to the left of the scene.
    border: number of these blocks.
    needed: which blocks a patch can touch, bool `[rows of blocks, columns of blocks]`.
  """

  padded: PaddedChannels
  border: int
  needed: np.ndarray


def lay_out(
  layers: Sequence[Layer], centres: Sequence[np.ndarray], patch: int, shift: int
) -> tuple[Pixels, list[PaddedChannels]]:
  """Converts the surroundings of pixels to input channels, in one array.

  Args:
    layers: all scenes.
    centres: training pixels of every scene, int `[n, 2]` each.
    patch: side P of the largest patches.
    shift: largest shift of a patch.

  Returns:
    The pixels, from which `patches.gather` cuts the same patches as from those of `patches.lay_out`, and each
    scene's padded channels, of which windows are read when they are needed.

  Raises:
    RequestError: the surroundings do not fit into memory, or a file is damaged.
  """
  margin = patch // 2
  found = [_blocks(layer, pixels, margin, shift) for layer, pixels in zip(layers, centres, strict=True)]
  count = sum(int(blocks.needed.sum()) for blocks in found)
  # Without any training pixel, as with libraries only, nothing is cut from the one block.
  values = _empty(max(count, 1), layers[0].inputs.channels)
  starts, tables, filled = [], [], 0
  for blocks in found:
    starts.append(sum(table.size for table in tables))
    tables.append(_fill(values, blocks, filled))
    filled += int(blocks.needed.sum())
  strides = [table.shape[1] for table in tables]
  first = [
    start + blocks.border * (stride + 1) for start, blocks, stride in zip(starts, found, strides, strict=True)
  ]
  pixels = Pixels(
    values.reshape(-1, values.shape[-1]),
    np.array(first, np.int32),
    np.array(strides, np.int32),
    np.array([layer.cube.shape[:2] for layer in layers], np.int32),
    np.concatenate([table.ravel() for table in tables]),
  )
  return pixels, [PaddedChannels(*layer, margin) for layer in layers]


def _blocks(layer: Layer, pixels: np.ndarray, margin: int, shift: int) -> _Blocks:
  """Marks the blocks that the patches of pixels can touch, however they are shifted within the scene."""
  border = -(-margin // BLOCK)
  padded = PaddedChannels(*layer, border * BLOCK)
  needed = np.zeros([-(-size // BLOCK) for size in padded.shape[:2]], bool)
  last = np.array(layer.cube.shape[:2]) - 1
  low = ((pixels - shift).clip(0, last) - margin) // BLOCK + border
  high = ((pixels + shift).clip(0, last) + margin) // BLOCK + border
  reach = (high - low).max(axis=0, initial=0) + 1
  for offset in np.ndindex(*reach):
    rows, columns = np.minimum(low + np.array(offset), high).T
    needed[rows, columns] = True
  return _Blocks(padded, border, needed)


def _empty(count: int, channels: int) -> np.ndarray:
  size = 4 * count * BLOCK**2 * channels
  if _COPIES * size > memory.available():
    raise RequestError(
      f"the surroundings of the training pixels take {_COPIES * size / 1e6:,.0f} MB of memory and "
      f"{memory.available() / 1e6:,.0f} MB are free; use fewer labels, a smaller model.patch or a smaller "
      "patch_shift"
    )
  return np.empty((count, BLOCK, BLOCK, channels), np.float32)


def _fill(values: np.ndarray, blocks: _Blocks, filled: int) -> np.ndarray:
  """Reads the needed blocks of a scene; returns the row of the first pixel of each, int32, 0 if not needed.

  Args:
    values: float32 `[blocks, BLOCK, BLOCK, B]`, filled from `filled` on.
    blocks: of the scene.
    filled: number of blocks that are there already.
  """
  table = np.zeros(blocks.needed.shape, np.int32)
  for window in channel_windows(blocks.padded):
    here = tuple(slice(part.start // BLOCK, -(-part.stop // BLOCK)) for part in window)
    places = np.argwhere(blocks.needed[here]) + [part.start for part in here]
    if not len(places):
      continue
    first, last = places.min(axis=0), places.max(axis=0) + 1
    read = blocks.padded[tuple(slice(BLOCK * int(a), BLOCK * int(b)) for a, b in zip(first, last))]
    rows, columns = last - first
    parts = read.reshape(rows, BLOCK, columns, BLOCK, -1).swapaxes(1, 2)
    index = filled + np.arange(len(places))
    values[index] = parts[tuple((places - first).T)]
    table[tuple(places.T)] = index * BLOCK**2
    filled += len(places)
  return table

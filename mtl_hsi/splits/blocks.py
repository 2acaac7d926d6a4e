"""Splits by spatial blocks: training and test pixels lie in different blocks, with a buffer between them.

Test pixels of a random split are surrounded by training pixels of the same field. A split by blocks shows
instead what accuracy to expect in areas without labels.
"""

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.drawn import draw_per_class, replica_generator
from mtl_hsi.splits.leakage import near
from mtl_hsi.splits.split import Split, stack

# Number of random divisions of the blocks that are tried until every class is trained and tested.
_TRIES = 20


def block_split(
  labels: np.ndarray,
  samples_per_class: int,
  *,
  block_size: int,
  min_separation: int,
  seed: int,
  replicas: int,
  name: str,
) -> Split:
  """Divides square blocks into training and test blocks and draws n training pixels of every class.

  The division is random; each side gets about half the pixels of every class. Classes in the fewest blocks
  are divided first. If a class occurs in only one block, the block is split in two, across the longer extent
  of the class at its median. Test pixels are the labelled pixels of test blocks whose patch overlaps no
  training patch. A class is trained but not tested if all its pixels are too close to training pixels.

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    samples_per_class: n; a class with fewer pixels in training blocks gives all of them.
    block_size: rows and columns of a block.
    min_separation: smallest difference in rows or columns at which two patches do not overlap.
    seed: seed of the first replica, see `replica_generator`.
    replicas: R.
    name: the scene's name.

  Raises:
    RequestError: a class has no pixel in training blocks, or no test pixels remain.
  """
  blocks = number_blocks(labels, block_size)
  draws = []
  for replica in range(replicas):
    generator = replica_generator(seed, replica, name)
    draws.append(_best_draw(labels, blocks, samples_per_class, min_separation, generator))
    for purpose, pixels in zip(("training", "test"), draws[-1], strict=True):
      if not len(pixels):
        raise RequestError(
          f"scene {name!r}: no {purpose} pixel is left in replica {replica} with blocks of {block_size} x "
          f"{block_size} pixels and a buffer of {min_separation - 1} (split=blocks); try another block_size, "
          "a smaller samples_per_class or split=random"
        )
    _check_trained(labels, draws[-1][0], block_size, replica, name)
  return Split(*(stack(pixels) for pixels in zip(*draws, strict=True)))


def _check_trained(labels, train, block_size, replica, name):
  missing = np.setdiff1d(labels[labels > 0], labels[tuple(train.T)])
  if missing.size:
    raise RequestError(
      f"scene {name!r}: class {missing[0]} has no pixel in the training blocks of replica {replica} "
      f"(split=blocks, block_size={block_size}); try a smaller block_size"
    )


def grid_cells(shape: tuple[int, int], size: int) -> np.ndarray:
  """Returns the square of `size` x `size` pixels that each pixel lies in, numbered from 0, int `[H, W]`."""
  height, width = shape
  across = -(-width // size)
  return np.arange(height)[:, None] // size * across + np.arange(width) // size


def median_cut(pixels: np.ndarray) -> tuple[int, float]:
  """Returns where to cut pixels `[n, 2]` in two: across their longer extent, at the median.

  Returns:
    The axis, and the first row or column of the second part. Both parts have a pixel if there are two.
  """
  axis = int(np.ptp(pixels, axis=0).argmax())
  return axis, max(np.median(pixels[:, axis]), pixels[:, axis].min() + 1)


def number_blocks(labels: np.ndarray, size: int) -> np.ndarray:
  """Divides a scene into blocks; a block that contains a whole class of two or more pixels is cut in two.

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    size: rows and columns of a block.

  Returns:
    The block of every pixel from 0, int `[H, W]`.
  """
  blocks = grid_cells(labels.shape, size)
  for class_id in np.unique(labels[labels > 0]):
    pixels = np.argwhere(labels == class_id)
    if len(pixels) > 1 and len(np.unique(blocks[tuple(pixels.T)])) == 1:
      axis, cut = median_cut(pixels)
      second_part = np.arange(labels.shape[axis]) >= cut
      second_part = second_part[:, None] if axis == 0 else second_part[None]
      blocks[(blocks == blocks[tuple(pixels[0])]) & second_part] = blocks.max() + 1
  return np.unique(blocks, return_inverse=True)[1].reshape(labels.shape)


def _best_draw(labels, blocks, samples_per_class, min_separation, generator):
  """Returns the first draw with the most trained classes and, among those, the most tested classes."""
  class_ids = np.unique(labels[labels > 0])
  counts = np.stack(
    [np.bincount(blocks[labels == class_id], minlength=blocks.max() + 1) for class_id in class_ids]
  )
  best, most = None, (-1, -1)
  for _ in range(_TRIES):
    in_training_block = _training_blocks(counts, generator)[blocks]
    draw = _draw(labels, in_training_block, samples_per_class, min_separation, generator)
    covered = tuple(len(np.unique(labels[tuple(pixels.T)])) for pixels in draw)
    if covered > most:
      best, most = draw, covered
    if most == (len(class_ids), len(class_ids)):
      break
  return best


def _training_blocks(counts, generator):
  """Decides which blocks train, bool `[blocks]`, from the pixels of every class in every block `[C, blocks]`.

  Goes through the classes and, for each, through its blocks in descending order of its pixels. A block joins
  the side that has fewer pixels of the class. On a tie it joins the side that has less of all classes in the
  block, in shares of the classes' pixels.
  """
  shares = counts / counts.sum(axis=1, keepdims=True)
  side = np.full(counts.shape[1], -1)
  held = np.zeros((2, len(counts)))
  # The order is random among classes in equally many blocks, and among blocks with equally many pixels.
  order = generator.permutation(len(counts))
  for current in order[np.argsort((counts[order] > 0).sum(axis=1), kind="stable")]:
    undecided = generator.permutation(np.flatnonzero((counts[current] > 0) & (side < 0)))
    for block in undecided[np.argsort(-counts[current, undecided], kind="stable")]:
      ahead = held[1, current] - held[0, current]
      if ahead == 0:
        ahead = (held[1] - held[0]) @ shares[:, block]
      if (counts[current] > 0).sum() == 1:
        side[block] = 1
      else:
        side[block] = ahead < 0 if ahead else generator.integers(2)
      held[side[block]] += shares[:, block]
  # Blocks without labelled pixels count as test blocks, which has no effect.
  return side == 1


def _draw(labels, in_training_block, samples_per_class, min_separation, generator):
  train, _ = draw_per_class(np.where(in_training_block, labels, 0), samples_per_class, generator)
  close = near(train, labels.shape, min_separation - 1)
  return train, np.argwhere((labels > 0) & ~in_training_block & ~close).astype(np.int32)

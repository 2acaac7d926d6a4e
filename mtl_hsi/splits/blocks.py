"""Splits whose training and test pixels lie apart: in blocks of their own, with a buffer between.

A test pixel of a random split has training pixels of its own field around it;
one of these splits stands for ground that the network has not seen.
"""

import zlib

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.sampling import Split, near, stack

# Divisions of the blocks that are tried; the first in which every class is trained and tested is taken.
_TRIES = 20


def block_split(
  labels: np.ndarray,
  samples_per_class: int,
  *,
  block_size: int,
  apart: int,
  seed: int,
  replicas: int,
  name: str,
) -> Split:
  """Divides the scene's square blocks among training and test, and draws n training pixels of every class.

  Blocks are divided at random so that each side gets about half the pixels of
  every class, the classes in fewest blocks first. A class within one block has
  the block cut in two, across the longer extent of its pixels, at their median.
  Test pixels are those of test blocks whose patch overlaps no training patch.
  A class none of whose pixels lies far enough from training pixels is trained
  but not tested. Replica r depends on `seed + r` and the scene's name alone.

  Args:
    labels: `[H, W]`, 0 is unlabelled.
    samples_per_class: n; a class with fewer pixels in training blocks gives all of these.
    block_size: rows and columns of a block.
    apart: difference of rows or columns from which on patches of a test and a training pixel do not overlap.
    seed: of the first replica.
    replicas: R.
    name: the scene's name.

  Raises:
    RequestError: a class has no pixel in training blocks, or nothing is left to test.
  """
  blocks = _blocks(labels, block_size)
  draws = []
  for replica in range(replicas):
    generator = np.random.default_rng([seed + replica, zlib.crc32(name.encode())])
    draws.append(_best(labels, blocks, samples_per_class, apart, generator))
    for part, pixels in zip(("training", "test"), draws[-1], strict=True):
      if not len(pixels):
        raise RequestError(
          f"scene {name!r}: no {part} pixel is left in replica {replica} with blocks of {block_size} x "
          f"{block_size} pixels and a buffer of {apart - 1} (split=blocks); try another block_size, fewer "
          "samples_per_class or split=random"
        )
    _check_trained(labels, draws[-1][0], block_size, replica, name)
  return Split(*(stack(part) for part in zip(*draws, strict=True)))


def _check_trained(labels, train, block_size, replica, name):
  missing = np.setdiff1d(labels[labels > 0], labels[tuple(train.T)])
  if missing.size:
    raise RequestError(
      f"scene {name!r}: class {missing[0]} has no pixel in the training blocks of replica {replica} "
      f"(split=blocks, block_size={block_size}); try a smaller block_size"
    )


def _blocks(labels, size):
  """Block of every pixel, `[H, W]`, numbered from 0; every class of two pixels is in two of them."""
  height, width = labels.shape
  across = -(-width // size)
  blocks = np.arange(height)[:, None] // size * across + np.arange(width) // size
  for class_id in np.unique(labels[labels > 0]):
    pixels = np.argwhere(labels == class_id)
    if len(pixels) > 1 and len(np.unique(blocks[tuple(pixels.T)])) == 1:
      axis = int(np.ptp(pixels, axis=0).argmax())
      # Pixels from here on; the smallest is never among them.
      cut = max(np.median(pixels[:, axis]), pixels[:, axis].min() + 1)
      behind = np.arange(labels.shape[axis]) >= cut
      behind = behind[:, None] if axis == 0 else behind[None]
      blocks[(blocks == blocks[tuple(pixels[0])]) & behind] = blocks.max() + 1
  return np.unique(blocks, return_inverse=True)[1].reshape(labels.shape)


def _best(labels, blocks, samples_per_class, apart, generator):
  """The try in which most classes are trained, and then most are tested; of equal ones the first."""
  class_ids = np.unique(labels[labels > 0])
  counts = np.stack(
    [np.bincount(blocks[labels == class_id], minlength=blocks.max() + 1) for class_id in class_ids]
  )
  best, most = None, (-1, -1)
  for _ in range(_TRIES):
    training = _divide(counts, generator)[blocks]
    made = _draw(labels, training, samples_per_class, apart, generator)
    covered = tuple(len(np.unique(labels[tuple(pixels.T)])) for pixels in made)
    if covered > most:
      best, most = made, covered
    if most == (len(class_ids), len(class_ids)):
      break
  return best


def _divide(counts, generator):
  """Which blocks train, bool `[blocks]`, by the pixels of every class in every block `[C, blocks]`.

  Class by class, blocks with most of its pixels first, each goes to the side
  that has fewer of its pixels; where both have as many, to the one with fewer
  pixels of all classes, by their shares.
  """
  shares = counts / counts.sum(axis=1, keepdims=True)
  side = np.full(counts.shape[1], -1)
  held = np.zeros((2, len(counts)))
  # Random where the number of blocks, or of pixels, is the same.
  order = generator.permutation(len(counts))
  for own in order[np.argsort((counts[order] > 0).sum(axis=1), kind="stable")]:
    waiting = generator.permutation(np.flatnonzero((counts[own] > 0) & (side < 0)))
    for block in waiting[np.argsort(-counts[own, waiting], kind="stable")]:
      ahead = held[1, own] - held[0, own]
      if ahead == 0:
        ahead = (held[1] - held[0]) @ shares[:, block]
      if (counts[own] > 0).sum() == 1:
        side[block] = 1
      else:
        side[block] = ahead < 0 if ahead else generator.integers(2)
      held[side[block]] += shares[:, block]
  # Blocks without a labelled pixel are on no side that matters.
  return side == 1


def _draw(labels, training, samples_per_class, apart, generator):
  train = [
    generator.permutation(np.argwhere((labels == class_id) & training).astype(np.int32))[:samples_per_class]
    for class_id in np.unique(labels[labels > 0])
  ]
  train = np.concatenate(train)
  return train, np.argwhere((labels > 0) & ~training & ~near(train, labels.shape, apart - 1)).astype(np.int32)

"""Splits drawn at random, pixel by pixel, and splits whose test pixels the user gives."""

import zlib
from collections.abc import Callable

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.splits.leakage import near
from mtl_hsi.splits.split import Split, pixels_of, stack

# Value of `samples_per_class` that stands for all labels.
ALL = 0


def replica_generator(seed: int, replica: int, name: str) -> np.random.Generator:
  """Returns the random generator of one replica of one scene.

  It depends on `seed + replica` and the scene's name only, so a scene has the same pixels whatever other
  scenes are trained with it.
  """
  return np.random.default_rng([seed + replica, zlib.crc32(name.encode())])


def draw_per_class(
  labels: np.ndarray, samples_per_class: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
  """Draws n pixels of every class.

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    samples_per_class: n, or `ALL`; a class with fewer pixels gives all of them.
    generator: permutes the pixels of every class, in ascending order of the ids.

  Returns:
    The pixels drawn and the remaining ones, int32 `[n, 2]` each.
  """
  end = None if samples_per_class == ALL else samples_per_class
  empty = np.empty((0, 2), np.int32)
  drawn, remaining = [empty], [empty]
  for class_id in np.unique(labels[labels > 0]):
    pixels = generator.permutation(np.argwhere(labels == class_id).astype(np.int32))
    drawn.append(pixels[:end])
    remaining.append(pixels[end:] if end else empty)
  return np.concatenate(drawn), np.concatenate(remaining)


def split_of_replicas(
  draw: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]], *, seed: int, replicas: int, name: str
) -> Split:
  """Stacks the training and test pixels that `draw` returns for every replica's generator."""
  draws = [draw(replica_generator(seed, replica, name)) for replica in range(replicas)]
  return Split(*(stack(pixels) for pixels in zip(*draws, strict=True)))


def random_split(labels: np.ndarray, samples_per_class: int, *, seed: int, replicas: int, name: str) -> Split:
  """Draws n training pixels of every class; all other labelled pixels are test pixels.

  A class with n pixels or fewer gives all of them to training and has no test pixels (author's code).

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    samples_per_class: n, or `ALL`, which leaves no test pixels.
    seed: seed of the first replica, see `replica_generator`.
    replicas: R.
    name: the scene's name.

  Raises:
    RequestError: no class has more than n pixels.
  """
  if samples_per_class == ALL:
    pixels = np.argwhere(labels > 0).astype(np.int32)
    return split_of_replicas(
      lambda generator: (generator.permutation(pixels), pixels[:0]), seed=seed, replicas=replicas, name=name
    )
  largest = int(np.bincount(labels[labels > 0]).max())
  if largest <= samples_per_class:
    raise RequestError(
      f"scene {name!r}: samples_per_class is {samples_per_class} and the largest class has {largest} "
      f"{noun(largest, 'pixel')}, so no test pixels would remain; choose a number below {largest}"
    )
  return split_of_replicas(
    lambda generator: draw_per_class(labels, samples_per_class, generator),
    seed=seed,
    replicas=replicas,
    name=name,
  )


def given_split(
  labels: np.ndarray, tested: np.ndarray, samples_per_class: int, *, seed: int, replicas: int, name: str
) -> Split:
  """Draws n training pixels of every class outside a given test set, which is the same in all replicas.

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    tested: True for the labelled pixels of the test set, bool `[H, W]`.
    samples_per_class: n, or `ALL`; a class with fewer pixels gives all of them.
    seed: seed of the first replica, see `replica_generator`.
    replicas: R.
    name: the scene's name.
  """
  training_labels, test = np.where(tested, 0, labels), np.argwhere(tested).astype(np.int32)
  return split_of_replicas(
    lambda generator: (draw_per_class(training_labels, samples_per_class, generator)[0], test),
    seed=seed,
    replicas=replicas,
    name=name,
  )


def with_training_pixels(split: Split, trained: np.ndarray, *, min_separation: int, name: str) -> Split:
  """Adds training pixels to all replicas of a split and removes test pixels close to them.

  Args:
    split: of the other labelled pixels.
    trained: True for the pixels to add, bool `[H, W]`.
    min_separation: smallest difference in rows or columns that a test pixel must have from the added pixels.
    name: the scene's name.

  Raises:
    RequestError: no test pixels remain.
  """
  added = np.argwhere(trained).astype(np.int32)
  close = near(added, trained.shape, min_separation - 1)
  tests = [pixels_of(rows) for rows in split.test]
  remaining = [pixels[~close[tuple(pixels.T)]] for pixels in tests]
  if split.test.size and not all(map(len, remaining)):
    raise RequestError(
      f"scene {name!r}: no test pixel is {min_separation} or more pixels away from all of more_labels; give "
      "separate test labels"
    )
  train = np.concatenate([split.train, np.repeat(added[None], len(split.train), axis=0)], axis=1)
  return Split(train, stack(remaining))

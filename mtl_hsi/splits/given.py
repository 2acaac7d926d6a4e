"""Splits given by the user, who says which labelled pixels are for testing."""

import zlib

import numpy as np

from mtl_hsi.splits.sampling import ALL, Split


def given_split(
  labels: np.ndarray, tested: np.ndarray, samples_per_class: int, *, seed: int, replicas: int, name: str
) -> Split:
  """Draws n training pixels of every class from those given; every test pixel given is one in all replicas.

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    tested: True where a labelled pixel is for testing, bool `[H, W]`.
    samples_per_class: n, or `ALL`; a class with fewer pixels gives all.
    seed: of the first replica; replica r depends on `seed + r` and the name alone.
    replicas: R.
    name: the scene's name.
  """
  train, draws = np.where(tested, 0, labels), []
  most = None if samples_per_class == ALL else samples_per_class
  for replica in range(replicas):
    generator = np.random.default_rng([seed + replica, zlib.crc32(name.encode())])
    own = [
      generator.permutation(np.argwhere(train == class_id).astype(np.int32))[:most]
      for class_id in np.unique(train[train > 0])
    ]
    # There are none where all are for training whatever is drawn.
    draws.append(np.concatenate([np.empty((0, 2), np.int32), *own]))
  tested = np.argwhere(tested).astype(np.int32)
  return Split(np.stack(draws), np.repeat(tested[None], replicas, axis=0))

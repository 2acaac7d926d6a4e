"""Splits given by the user: training and test pixels in label images of their own."""

import dataclasses
import zlib

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.sampling import Split
from mtl_hsi.scenes.scene import Scene

# In place of a number of samples per class.
ALL = 0


def joined_labels(train: Scene, test: Scene) -> Scene:
  """The scene with the labels of both.

  Raises:
    RequestError: a pixel is in both, or one class has two names.
  """
  both = np.argwhere((train.labels > 0) & (test.labels > 0))
  if len(both):
    row, column = both[0].tolist()
    raise RequestError(
      f"scene {train.name!r}: {len(both)} pixels are labelled for training and for testing "
      f"(files.{train.name}.labels and .test), the first at row {row}, column {column}; a test pixel must "
      "not be trained on"
    )
  for class_id, title in test.class_names.items():
    known = train.class_names.get(class_id, title)
    if known != title:
      raise RequestError(
        f"scene {train.name!r}: class {class_id} is called {known!r} among the training labels and {title!r} "
        "among the test labels; give both the same ids and names"
      )
  names = {**train.class_names, **test.class_names}
  names = {class_id: names[class_id] for class_id in sorted(names)}
  return dataclasses.replace(train, labels=train.labels + test.labels, class_names=names)


def given_split(
  train: np.ndarray, test: np.ndarray, samples_per_class: int, *, seed: int, replicas: int, name: str
) -> Split:
  """Draws n training pixels of every class from those given; every test pixel given is one in all replicas.

  Args:
    train: labels of the training pixels `[H, W]`, 0 elsewhere.
    test: labels of the test pixels `[H, W]`, 0 elsewhere.
    samples_per_class: n, or `ALL`; a class with fewer pixels gives all.
    seed: of the first replica; replica r depends on `seed + r` and the name alone.
    replicas: R.
    name: the scene's name.
  """
  draws = []
  for replica in range(replicas):
    generator = np.random.default_rng([seed + replica, zlib.crc32(name.encode())])
    own = [
      generator.permutation(np.argwhere(train == class_id).astype(np.int32))[: samples_per_class or None]
      for class_id in np.unique(train[train > 0])
    ]
    draws.append(np.concatenate(own))
  tested = np.argwhere(test > 0).astype(np.int32)
  return Split(np.stack(draws), np.repeat(tested[None], replicas, axis=0))

"""Active learning: the pixels of a scene whose labels would tell most, by where the networks are least sure.

The letter names active learning as future work. What is proposed is close to "breaking ties" (Luo et al.,
"Active learning to recognize multiple types of plankton", 2005), with what the votes have kept: the
probability of the class that won, not of the one after it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.scenes.scene import Scene


class Proposals(NamedTuple):
  """Pixels of a scene to label next, the most telling first of every class in turns.

  Attributes:
    pixels: rows and columns, int32 `[n, 2]`.
    class_ids: the classes that they are taken for, int32 `[n]`.
    support: of these classes, float32 `[n]`, see `support`.
  """

  pixels: np.ndarray
  class_ids: np.ndarray
  support: np.ndarray


def of_scene(
  scene: Scene, predictions: np.ndarray, probabilities: np.ndarray | None, number: int, distance: int
) -> Proposals:
  """Proposals among the pixels of a scene that hold a measurement and have no label.

  Args:
    scene: the scene.
    predictions: as for `support`.
    probabilities: likewise.
    number: as for `propose`.
    distance: likewise.
  """
  candidates = (scene.labels == 0) & scene.measured
  return propose(*support(predictions, probabilities, scene.class_ids), candidates, number, distance)


def support(
  predictions: np.ndarray, probabilities: np.ndarray | None, class_ids: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
  """How sure all replicas together are of a pixel.

  Args:
    predictions: class ids by every replica `[R, H, W]`.
    probabilities: of these classes `[R, H, W]`, or None where there are none: 1.
    class_ids: of the scene.

  Returns:
    The class of the greatest support, int32 `[H, W]`, and its support, float32 `[H, W]`: the mean over the
    replicas of its probability, counted as 0 in those that found another class.
  """
  best = np.zeros(predictions.shape[1:], np.int32)
  most = np.full(predictions.shape[1:], -1, np.float32)
  for class_id in class_ids:
    own = np.zeros_like(most)
    for index, found in enumerate(predictions):
      own += (found == class_id) * (1 if probabilities is None else probabilities[index])
    better = own > most
    best[better], most[better] = class_id, own[better]
  return best, most / len(predictions)


def propose(
  classes: np.ndarray, supports: np.ndarray, candidates: np.ndarray, number: int, distance: int
) -> Proposals:
  """Of every class in turns the candidate of the least support that is not close to one already taken.

  Args:
    classes: as `support` gives them `[H, W]`.
    supports: likewise.
    candidates: pixels that can be labelled, bool `[H, W]`.
    number: of proposals; there are fewer where candidates run out.
    distance: in rows or columns that proposals keep from one another, such as the side of a patch; neighbours
      tell the same.
  """
  free, chosen = candidates.copy(), []
  found = np.unique(classes[candidates])
  queues = [iter(_queue(supports, candidates & (classes == class_id))) for class_id in found]
  while queues and len(chosen) < number:
    queues = [queue for queue in queues if _take(queue, free, chosen, distance)]
  pixels = np.array(chosen[:number], np.int32).reshape(-1, 2)
  own = tuple(pixels.T)
  return Proposals(pixels, classes[own].astype(np.int32), supports[own].astype(np.float32))


def _queue(supports, candidates):
  """Candidates, the least supported first."""
  # A stable order, so that equal supports give the same proposals on every machine.
  return np.argwhere(candidates)[np.argsort(supports[candidates], kind="stable")]


def _take(queue, free, chosen, distance) -> bool:
  """Adds the next free pixel of a queue to those chosen; whether there was one."""
  for row, column in queue:
    if free[row, column]:
      chosen.append((row, column))
      free[_around(row, distance), _around(column, distance)] = False
      return True
  return False


def _around(index, distance):
  return slice(max(0, index - distance + 1), index + distance)

"""Active learning: proposes the pixels to label next, those where the networks are least certain.

The letter mentions active learning as future work. The method is close to "breaking ties" (Luo et al.,
"Active learning to recognize multiple types of plankton", 2005), but uses only the probability of the best
class: the votes do not keep that of the second best.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.scenes.scene import Scene


class Proposals(NamedTuple):
  """Pixels of a scene to label next; classes take turns, each with its least certain pixels first.

  Attributes:
    pixels: rows and columns, int32 `[n, 2]`.
    class_ids: predicted classes, int32 `[n]`.
    support: support of these classes, float32 `[n]`, see `support`.
  """

  pixels: np.ndarray
  class_ids: np.ndarray
  support: np.ndarray


def propose_for_scene(
  scene: Scene, predictions: np.ndarray, probabilities: np.ndarray | None, number: int, distance: int
) -> Proposals:
  """Proposes pixels of a scene that have a measurement and no label.

  Args:
    scene: the scene.
    predictions: see `support`.
    probabilities: see `support`.
    number: see `propose`.
    distance: see `propose`.
  """
  candidates = (scene.labels == 0) & scene.measured
  return propose(*support(predictions, probabilities, scene.class_ids), candidates, number, distance)


def support(
  predictions: np.ndarray, probabilities: np.ndarray | None, class_ids: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the class of every pixel on which the replicas agree most, and how much they support it.

  The support of a class is the mean of its probability over the replicas. The probability counts as 0 in
  replicas that predict another class.

  Args:
    predictions: class ids predicted by every replica `[R, H, W]`.
    probabilities: probabilities of these classes `[R, H, W]`; None: they count as 1.
    class_ids: class ids of the scene.

  Returns:
    The class with the largest support, int32 `[H, W]`, and its support, float32 `[H, W]`.
  """
  best = np.zeros(predictions.shape[1:], np.int32)
  most = np.full(predictions.shape[1:], -1, np.float32)
  for class_id in class_ids:
    total = np.zeros_like(most)
    for index, predicted in enumerate(predictions):
      total += (predicted == class_id) * (1 if probabilities is None else probabilities[index])
    better = total > most
    best[better], most[better] = class_id, total[better]
  return best, most / len(predictions)


def propose(
  classes: np.ndarray, supports: np.ndarray, candidates: np.ndarray, number: int, distance: int
) -> Proposals:
  """Chooses candidates: each class in turn adds the least supported one that is not close to earlier ones.

  Args:
    classes: class of every pixel, from `support` `[H, W]`.
    supports: its support, from `support` `[H, W]`.
    candidates: pixels that can be labelled, bool `[H, W]`.
    number: number of proposals; there are fewer if candidates run out.
    distance: smallest difference in rows or columns between two proposals, such as the side of a patch:
      labels of neighbours add little information.
  """
  free, chosen = candidates.copy(), []
  class_ids = np.unique(classes[candidates])
  # Every choice takes away at most the pixels around it, and the last round may choose a few too many.
  most = (number + len(class_ids)) * (2 * distance - 1) ** 2
  queues = [iter(_queue(supports, candidates & (classes == class_id), most)) for class_id in class_ids]
  while queues and len(chosen) < number:
    queues = [queue for queue in queues if _choose_next(queue, free, chosen, distance)]
  pixels = np.array(chosen[:number], np.int32).reshape(-1, 2)
  index = tuple(pixels.T)
  return Proposals(pixels, classes[index].astype(np.int32), supports[index].astype(np.float32))


def _queue(supports, candidates, most):
  """Returns the least supported candidates `[n, 2]`, at most `most`, in the order of their support."""
  found = supports[candidates]
  if len(found) > most:
    limit = np.partition(found, most - 1)[most - 1]
    candidates = candidates & (supports <= limit)
    found = supports[candidates]
  # The sort is stable, so equal supports give the same proposals on every machine.
  order = np.argsort(found, kind="stable")[:most]
  return np.stack(np.unravel_index(np.flatnonzero(candidates)[order], candidates.shape), axis=1)


def _choose_next(queue, free, chosen, distance) -> bool:
  """Adds the next free pixel of a queue to `chosen`; returns whether there was one."""
  for row, column in queue:
    if free[row, column]:
      chosen.append((row, column))
      free[_around(row, distance), _around(column, distance)] = False
      return True
  return False


def _around(index, distance):
  return slice(max(0, index - distance + 1), index + distance)

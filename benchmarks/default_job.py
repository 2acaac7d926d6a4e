"""Training of the default recipe's context network on one scene, and smoothing, as data for the other sides.

This module imports only numpy, which the processes of all sides have.
"""

import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np


@dataclasses.dataclass(frozen=True)
class ContextJob:
  """A network, its recipe, and a scene with the training pixels of every replica.

  Attributes:
    patch: side P.
    width: channels of every convolution.
    blocks: residual blocks.
    class_count: number of classes C.
    batch_size: samples of a step.
    steps: steps of the whole training, over which the learning rate changes.
    learning_rate: the peak rate.
    weight_decay: of AdamW.
    warmup: share of the steps in which the learning rate rises. Then it falls to 0 along a cosine.
    label_smoothing: share of a target that is spread over all classes.
    shift: largest shift of a training patch, in pixels.
    padded: the scene and its margin, float32 `[H + P - 1, W + P - 1, B]`.
    centres: training pixels, int32 `[R, M, 2]`.
    classes: their class indices, int32 `[R, M]`.
  """

  patch: int
  width: int
  blocks: int
  class_count: int
  batch_size: int
  steps: int
  learning_rate: float
  weight_decay: float
  warmup: float
  label_smoothing: float
  shift: int
  padded: np.ndarray
  centres: np.ndarray
  classes: np.ndarray

  def rate(self, step: int) -> float:
    """Returns the learning rate of a step, counted from 0; after the last step, the schedule starts again."""
    step, rising = step % self.steps, self.warmup * self.steps
    if step < rising:
      return self.learning_rate * min((step + 1) / rising, 1)
    return self.learning_rate * (1 + np.cos(np.pi * (step - rising) / (self.steps - rising))) / 2


class SmoothingJob(NamedTuple):
  """Smoothing of the probabilities of every pixel of a scene.

  Attributes:
    channels: input channels `[H, W, B]`.
    probabilities: `[H, W, C]`.
    scale: see `smoothing.weights`.
    steps: number of steps.
    restart: probability that the walk ends before a step.
  """

  channels: np.ndarray
  probabilities: np.ndarray
  scale: float
  steps: int
  restart: float


_ARRAYS = "padded", "centres", "classes"


def save(job: ContextJob, path: Path) -> None:
  """Writes the job as an uncompressed `.npz`."""
  facts = {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}
  arrays = {name: facts.pop(name) for name in _ARRAYS}
  np.savez(path, facts=json.dumps(facts), **arrays)


def load(path: Path) -> ContextJob:
  """Reads a job that `save` wrote."""
  with np.load(path) as stored:
    return ContextJob(**json.loads(str(stored["facts"])), **{name: stored[name] for name in _ARRAYS})

"""Keeps the history of a run up to date while its networks train: `history.csv` and event files."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mtl_hsi.runs import history
from mtl_hsi.runs.event_files import NAME as EVENTS
from mtl_hsi.runs.event_files import EventFiles
from mtl_hsi.runs.history import History
from mtl_hsi.runtime import processes
from mtl_hsi.training.loop import Progress, TrainingData, TrainingPlan, learning_rates

_SECONDS = 10.0  # between two updates of the files


class Recorder:
  """The history of a run.

  It is derived from losses and accuracies in the checkpoints, so a resumed run ends with the same rows as an
  uninterrupted one. No other part of a run reads it.

  Args:
    directory: the work directory.
    tensorboard: whether to write event files.
  """

  def __init__(self, directory: Path, *, tensorboard: bool):
    self._directory, self._tensorboard = directory, tensorboard
    self._earlier: list[History] = []
    self._latest: History | None = None

  @contextlib.contextmanager
  def training(self, network: str, plan: TrainingPlan, data: TrainingData) -> Iterator[Progress]:
    """Provides a function that is called with losses and accuracies of all finished epochs.

    The files are written at its first call, then every few seconds, and at the end of the block.

    Args:
      network: kind of the networks that train.
      plan: how they train.
      data: on what they train.

    Raises:
      RequestError: a file cannot be written.
    """
    if not processes.is_first():
      yield lambda losses, accuracies: None
      return
    before, written_at = _before_training(network, plan, data), -np.inf
    with EventFiles(self._directory / EVENTS) if self._tensorboard else contextlib.nullcontext() as events:

      def update(losses, accuracies):
        nonlocal written_at
        self._latest = dataclasses.replace(before, losses=losses, accuracies=accuracies)
        if time.monotonic() - written_at >= _SECONDS:
          self._write(events)
          written_at = time.monotonic()

      try:
        yield update
      finally:
        self._write(events)
    self._earlier.append(self._latest)

  def _write(self, events):
    history.write(self._directory / history.NAME, [*self._earlier, self._latest])
    if events is not None:
      events.append(self._latest)


def _before_training(network, plan, data):
  """Returns the history before the first epoch."""
  counts, spans = data.samples.counts, plan.schedule.spans
  nothing = np.empty((0, *counts.shape), np.float32)
  return History(
    network=network,
    streams=plan.streams,
    scenes=data.scene_names,
    trained=counts > 0,
    phases=[span.phase.name for span in spans for _ in range(span.epochs)],
    rates=learning_rates(plan, data),
    losses=nothing,
    accuracies=nothing,
  )

"""Event files of TensorBoard with the history of a run: a directory for every network."""

import contextlib
import time
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.history import History
from mtl_hsi.storage.atomic_files import reason

NAME = "tensorboard"
_PREFIX = "events"


class EventFiles(contextlib.AbstractContextManager):
  """The event files of all networks of one kind.

  Event files can only be appended to. Therefore, the first history replaces the files of an earlier start.
  Thus an epoch that is trained again after an interruption appears only once.

  Args:
    directory: `tensorboard/` of the work directory.
  """

  def __init__(self, directory: Path):
    self._directory = directory
    self._writers, self._written = [], 0

  def append(self, history: History) -> None:
    """Writes all epochs of a history that are not written yet.

    Raises:
      RequestError: a file cannot be written.
    """
    try:
      if not self._writers:
        self._writers = [_replace(self._directory / name) for name in history.names()]
      for position, writer in enumerate(self._writers):
        for epoch in range(self._written, len(history.losses)):
          writer.write_event(_event(history, position, epoch))
        writer.flush()
    except OSError as error:
      raise RequestError(f"cannot write event files to {self._directory}: {reason(error)}") from error
    self._written = len(history.losses)

  def __exit__(self, *_):
    for writer in self._writers:
      # `append` has already reported a full disk.
      with contextlib.suppress(OSError):
        writer.close()


def _replace(folder: Path):
  """Opens a new event file and removes those of an earlier start."""
  from tensorboardX.event_file_writer import EventsWriter

  folder.mkdir(parents=True, exist_ok=True)
  for path in folder.glob(f"{_PREFIX}.out.tfevents.*"):
    path.unlink()
  return EventsWriter(str(folder / _PREFIX))


def _event(history: History, position: int, epoch: int):
  """Returns the scalars of a network after an epoch, counted from 0."""
  from tensorboardX.proto.event_pb2 import Event
  from tensorboardX.summary import scalar

  event = Event(wall_time=time.time(), step=epoch + 1)
  scalars = {"learning_rate": history.rates[epoch]}
  for scene in np.flatnonzero(history.trained[position]):
    for kind, values in (("loss", history.losses), ("accuracy", history.accuracies)):
      scalars[f"{kind}/{history.scenes[scene]}"] = values[epoch, position, scene]
  for tag, value in scalars.items():
    event.summary.value.extend(scalar(tag, value).value)
  return event

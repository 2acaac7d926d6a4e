"""The training history of a run, one row for every epoch, network and scene: `history.csv`."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.storage.atomic_files import write_bytes

NAME = "history.csv"
COLUMNS = ("network", "replica", "fold", "epoch", "phase", "scene", "loss", "accuracy", "learning_rate")


@dataclasses.dataclass(frozen=True, eq=False)
class History:
  """The history of the networks of one kind.

  Attributes:
    network: the kind, "network" or "local".
    streams: replica and stream of every network, int32 `[R, 2]`, see `Ensemble.streams`.
    scenes: names of all scenes.
    trained: whether a network trains on any pixel of a scene, bool `[R, T]`.
    phases: name of the phase of every epoch of the schedule.
    rates: learning rate at the last step of every epoch of the schedule, float32 `[all epochs]`.
    losses: mean loss of every finished epoch, float32 `[epochs, R, T]`.
    accuracies: share of training samples classified correctly, each before the update by the step that used
      it, float32 `[epochs, R, T]`.
  """

  network: str
  streams: np.ndarray
  scenes: Sequence[str]
  trained: np.ndarray
  phases: Sequence[str]
  rates: np.ndarray
  losses: np.ndarray
  accuracies: np.ndarray

  def names(self) -> list[str]:
    """Returns for every network a name that is unique in the run, such as "network/replica_0_fold_2"."""
    return [
      f"{self.network}/replica_{replica}" + (f"_fold_{stream - 1}" if stream else "")
      for replica, stream in self.streams.tolist()
    ]


def write(path: Path, histories: Iterable[History]) -> None:
  """Writes the history of all kinds of networks as CSV.

  Replicas, folds and scenes are in the order of the run. Replicas and folds count from 0, epochs from 1. The
  column `fold` is empty for networks that leave out no fold. A network has no rows for scenes on which it
  does not train.

  Raises:
    RequestError: the file cannot be written.
  """
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(COLUMNS)
  for history in histories:
    writer.writerows(_rows(history))
  write_bytes(path, text.getvalue().encode())


def _rows(history: History):
  for position, (replica, stream) in enumerate(history.streams.tolist()):
    fold = stream - 1 if stream else ""
    values = np.stack([history.losses[:, position], history.accuracies[:, position]], axis=-1)
    for epoch, of_scenes in enumerate(values):
      of_epoch = history.phases[epoch], str(history.rates[epoch])
      for scene in np.flatnonzero(history.trained[position]):
        phase, rate = of_epoch
        place = history.network, replica, fold, epoch + 1, phase, history.scenes[scene]
        # The shortest text that reads back to the same float32.
        yield (*place, *map(str, of_scenes[scene]), rate)

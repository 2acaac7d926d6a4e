"""The files of a training history: CSV, and event files that TensorBoard's own reader reads."""

import csv
import os

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import history
from mtl_hsi.runs.event_files import EventFiles
from mtl_hsi.runs.history import History


def a_history(epochs):
  """Three networks on two scenes; the last one leaves out a fold, and with it the second scene."""
  losses, accuracies = np.random.default_rng(0).random((2, 5, 3, 2), np.float32)
  return History(
    network="network",
    streams=np.array([(0, 0), (1, 0), (0, 2)]),
    scenes=["fields", "town"],
    trained=np.array([[True, True], [True, True], [True, False]]),
    phases=["phase1"] * 3 + ["phase2"] * 2,
    rates=np.array([1, 1, 1, 0.1, 0.1], np.float32),
    losses=losses[:epochs],
    accuracies=accuracies[:epochs],
  )


def scalars(folder):
  """The steps and values of every scalar in a directory of event files, by tag."""
  reader = EventAccumulator(str(folder))
  reader.Reload()
  found = {tag: reader.Scalars(tag) for tag in reader.Tags()["scalars"]}
  return {tag: [(event.step, np.float32(event.value)) for event in events] for tag, events in found.items()}


def test_the_table_has_a_row_for_every_epoch_network_and_scene(tmp_path):
  found = a_history(5)
  history.write(tmp_path / "history.csv", [found])
  with (tmp_path / "history.csv").open(newline="") as file:
    rows = list(csv.DictReader(file))
  assert tuple(rows[0]) == history.COLUMNS
  assert len(rows) == 5 * (2 + 2 + 1)
  assert rows[-1] == {
    **{"network": "network", "replica": "0", "fold": "1", "epoch": "5", "phase": "phase2"},
    **{"scene": "fields", "loss": str(found.losses[4, 2, 0])},
    **{"accuracy": str(found.accuracies[4, 2, 0]), "learning_rate": "0.1"},
  }
  kept = {(int(row["epoch"]), row["replica"], row["fold"], row["scene"]): row["loss"] for row in rows}
  for (epoch, replica, fold, scene), loss in kept.items():
    position = [("0", ""), ("1", ""), ("0", "1")].index((replica, fold))
    assert np.float32(loss) == found.losses[epoch - 1, position, found.scenes.index(scene)]


def test_tensorboard_reads_every_epoch_once_also_after_a_restart(tmp_path):
  whole = a_history(5)
  with EventFiles(tmp_path) as first:
    for epochs in (0, 1, 4):
      first.append(a_history(epochs))
  with EventFiles(tmp_path) as second:
    for epochs in (2, 5):
      second.append(a_history(epochs))
  assert sorted(path.name for path in (tmp_path / "network").iterdir()) == [
    *("replica_0", "replica_0_fold_1", "replica_1")
  ]
  for position, name in enumerate(whole.names()):
    means = {
      f"{kind}/{scene}": list(enumerate(values[:, position, index], start=1))
      for kind, values in (("loss", whole.losses), ("accuracy", whole.accuracies))
      for index, scene in enumerate(whole.scenes)
      if whole.trained[position, index]
    }
    assert scalars(tmp_path / name) == {**means, "learning_rate": list(enumerate(whole.rates, start=1))}


@pytest.mark.skipif(os.name == "nt", reason="a file in the way of a directory gives another error")
def test_a_file_in_the_way_is_an_error_in_one_line(tmp_path):
  (tmp_path / "tensorboard").write_text("")
  with EventFiles(tmp_path / "tensorboard") as files, pytest.raises(RequestError, match="cannot write event"):
    files.append(a_history(1))

"""The training history of a run, for every epoch, replica, fold, kind of network and scene."""

import csv

import numpy as np
from orbax.checkpoint import v1 as ocp
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests import launching


def rows_of(run):
  with (run / "history.csv").open(newline="") as file:
    return list(csv.DictReader(file))


def kept(checkpoints, means="losses"):
  """The losses, or accuracies, of the last state of a run, `[R, epochs, T]`."""
  return np.asarray(ocp.load(max((checkpoints / "state").iterdir()))[means])


def scalars(folder):
  reader = EventAccumulator(str(folder))
  reader.Reload()
  return {tag: [event.value for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def test_the_history_is_what_the_checkpoints_keep(finished):
  losses, rows = kept(finished / "checkpoints"), rows_of(finished)
  assert losses.shape == (2, 6, 3)
  assert [np.float32(row["loss"]) for row in rows] == losses.ravel().tolist()
  accuracies = kept(finished / "checkpoints", "accuracies")
  assert [np.float32(row["accuracy"]) for row in rows] == accuracies.ravel().tolist()
  assert 0 < accuracies.mean() <= 1
  assert [row["scene"] for row in rows[:3]] == ["fields", "town", "village"]
  assert [row["replica"] for row in rows] == ["0"] * 18 + ["1"] * 18
  assert [row["phase"] for row in rows[:18:3]] == ["phase1"] * 3 + ["phase2"] * 3
  assert {row["learning_rate"] for row in rows if row["phase"] == "phase2"} == {"0.1"}


def test_folds_and_networks_of_small_patches_have_rows(finished_by_folds):
  kinds = {"network": "checkpoints", "local": "checkpoints/local"}
  losses = [kept(finished_by_folds / place).ravel() for place in kinds.values()]
  rows = rows_of(finished_by_folds)
  assert [np.float32(row["loss"]) for row in rows] == np.concatenate(losses).tolist()
  networks = list(dict.fromkeys((row["network"], row["replica"], row["fold"]) for row in rows))
  assert networks == [
    (kind, *which) for kind in kinds for which in [("0", ""), ("1", ""), *(("0", fold) for fold in "012")]
  ]


def test_tensorboard_finds_the_losses_of_every_network(finished, finished_by_folds):
  losses, accuracies = (kept(finished / "checkpoints", means) for means in ("losses", "accuracies"))
  for replica in range(2):
    found = scalars(finished / "tensorboard" / "network" / f"replica_{replica}")
    assert found.pop("learning_rate") == [1, 1, 1, *[np.float32(0.1)] * 3]
    names = ["fields", "town", "village"]
    for kind, means in (("loss", losses), ("accuracy", accuracies)):
      for name, values in zip(names, means[replica].T.tolist(), strict=True):
        assert found.pop(f"{kind}/{name}") == values
    assert not found
  folders = [path.parent for path in (finished_by_folds / "tensorboard").rglob("events.*")]
  assert len(folders) == len(set(folders)) == 10


def test_event_files_are_written_only_if_they_are_wanted(inputs, finished, tmp_path):
  changes = {"tensorboard": False, "scenes": "town", "target": "town", "replicas": 1}
  run = tmp_path / "run"
  outcome = launching.launch(*launching.arguments(inputs, run, **changes))
  assert outcome.status == 0, outcome.err
  assert len(rows_of(run)) == 6
  assert not (run / "tensorboard").exists()

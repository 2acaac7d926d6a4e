"""Damaged files of a run, and a disk that fills up during a run."""

import os
import shutil
import subprocess
from unittest import mock

import pytest

from mtl_hsi.errors import RequestError
from tests import launching


@pytest.fixture
def run(finished, tmp_path):
  """A copy of the work directory of a complete run."""
  return shutil.copytree(finished, tmp_path / "run")


def damage(checkpoint):
  next(checkpoint.rglob("manifest.ocdbt")).write_bytes(b"")


def test_missing_results_and_a_damaged_state_are_replaced(run, finished, inputs):
  state, results = run / "checkpoints" / "state" / "6", ("predictions.npz", "maps/town/prediction.png")
  damage(state)
  for name in results:
    (run / name).unlink()
  with mock.patch("mtl_hsi.runs.workdir.finish", side_effect=RequestError("killed")):
    outcome = launching.launch(*launching.arguments(inputs, run))
  assert outcome.status == 2
  assert f"checkpoint {state} is damaged; it is ignored\n" in outcome.err
  # The new results are not in SHA256SUMS yet, and must not be mistaken for damaged ones.
  assert launching.launch(*launching.arguments(inputs, run)).status == 0
  for name in results:
    assert (run / name).read_bytes() == (finished / name).read_bytes()


@pytest.mark.parametrize(
  ("damaged", "message"),
  [
    (["state/5", "state/6"], "every checkpoint in {0}/state is damaged; delete {0} to train from scratch"),
    (["snapshots/4"], "snapshot {0}/snapshots/4 is damaged; delete {0} to train from scratch"),
  ],
)
def test_a_run_without_an_undamaged_checkpoint(run, inputs, damaged, message):
  (run / "predictions.npz").unlink()
  checkpoints = run / "checkpoints"
  for name in damaged:
    damage(checkpoints / name)
  before = launching.contents(run)
  outcome = launching.launch(*launching.arguments(inputs, run))
  assert (outcome.status, outcome.err) == (2, f"error: {message.format(checkpoints)}\n")
  assert launching.contents(run) == before


def test_a_damaged_result_of_a_complete_run(refusal, run, inputs):
  file = run / "maps" / "town" / "prediction.png"
  file.write_bytes(file.read_bytes()[:-1])
  error = refusal(*launching.arguments(inputs, run))
  assert f"{file} is damaged: its SHA-256 is not the one in SHA256SUMS; delete maps/town/prediction" in error


@pytest.fixture
def small_disk(tmp_path):
  """The mount point of a disk of 1 MB."""
  disk = tmp_path / "disk"
  disk.mkdir()
  if shutil.which("mount") is None or os.geteuid() != 0:
    pytest.skip("only root can mount a small disk")
  mount = subprocess.run(
    ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True
  )
  if mount.returncode:
    pytest.skip(f"no small disk can be mounted here: {mount.stderr.strip()}")
  yield disk
  subprocess.run(["umount", disk], check=True)


# The campaign of faults resumes such runs.
def test_a_disk_that_fills_up_during_training(small_disk, inputs):
  run = small_disk / "run"
  outcome = launching.launch(*launching.arguments(inputs, run))
  assert outcome.status == 2
  last_line = outcome.err.splitlines()[-1]
  assert last_line.startswith(f"error: cannot write checkpoint {run}/checkpoints/state/1: no space left")
  assert last_line.endswith("make room and run the same command again")
  assert "Traceback" not in outcome.err
  assert not list((run / "checkpoints" / "state").glob("*"))

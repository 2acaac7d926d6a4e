"""Starting a run again, in a directory that is complete, interrupted or damaged."""

import json
import os
import shutil
from unittest import mock

import pytest

from mtl_hsi.errors import RequestError
from tests import launching

LABELS = {"fields": launching.FIELDS, "town": launching.TOWN}
SCENES = ["fields", "town", "village"]


def read(path):
  return json.loads(path.read_text())


def test_a_complete_directory_is_left_alone(finished, inputs):
  before = launching.contents(finished)
  outcome = launching.launch(*launching.arguments(inputs, finished))
  assert outcome == (
    0,
    f"{finished} is complete; nothing to do. Its report: {finished / 'report.html'}\n",
    "",
  )
  assert launching.contents(finished) == before


def test_a_scenes_file_newer_than_a_complete_run_is_named(finished, inputs, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  config = run / "config.json"
  config.write_text(config.read_text().replace(str(inputs), str(tmp_path)))
  launching.list_metrics_only(run)
  launching.write_inputs(tmp_path)
  town = tmp_path / "town.npz"
  os.utime(tmp_path / "fields.npz", (0, 0))
  before = launching.contents(run)
  outcome = launching.launch(*launching.arguments(tmp_path, run))
  assert outcome.status == 0, outcome.err
  assert outcome.out.splitlines()[1:] == [
    f"note: {town} was modified after the run read it; if its content changed, choose another --workdir to "
    "train on it"
  ]
  assert launching.contents(run) == before


def test_a_split_is_read_back(finished, inputs, tmp_path, monkeypatch):
  stopped = mock.Mock(side_effect=RequestError("far enough"))
  monkeypatch.setattr("mtl_hsi.experiment.execution.execute", stopped)
  for name, overrides in {"drawn": {}, "read": {"split": finished / "split.npz"}}.items():
    outcome = launching.launch(*launching.arguments(inputs, tmp_path / name, seed=7, **overrides))
    assert outcome.err == "error: far enough\n"
  assert (tmp_path / "read" / "split.npz").read_bytes() == (finished / "split.npz").read_bytes()
  assert (tmp_path / "drawn" / "split.npz").read_bytes() != (finished / "split.npz").read_bytes()


def test_a_run_that_another_process_finishes_meanwhile_stays_as_it_is(inputs, finished, tmp_path):
  shutil.copytree(finished, tmp_path / "run")
  before = launching.contents(tmp_path / "run")
  with mock.patch("mtl_hsi.runs.workdir.is_complete", side_effect=[False, True]):
    outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run"))
  assert (outcome.status, launching.contents(tmp_path / "run")) == (0, before), outcome.err
  assert "is complete; nothing to do" in outcome.out


def test_every_start_is_recorded_with_its_machine(inputs, finished, tmp_path, monkeypatch):
  run = shutil.copytree(finished, tmp_path / "run")
  (run / "metrics.json").unlink()
  environment = read(run / "environment.json")
  first = {**environment["starts"][0], "cpu": "another"}
  (run / "environment.json").write_text(json.dumps({**environment, "starts": [first]}))
  stopped = mock.Mock(side_effect=RequestError("far enough"))
  monkeypatch.setattr("mtl_hsi.experiment.execution.execute", stopped)
  launching.launch(*launching.arguments(inputs, run))
  kept, second = read(run / "environment.json")["starts"]
  assert kept == first
  assert (second["cpu"], second["packages"]) == (environment["cpu"], environment["packages"])


@pytest.mark.parametrize(
  "text",
  [
    *('{"starts": 5}', "[5]", "{"),
    pytest.param("[" * 100_000, id="nested"),
  ],
)
def test_a_damaged_record_of_earlier_starts_is_replaced(inputs, finished, tmp_path, monkeypatch, text):
  run = shutil.copytree(finished, tmp_path / "run")
  (run / "metrics.json").unlink()
  (run / "environment.json").write_text(text)
  stopped = mock.Mock(side_effect=RequestError("far enough"))
  monkeypatch.setattr("mtl_hsi.experiment.execution.execute", stopped)
  assert launching.launch(*launching.arguments(inputs, run)).err == "error: far enough\n"
  assert len(read(run / "environment.json")["starts"]) == 1


def test_a_refusal_writes_nothing_that_was_missing(inputs, finished, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  for name in ("metrics.json", "scenes.json"):
    (run / name).unlink()

  def refused(message):
    before = launching.contents(run)
    outcome = launching.launch(*launching.arguments(inputs, run))
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err
    assert launching.contents(run) == before

  (run / "split.npz").write_bytes(b"another")
  refused("started with a different split.npz")
  (run / "split.npz").unlink()
  for file in (run / "checkpoints" / "state").glob("*/digests.json"):
    file.write_bytes(b"")
  refused("every checkpoint in")

"""The campaign of faults: that it sees a loss, and, slowly, that there is none."""

import argparse
import json
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest

from faults import campaign, damage
from faults.experiment import Ending, Experiment, digests
from faults.trial import IDENTICAL, LOST, REFUSED, Trial, Verdict, judge
from mtl_hsi import whole_files, workdir
from mtl_hsi.errors import RequestError
from tests import launching


@pytest.fixture
def trial(finished, tmp_path):
  """A trial on a copy of the undisturbed run; nothing is started."""
  shutil.copytree(finished, tmp_path / "undisturbed")
  shutil.copytree(finished, tmp_path / "run")
  whole_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
  return Trial(Experiment(["--a"], tmp_path), tmp_path / "run", random.Random(0))


def verdict(trial, status, err="", before=None):
  return judge(trial, "now", Ending(status, err), before or digests(trial.run)).outcome


def test_an_equal_run_counts_as_identical(trial):
  metrics = json.loads((trial.run / "metrics.json").read_text())
  workdir.finish(trial.run, {**metrics, "seconds": {}, "compilations": 0})
  assert verdict(trial, 0) == IDENTICAL


def change_a_prediction(run):
  with np.load(run / "predictions.npz") as stored:
    arrays = dict(stored)
  arrays["town"][1, 0, 0] += 1
  whole_files.write_npz(run / "predictions.npz", arrays)


def change_metrics(run):
  metrics = json.loads((run / "metrics.json").read_text())
  workdir.finish(run, {**metrics, "leakage": {}})


@pytest.mark.parametrize(
  "change",
  [change_a_prediction, change_metrics, lambda run: (run / "maps" / "town" / "errors.png").unlink()],
)
def test_a_run_that_ends_with_anything_else_counts_as_lost(trial, change):
  change(trial.run)
  assert verdict(trial, 0) == LOST


@pytest.mark.parametrize(
  ("status", "err", "outcome"),
  [
    (2, "training: 3/6\nerror: the disk is full\n", REFUSED),
    (2, "error: one\nerror: another\n", LOST),
    (2, "Traceback (most recent call last)\nerror: the disk is full\n", LOST),
    (1, "error: the disk is full\n", LOST),
    (-9, "", LOST),
  ],
)
def test_only_one_clear_line_counts_as_a_refusal(trial, status, err, outcome):
  assert verdict(trial, status, err) == outcome


def test_a_refusal_that_changed_a_file_counts_as_a_loss(trial):
  before = digests(trial.run)
  (trial.run / ".lock").touch()
  assert verdict(trial, 2, "error: in use\n", before) == REFUSED
  (trial.run / "environment.json").write_text("{}")
  assert verdict(trial, 2, "error: in use\n", before) == LOST


@pytest.mark.parametrize("way", [damage.truncate, damage.flip, damage.remove])
def test_damage_is_damage(tmp_path, way):
  for seed in range(20):
    file = tmp_path / "state"
    file.write_bytes(b"0123")
    way(file, random.Random(seed))
    assert not file.exists() or file.read_bytes() != b"0123"


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path, monkeypatch, finished, capsys):
  whole_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
  shutil.copytree(finished, tmp_path / "undisturbed")
  done = []

  def fault(trial):
    done.append(trial.run.parent.name)
    return Verdict(LOST if len(done) == 3 else IDENTICAL, f"at {trial.chance.random()}", "")

  monkeypatch.setattr(campaign, "FAULTS", {"kill": fault, "burn": fault})
  arguments = argparse.Namespace(
    times=1, only=["kill", "burn"], seed=0, directory=tmp_path, out=tmp_path / "out.json", experiment=["--a"]
  )
  campaign.run(arguments)
  arguments.times = 2
  rows = campaign.run(arguments)
  assert done == ["kill-1", "burn-1", "kill-2", "burn-2"]
  assert rows == [
    {"fault": "kill", "times": 2, IDENTICAL: 1, REFUSED: 0, LOST: 1},
    {"fault": "burn", "times": 2, IDENTICAL: 2, REFUSED: 0, LOST: 0},
  ]
  assert json.loads((tmp_path / "out.json").read_text()) == rows
  details = json.loads((tmp_path / "out_trials.json").read_text())
  assert len({trial["moment"] for trial in details["trials"]}) == 4
  assert "| kill | 2 | 1 | 0 | 1 |" in capsys.readouterr().out
  assert {path.name for path in tmp_path.glob("*-*")} == {"kill-2"}, "the trial that lost something is kept"


def test_another_experiments_campaign_is_refused(tmp_path):
  whole_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
  with pytest.raises(RequestError, match=r"campaign of another experiment \(--a\); name another --directory"):
    Experiment(["--b"], tmp_path)


def run_campaign(directory, faults, experiment):
  """Rows of a campaign in which every fault strikes once."""
  command = ["--times=1", f"--only={','.join(faults)}", f"--directory={directory}", f"--out={directory}.json"]
  result = subprocess.run(
    [sys.executable, "-m", "faults.campaign", *command, "--", *experiment],
    **{"cwd": launching.ROOT, "capture_output": True, "text": True},
  )
  assert result.returncode == 0, result.stdout + result.stderr
  return json.loads(directory.with_suffix(".json").read_text())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_fault_loses_anything(inputs, tmp_path):
  faults = [name for name in campaign.FAULTS if name != "kill-in-download"]
  experiment = [
    argument for argument in launching.arguments(inputs, tmp_path) if not argument.startswith("--workdir=")
  ]
  for row in run_campaign(tmp_path / "campaign", faults, experiment):
    assert (row["times"], row[LOST]) == (1, 0)
    assert row[IDENTICAL] == 1 or "damaged" in row["fault"] or "checkpoint-" in row["fault"], row


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_killed_download_loses_nothing(tmp_path):
  short = ("phases.phase1.epochs=1", "phases.phase2.epochs=1", "snapshots=(0,)", "replicas=1")
  experiment = ["--config=configs/mtl.py:in", *(f"--config.{change}" for change in short)]
  (row,) = run_campaign(tmp_path / "campaign", ["kill-in-download"], experiment)
  assert (row["times"], row[IDENTICAL]) == (1, 1)

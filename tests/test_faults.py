"""The campaign of faults: that it sees a loss, and, slowly, that there is none."""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

from faults import campaign, damage, kills, places
from faults.experiment import Ending, Experiment, digests
from faults.trial import IDENTICAL, LOST, MISSED, REFUSED, Fault, Missed, Trial, Verdict, judge
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import run as run_module
from mtl_hsi.runs import workdir
from mtl_hsi.storage import atomic_files
from tests import launching


@pytest.fixture
def trial(finished, tmp_path):
  """A trial on a copy of the undisturbed run; nothing is started."""
  shutil.copytree(finished, tmp_path / "undisturbed")
  shutil.copytree(finished, tmp_path / "run")
  atomic_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
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
  atomic_files.write_npz(run / "predictions.npz", arrays)


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


def test_a_refusal_is_an_answer_to_damage_only(trial):
  refused = Verdict(REFUSED, "now", "error: every checkpoint is damaged")
  assert Fault(lambda _: refused, damages=True).strike(trial) == refused
  outcome, _, remark = Fault(lambda _: refused).strike(trial)
  assert (outcome, remark) == (LOST, "refused though nothing was damaged: error: every checkpoint is damaged")
  damaging = {name for name, fault in campaign.FAULTS.items() if fault.damages}
  assert damaging == {name for name in campaign.FAULTS if name.startswith(("checkpoint-", "result-"))}


def test_results_are_struck_once_all_checkpoints_are_written(trial):
  parts = ["results"] * 3 + ["checkpoints", "results", "checkpoints"] + ["results"] * 2
  events = [(float(index), part, f"/run/{index}") for index, part in enumerate(parts)]
  struck = []

  def go(run, orders):
    struck.append(tuple(orders["die"][:2]))
    return Ending(-signal.SIGKILL, "")

  stand_in = SimpleNamespace(events=events, undisturbed="/run", go=go)
  for seed in range(50):
    drawn = trial._replace(experiment=stand_in, chance=random.Random(seed))
    kills.die_within(drawn, "results")
    kills.die_within(drawn, "checkpoints", first=0.5)
  # Of six touches of results the last two come when all is trained.
  assert set(struck) == {("results", 5), ("results", 6), ("checkpoints", 2)}


def test_a_complete_run_says_nothing_of_a_disk_that_cannot_be_written(trial, finished, monkeypatch):
  def die_at_the_very_end(trial, part):
    shutil.copytree(finished, trial.run, dirs_exist_ok=True)
    return "at the end"

  monkeypatch.setattr(kills, "die_within", die_at_the_very_end)
  with pytest.raises(Missed):
    places.read_only(trial)


GOES_ON = "terminated; run the same command again to resume from the last checkpoint\n"
BARS = "training:   0%|          | 0/6 [00:00<?, ?epoch/s]\rtraining:  67%|######6   | 4/6 [00:01<00:00]\n"


@pytest.mark.parametrize(
  ("status", "err", "saved", "seconds", "problem"),
  [
    (143, GOES_ON, [], 1.0, None),
    (143, BARS + GOES_ON, [3, 4], 1.0, None),
    (143, BARS + GOES_ON, [3], 1.0, "it trained 4 epochs, and the last state that it saved is of epoch 3"),
    (143, BARS + GOES_ON, [], 1.0, "it trained 4 epochs, and the last state that it saved is of epoch 0"),
    (143, BARS + GOES_ON, [4], 21.0, "it took 21.0 s to end after SIGTERM"),
    (143, "terminated; nothing was written\n", [], 1.0, "status 143 after SIGTERM: terminated; nothing was"),
    (143, "Traceback\n" + GOES_ON, [], 1.0, "status 143 after SIGTERM: Traceback"),
    (-15, "", [], 1.0, "status -15 after SIGTERM"),
  ],
)
def test_the_end_of_a_run_that_is_told_to_stop(tmp_path, status, err, saved, seconds, problem):
  for epoch in saved:
    (tmp_path / "checkpoints" / "state" / str(epoch)).mkdir(parents=True)
  found = kills.stop_problem(Ending(status, err), tmp_path, seconds)
  assert found is None if problem is None else found.startswith(problem)


@pytest.mark.parametrize("way", [damage.truncate, damage.flip, damage.remove])
def test_damage_is_damage(tmp_path, way):
  for seed in range(20):
    file = tmp_path / "state"
    file.write_bytes(b"0123")
    way(file, random.Random(seed))
    assert not file.exists() or file.read_bytes() != b"0123"


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path, monkeypatch, finished, capsys):
  atomic_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
  shutil.copytree(finished, tmp_path / "undisturbed")
  done = []

  def fault(trial):
    done.append(trial.run.parent.name)
    return Verdict(LOST if len(done) == 3 else IDENTICAL, f"at {trial.chance.random()}", "")

  monkeypatch.setattr(campaign, "FAULTS", {"kill": Fault(fault), "burn": Fault(fault)})
  arguments = argparse.Namespace(
    times=1, only=["kill", "burn"], seed=0, directory=tmp_path, out=tmp_path / "out.json", experiment=["--a"]
  )
  campaign.run(arguments)
  arguments.times = 2
  rows = campaign.run(arguments)
  assert done == ["kill-1", "burn-1", "kill-2", "burn-2"]
  assert rows == [
    {"fault": "kill", "times": 2, IDENTICAL: 1, REFUSED: 0, LOST: 1, MISSED: 0},
    {"fault": "burn", "times": 2, IDENTICAL: 2, REFUSED: 0, LOST: 0, MISSED: 0},
  ]
  assert json.loads((tmp_path / "out.json").read_text()) == rows
  details = json.loads((tmp_path / "out_trials.json").read_text())
  assert len({trial["moment"] for trial in details["trials"]}) == 4
  assert "| kill | 2 | 1 | 0 | 1 | 0 |" in capsys.readouterr().out
  assert {path.name for path in tmp_path.glob("*-*")} == {"kill-2"}, "the trial that lost something is kept"


def test_a_fault_that_comes_too_late_does_not_stop_a_campaign(tmp_path, monkeypatch, finished, capsys):
  atomic_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
  shutil.copytree(finished, tmp_path / "undisturbed")
  moments = []

  def late(trial):
    moments.append(trial.chance.random())
    raise Missed("the run was over")

  def late_once(trial):
    if len(set(moments)) < 4:
      late(trial)
    return Verdict(IDENTICAL, "now", "")

  monkeypatch.setattr(campaign, "FAULTS", {"late": Fault(late), "once": Fault(late_once)})
  arguments = argparse.Namespace(
    times=1, only=["late", "once"], seed=0, directory=tmp_path, out=tmp_path / "out.json", experiment=["--a"]
  )
  expected = [
    {"fault": "late", "times": 1, IDENTICAL: 0, REFUSED: 0, LOST: 0, MISSED: 1},
    {"fault": "once", "times": 1, IDENTICAL: 1, REFUSED: 0, LOST: 0, MISSED: 0},
  ]
  assert campaign.run(arguments) == expected
  assert len(set(moments)) == len(moments) == 4, "a moment was drawn twice"
  assert "once 1: the run was over\n" in capsys.readouterr().out
  assert campaign.run(arguments) == json.loads((tmp_path / "out.json").read_text()) == expected
  assert len(moments) == 4, "it was tried again"


@pytest.mark.parametrize("real", [None, Path("salinas_a.npz")])
def test_the_campaigns_own_experiments_are_complete(real, tmp_path):
  command = campaign._default(argparse.Namespace(epochs=6, salinas_a=real))
  with mock.patch.object(run_module, "run_experiment") as run:
    assert launching.launch(*command, f"--workdir={tmp_path / 'run'}") == (0, "", "")
  config = run.call_args.args[0]
  assert (len(config.scenes), sum(phase.epochs for phase in config.phases.values())) == (2, 6)


def test_another_experiments_campaign_is_refused(tmp_path):
  atomic_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
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
    assert (row["times"], row[LOST], row[MISSED]) == (1, 0, 0), row


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_killed_download_loses_nothing(tmp_path):
  short = ("phases.phase1.epochs=1", "phases.phase2.epochs=1", "snapshots=(0,)", "replicas=1")
  experiment = ["--config=configs/mtl.py:in", *(f"--config.{change}" for change in short)]
  (row,) = run_campaign(tmp_path / "campaign", ["kill-in-download"], experiment)
  assert (row["times"], row[IDENTICAL]) == (1, 1)

"""The campaign of faults: it detects a loss, and (slow tests) there is none."""

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
def directory(finished, tmp_path):
  """The directory of a campaign whose undisturbed run is complete."""
  shutil.copytree(finished, tmp_path / "undisturbed")
  atomic_files.write_json(tmp_path / "undisturbed.json", {"arguments": ["--a"], "events": [], "seconds": 1.0})
  return tmp_path


@pytest.fixture
def trial(finished, directory):
  """A trial whose run is a copy of the undisturbed one."""
  shutil.copytree(finished, directory / "run")
  return Trial(Experiment(["--a"], directory), directory / "run", random.Random(0))


def verdict(trial, status, err="", before=None):
  return judge(trial, "now", Ending(status, err), before or digests(trial.run)).outcome


def change_seconds(run):
  metrics = json.loads((run / "metrics.json").read_text())
  workdir.finish(run, {**metrics, "seconds": {}, "compilations": 0})


def change_metrics(run):
  metrics = json.loads((run / "metrics.json").read_text())
  workdir.finish(run, {**metrics, "leakage": {}})


def change_a_prediction(run):
  with np.load(run / "predictions.npz") as stored:
    arrays = dict(stored)
  arrays["town"][1, 0, 0] += 1
  atomic_files.write_npz(run / "predictions.npz", arrays)


def remove_a_map(run):
  (run / "maps" / "town" / "errors.png").unlink()


@pytest.mark.parametrize(
  ("change", "outcome"),
  [(change_seconds, IDENTICAL), (change_metrics, LOST), (change_a_prediction, LOST), (remove_a_map, LOST)],
)
def test_a_complete_run_must_have_the_results_of_the_undisturbed_one(trial, change, outcome):
  change(trial.run)
  assert verdict(trial, 0) == outcome


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


def test_a_refusal_must_not_change_a_file(trial):
  before = digests(trial.run)
  (trial.run / ".lock").touch()
  assert verdict(trial, 2, "error: in use\n", before) == REFUSED
  (trial.run / "environment.json").write_text("{}")
  assert verdict(trial, 2, "error: in use\n", before) == LOST


def test_only_damage_may_be_answered_by_a_refusal(trial):
  refused = Verdict(REFUSED, "now", "error: every checkpoint is damaged")
  assert Fault(lambda _: refused, damages=True).strike(trial) == refused
  assert Fault(lambda _: refused).strike(trial).outcome == LOST
  damaging = {name for name, fault in campaign.FAULTS.items() if fault.damages}
  assert damaging == {name for name in campaign.FAULTS if name.startswith(("checkpoint-", "result-"))}


def test_kills_in_the_results_come_after_the_last_checkpoint(trial):
  parts = ["results"] * 3 + ["checkpoints", "results", "checkpoints"] + ["results"] * 2
  events = [(float(index), part, f"/run/{index}") for index, part in enumerate(parts)]
  struck = set()

  def run_to_end(run, orders):
    struck.add(tuple(orders["die"][:2]))
    return Ending(-signal.SIGKILL, "")

  experiment = SimpleNamespace(events=events, undisturbed="/run", run_to_end=run_to_end)
  for seed in range(50):
    drawn = trial._replace(experiment=experiment, chance=random.Random(seed))
    kills.die_within(drawn, "results")
    kills.die_within(drawn, "checkpoints", first=0.5)
  assert struck == {("results", 5), ("results", 6), ("checkpoints", 2)}


def test_a_complete_run_is_no_test_of_a_read_only_directory(trial, finished, monkeypatch):
  def die_at_the_very_end(trial, part):
    shutil.copytree(finished, trial.run, dirs_exist_ok=True)
    return "at the end"

  monkeypatch.setattr(kills, "die_within", die_at_the_very_end)
  with pytest.raises(Missed):
    places.read_only(trial)


RESUMABLE = "terminated; run the same command again to resume from the last checkpoint\n"
BARS = "training:   0%|          | 0/6 [00:00<?, ?epoch/s]\rtraining:  67%|######6   | 4/6 [00:01<00:00]\n"


@pytest.mark.parametrize(
  ("status", "err", "saved", "seconds", "problem"),
  [
    (143, RESUMABLE, [], 1.0, None),
    (143, BARS + RESUMABLE, [3, 4], 1.0, None),
    (143, BARS + RESUMABLE, [3], 1.0, "it trained 4 epochs, but the last saved state is of epoch 3"),
    (143, BARS + RESUMABLE, [], 1.0, "it trained 4 epochs, but the last saved state is of epoch 0"),
    (143, BARS + RESUMABLE, [4], 21.0, "it took 21.0 s to end after SIGTERM"),
    (143, "terminated; nothing was written\n", [], 1.0, "status 143 after SIGTERM: terminated; nothing was"),
    (143, "Traceback\n" + RESUMABLE, [], 1.0, "status 143 after SIGTERM: Traceback"),
    (-15, "", [], 1.0, "status -15 after SIGTERM"),
  ],
)
def test_a_run_must_save_its_state_after_sigterm(tmp_path, status, err, saved, seconds, problem):
  for epoch in saved:
    (tmp_path / "checkpoints" / "state" / str(epoch)).mkdir(parents=True)
  found = kills.stop_problem(Ending(status, err), tmp_path, seconds)
  assert found is None if problem is None else found.startswith(problem)


@pytest.mark.parametrize("way", [damage.truncate, damage.flip, damage.remove])
def test_damage_always_changes_the_file(tmp_path, way):
  for seed in range(20):
    file = tmp_path / "state"
    file.write_bytes(b"0123")
    way(file, random.Random(seed))
    assert not file.exists() or file.read_bytes() != b"0123"


def arguments(directory, faults, times):
  return argparse.Namespace(
    **{"times": times, "only": faults, "seed": 0, "directory": directory},
    **{"out": directory / "out.json", "experiment": ["--a"]},
  )


def row(fault, times, **outcomes):
  return {"fault": fault, "times": times, IDENTICAL: 0, REFUSED: 0, LOST: 0, MISSED: 0, **outcomes}


def test_an_interrupted_campaign_resumes(directory, monkeypatch, capsys):
  done = []

  def fault(trial):
    done.append(trial.run.parent.name)
    return Verdict(LOST if len(done) == 3 else IDENTICAL, f"at {trial.chance.random()}", "")

  monkeypatch.setattr(campaign, "FAULTS", {"kill": Fault(fault), "burn": Fault(fault)})
  campaign.run(arguments(directory, ["kill", "burn"], times=1))
  rows = campaign.run(arguments(directory, ["kill", "burn"], times=2))
  assert done == ["kill-1", "burn-1", "kill-2", "burn-2"]
  assert rows == [row("kill", 2, **{IDENTICAL: 1, LOST: 1}), row("burn", 2, **{IDENTICAL: 2})]
  assert json.loads((directory / "out.json").read_text()) == rows
  details = json.loads((directory / "out_trials.json").read_text())
  assert len({trial["moment"] for trial in details["trials"]}) == 4
  assert "| kill | 2 | 1 | 0 | 1 | 0 |" in capsys.readouterr().out
  assert {path.name for path in directory.glob("*-*")} == {"kill-2"}, "only a lost run is kept"


def test_a_fault_that_comes_too_late_is_tried_again(directory, monkeypatch):
  moments = []

  def late(trial):
    moments.append(trial.chance.random())
    raise Missed("the run was over")

  def late_once(trial):
    if len(moments) < 4:
      late(trial)
    return Verdict(IDENTICAL, "now", "")

  monkeypatch.setattr(campaign, "FAULTS", {"late": Fault(late), "once": Fault(late_once)})
  expected = [row("late", 1, **{MISSED: 1}), row("once", 1, **{IDENTICAL: 1})]
  for _ in range(2):
    assert campaign.run(arguments(directory, ["late", "once"], times=1)) == expected
    assert len(set(moments)) == len(moments) == 4


@pytest.mark.parametrize("real", [None, Path("salinas_a.npz")])
def test_the_default_experiments_are_valid(real, tmp_path):
  command = campaign._default_experiment(argparse.Namespace(epochs=6, salinas_a=real))
  with mock.patch.object(run_module, "run_experiment") as run:
    assert launching.launch(*command, f"--workdir={tmp_path / 'run'}") == (0, "", "")
  config = run.call_args.args[0]
  assert (len(config.scenes), sum(phase.epochs for phase in config.phases.values())) == (2, 6)


def test_another_experiments_campaign_is_refused(directory):
  with pytest.raises(RequestError, match=r"campaign of another experiment \(--a\); choose another"):
    Experiment(["--b"], directory)


def run_campaign(directory, faults, experiment):
  """Runs a campaign with one trial per fault and returns its rows."""
  command = ["--times=1", f"--only={','.join(faults)}", f"--directory={directory}", f"--out={directory}.json"]
  result = subprocess.run(
    [sys.executable, "-m", "faults.campaign", *command, "--", *experiment],
    **{"cwd": launching.ROOT, "capture_output": True, "text": True},
    env=launching.quickly_compiled(),
  )
  assert result.returncode == 0, result.stdout + result.stderr
  return json.loads(directory.with_suffix(".json").read_text())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_fault_loses_anything(inputs, tmp_path):
  faults = [name for name in campaign.FAULTS if name != "kill-in-download"]
  given = launching.arguments(inputs, tmp_path, scenes="('fields','town')")
  experiment = [argument for argument in given if not argument.startswith("--workdir=")]
  for entry in run_campaign(tmp_path / "campaign", faults, experiment):
    assert (entry["times"], entry[LOST], entry[MISSED]) == (1, 0, 0), entry


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_killed_download_loses_nothing(tmp_path):
  short = ("phases.phase1.epochs=1", "phases.phase2.epochs=1", "snapshots=(0,)", "replicas=1")
  experiment = ["--config=configs/mtl.py:in", *(f"--config.{change}" for change in short)]
  (entry,) = run_campaign(tmp_path / "campaign", ["kill-in-download"], experiment)
  assert (entry["times"], entry[IDENTICAL]) == (1, 1)

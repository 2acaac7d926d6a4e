"""A run killed at any moment and started again ends with the results of one that nobody disturbed."""

import json
import random
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from mtl_hsi.training.checkpoints import Checkpoints
from tests import launching

# Starts the run once for every moment and kills it there: some seconds after a path with a text in it is
# touched for the n-th time. Forking once everything is imported spares each start the time of a new process.
KILLER = """
import json, os, signal, sys, threading
from mtl_hsi.experiment import run
from tests import launching

def die():
  os.kill(os.getpid(), signal.SIGKILL)

def die_at(text, count, seconds):
  seen = 0
  def hook(event, arguments):
    nonlocal seen
    paths = [os.fspath(value) for value in arguments if isinstance(value, (str, os.PathLike))]
    if any(text in path for path in paths):
      seen += 1
      if seen == count and seconds:
        threading.Timer(seconds, die).start()
      elif seen == count:
        die()
  sys.addaudithook(hook)

for text, count, seconds in json.loads(sys.argv[1]):
  child = os.fork()
  if child == 0:
    die_at(text, count, seconds)
    os._exit(launching.launch(*sys.argv[2:]).status)
  print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def start_and_kill(moments, command):
  """Exit codes of the starts, one for each moment."""
  result = subprocess.run(
    [sys.executable, "-c", KILLER, json.dumps(moments), *command],
    **{"cwd": launching.ROOT, "check": True, "stdout": subprocess.PIPE, "text": True},
  )
  return [int(code) for code in result.stdout.split()]


def assert_same_results(run, undisturbed):
  """Equal files, but for what tells of the run's own time and place."""
  own = {"environment.json", "metrics.json", "report.html", "SHA256SUMS"}

  def files(directory):
    return {
      name: data
      for name, (_, data) in launching.contents(directory).items()
      if not name.startswith(("checkpoints/", "tensorboard/"))
    }

  assert {**files(run), **dict.fromkeys(own)} == {**files(undisturbed), **dict.fromkeys(own)}
  metrics = [json.loads((directory / "metrics.json").read_text()) for directory in (run, undisturbed)]
  for values in metrics:
    assert values.pop("seconds").keys() == launching.SECONDS
    values.pop("compilations")
  assert metrics[0] == metrics[1]
  left = [{path.name for path in (one / "checkpoints").iterdir()} for one in (run, undisturbed)]
  assert left[0] == left[1]
  assert left[0] - {"local"} == {"snapshots", "state"}


def test_a_run_killed_in_a_checkpoint_goes_on_to_the_same_results(finished, inputs, tmp_path):
  command = launching.arguments(inputs, tmp_path / "run")
  assert start_and_kill([("checkpoints/state/3", 1, 0)], command) == [-signal.SIGKILL]
  assert (tmp_path / "run" / "checkpoints" / "partial" / "new").is_dir(), (
    "it was not killed within a checkpoint"
  )
  assert not (tmp_path / "run" / "metrics.json").exists()
  outcome = launching.launch(*command)
  assert outcome.status == 0, outcome.err
  assert re.search(r"training: .* 2/6 \[00:\d\d<\?, \?epoch/s\]", outcome.err), (
    "it did not go on after epoch 2"
  )
  assert not re.search(r" [12]/6 \[[^\]]*loss", outcome.err), "epochs were trained anew"
  assert_same_results(tmp_path / "run", finished)


def test_a_run_that_is_told_to_stop_saves_its_last_epoch(finished, inputs, tmp_path, monkeypatch):
  command = launching.arguments(inputs, tmp_path / "run", checkpoint_seconds=1e9)
  save = Checkpoints.save_snapshot

  def save_and_terminate(checkpoints, epoch, tree):
    save(checkpoints, epoch, tree)
    signal.raise_signal(signal.SIGTERM)

  with monkeypatch.context() as patched:
    patched.setattr(Checkpoints, "save_snapshot", save_and_terminate)
    outcome = launching.launch(*command)
  assert outcome.status == 128 + signal.SIGTERM
  last_line = outcome.err.splitlines()[-1]
  assert last_line == "terminated; run the same command again to resume from the last checkpoint"
  assert [path.name for path in (tmp_path / "run" / "checkpoints" / "state").iterdir()] == ["4"]
  outcome = launching.launch(*command)
  assert outcome.status == 0, outcome.err
  assert " 4/6 [" in outcome.err
  assert (tmp_path / "run" / "predictions.npz").read_bytes() == (finished / "predictions.npz").read_bytes()


def test_a_run_does_not_go_on_with_other_data(inputs, tmp_path):
  for name in ("fields.npz", "town.npz", "tiny.py"):
    shutil.copy(inputs / name, tmp_path)
  command = launching.arguments(tmp_path, tmp_path / "run")
  assert start_and_kill([("checkpoints/state/3", 1, 0)], command) == [-signal.SIGKILL]
  (tmp_path / "run" / ".lock").unlink()
  before = launching.contents(tmp_path / "run")
  np.savez(tmp_path / "fields.npz", cube=3 * launching.cube(launching.FIELDS, 1), label=launching.FIELDS)
  outcome = launching.launch(*command)
  assert outcome.status == 2
  assert "run started with a different scenes.json: the scenes, their files or the split" in outcome.err
  after = launching.contents(tmp_path / "run")
  assert {name: after[name] for name in before} == before


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_run_killed_wherever_it_writes(finished, inputs, tmp_path):
  moments = [
    (".config.json", 1, 0),
    (".config.json", 2, 0),
    (".scenes.json", 1, 0),
    (".split.npz", 1, 0),
    ("environment.json", 2, 0),
    ("new.orbax-checkpoint-tmp", 5, 0),
    ("checkpoints/state/2", 1, 0),
    ("checkpoints/partial/new/.digests.json", 2, 0),
    ("checkpoints/snapshots/4", 1, 0),
    ("checkpoints/state/4", 2, 0),
    ("checkpoints/snapshots/6", 1, 0),
    ("checkpoints/snapshots/6/digests.json", 1, 0),
    (".predictions.npz", 1, 0),
    (".predictions.npz", 2, 0),
    ("maps/town", 4, 0),
    (".prediction.tif", 2, 0),
    (".report.html", 2, 0),
    (".metrics.json", 1, 0),
    (".metrics.json", 2, 0),
  ]
  command = launching.arguments(inputs, tmp_path / "run")
  assert start_and_kill(moments, command) == [-signal.SIGKILL] * len(moments)
  assert launching.launch(*command).status == 0
  assert_same_results(tmp_path / "run", finished)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(4))
def test_a_run_killed_at_five_random_moments(finished, inputs, tmp_path, seed):
  chance = random.Random(seed)
  run = str(tmp_path / "run")
  moments = [(run, chance.randrange(1, 120), chance.choice([0, chance.uniform(0, 0.2)])) for _ in range(5)]
  command = launching.arguments(inputs, tmp_path / "run")
  codes = start_and_kill(moments, command)
  # One that was fast may be through before the last moments.
  assert codes[0] == -signal.SIGKILL
  assert set(codes) <= {-signal.SIGKILL, 0}
  assert launching.launch(*command).status == 0
  assert_same_results(tmp_path / "run", finished)

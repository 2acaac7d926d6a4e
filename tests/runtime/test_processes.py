"""Several processes that train as one."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runtime import processes
from tests import launching


def launch_two(arguments):
  """Outcomes of two processes of one device each that do one run, the first process's first."""
  with socket.socket() as taken:
    taken.bind(("localhost", 0))
    port = taken.getsockname()[1]
  command = [sys.executable, "launch.py", *arguments, f"--coordinator=localhost:{port}", "--processes=2"]
  started = [
    subprocess.Popen(
      [*command, f"--process={index}"],
      **{"cwd": launching.ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True},
      env={**os.environ, "JAX_NUM_CPU_DEVICES": "1"},
    )
    for index in range(2)
  ]
  try:
    texts = [process.communicate(timeout=300) for process in started]
  finally:
    for process in started:
      process.kill()
  return [launching.Outcome(process.returncode, *text) for process, text in zip(started, texts, strict=True)]


def launch_on_cores(count, arguments):
  """Outcome of a run that starts its own processes; all of them must be gone when it is over."""
  process = subprocess.Popen(
    [sys.executable, "launch.py", *arguments, f"--processes={count}"],
    **{"cwd": launching.ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True},
    start_new_session=True,
  )
  texts = process.communicate(timeout=300)
  with pytest.raises(ProcessLookupError):
    os.killpg(process.pid, 0)
  return launching.Outcome(process.returncode, *texts)


def predictions(run):
  with np.load(run / "predictions.npz") as archive:
    return dict(archive)


@pytest.mark.slow
def test_two_processes_do_the_run_of_one(inputs, finished, tmp_path):
  first, second = launch_two(launching.arguments(inputs, tmp_path / "run"))
  assert (first.status, second.status) == (0, 0), first.err + second.err
  assert "Report:" in first.out
  assert "fields" not in second.out, "only the first process speaks"
  alone = predictions(finished)
  for name, together in predictions(tmp_path / "run").items():
    np.testing.assert_array_equal(together, alone[name])
  environment = json.loads((tmp_path / "run" / "environment.json").read_text())
  assert (environment["processes"], len(environment["devices"])) == (2, 2)


@pytest.mark.slow
def test_a_run_starts_its_own_processes(inputs, finished, tmp_path):
  outcome = launch_on_cores(2, launching.arguments(inputs, tmp_path / "run"))
  assert outcome.status == 0, outcome.err
  assert outcome.out.count("Report:") == 1
  alone = predictions(finished)
  for name, together in predictions(tmp_path / "run").items():
    np.testing.assert_array_equal(together, alone[name])
  environment = json.loads((tmp_path / "run" / "environment.json").read_text())
  assert (environment["processes"], len(environment["devices"])) == (2, 2)


@pytest.mark.slow
def test_processes_that_were_started_stop_together_and_save(inputs, tmp_path):
  changes = {"phases.phase1.epochs": 100_000, "checkpoint_seconds": 1e9}
  command = launching.arguments(inputs, tmp_path / "run", **changes)
  process = subprocess.Popen(
    [sys.executable, "launch.py", *command, "--processes=2"],
    **{"cwd": launching.ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True},
    start_new_session=True,
  )
  try:
    while not (tmp_path / "run" / "environment.json").exists():
      assert process.poll() is None, process.communicate()[1]
      time.sleep(0.1)
    time.sleep(5)
    process.terminate()
    err = process.communicate(timeout=120)[1]
  finally:
    process.kill()
  assert process.returncode == 128 + signal.SIGTERM, err
  assert err.splitlines()[-1] == "terminated; the same command goes on from the last checkpoint"
  assert len(list((tmp_path / "run" / "checkpoints" / "state").iterdir())) == 1
  with pytest.raises(ProcessLookupError):
    os.killpg(process.pid, 0)


@pytest.mark.slow
def test_a_refusal_ends_the_processes_that_were_started(inputs, finished):
  outcome = launch_on_cores(2, launching.arguments(inputs, finished, batch_size=7))
  assert outcome.status == 2
  assert "holds a run of another config" in outcome.err
  assert outcome.err.count("error:") == 1


def test_more_processes_than_cores_are_refused(inputs, tmp_path):
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run"), "--processes=4000")
  assert outcome.status == 2
  assert "error: --processes=4000 on " in outcome.err
  assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_go_on_where_one_stopped(inputs, finished, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  for name in ("metrics.json", "predictions.npz"):
    (run / name).unlink()
  for outcome in launch_two(launching.arguments(inputs, run)):
    assert outcome.status == 0, outcome.err
  for name, labels in predictions(run).items():
    np.testing.assert_array_equal(labels, predictions(finished)[name])


@pytest.mark.slow
def test_what_the_first_process_refuses_ends_all(inputs, finished):
  before = launching.contents(finished)
  first, second = launch_two(launching.arguments(inputs, finished, batch_size=7))
  assert (first.status, second.status) == (2, 2)
  assert "holds a run of another config (batch_size: 20 -> 7)" in first.err
  assert "error: the first process has failed; it says why" in second.err
  assert launching.contents(finished) == before


@pytest.mark.slow
@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"replicas": 1}, "2 processes have 2 devices, and 1 replicas cannot be spread over so many"),
    ({"model.name": "svm"}, "model.name=svm runs in one process"),
  ],
)
def test_runs_that_cannot_be_cut_are_refused_by_all(inputs, tmp_path, changes, message):
  for outcome in launch_two(launching.arguments(inputs, tmp_path / "run", **changes)):
    assert outcome.status == 2
    assert message in outcome.err
  assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("count", "index"), [(None, 0), (2, None), (2, 2)])
def test_processes_need_their_numbers(count, index):
  with pytest.raises(RequestError, match=f"--processes is {count}, --process {index}; give how many"):
    processes.join("localhost:1", count, index)


@pytest.mark.parametrize("flag", ["--coordinator=localhost:1", "--processes=2"])
def test_grids_are_cut_by_shards_instead(tmp_path, flag):
  outcome = launching.launch("--config=configs/rehearsal.py:table3", f"--workdir={tmp_path / 'grid'}", flag)
  assert outcome.status == 2
  assert "a grid is cut by --shard=i/n" in outcome.err


def test_a_process_alone_finds_everything_itself():
  assert processes.count() == 1
  assert processes.is_first()
  assert processes.from_first(lambda: 7) == 7
  assert processes.from_first(lambda: None) == 0
  assert processes.tree_from_first(lambda: {"a": 1}, None) == {"a": 1}

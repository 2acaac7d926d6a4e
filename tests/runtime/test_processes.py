"""Training in several processes."""

import json
import os
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runtime import processes
from tests import launching


def launch_two(arguments):
  """Runs two processes with one device each, and returns the outcome of each."""
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


def predictions(run):
  with np.load(run / "predictions.npz") as archive:
    return dict(archive)


@pytest.mark.slow
def test_two_processes_give_the_results_of_one(inputs, finished, tmp_path):
  first, second = launch_two(launching.arguments(inputs, tmp_path / "run"))
  assert (first.status, second.status) == (0, 0), first.err + second.err
  assert "Report:" in first.out
  assert "fields" not in second.out, "only the first process prints"
  alone = predictions(finished)
  for name, together in predictions(tmp_path / "run").items():
    np.testing.assert_array_equal(together, alone[name])
  environment = json.loads((tmp_path / "run" / "environment.json").read_text())
  assert (environment["processes"], len(environment["devices"])) == (2, 2)


@pytest.mark.slow
def test_two_processes_resume_the_run_of_one(inputs, finished, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  for name in ("metrics.json", "predictions.npz"):
    (run / name).unlink()
  for outcome in launch_two(launching.arguments(inputs, run)):
    assert outcome.status == 0, outcome.err
  for name, labels in predictions(run).items():
    np.testing.assert_array_equal(labels, predictions(finished)[name])


@pytest.mark.slow
def test_an_error_of_the_first_process_ends_all(inputs, finished):
  before = launching.contents(finished)
  first, second = launch_two(launching.arguments(inputs, finished, batch_size=7))
  assert (first.status, second.status) == (2, 2)
  assert "holds a run of another config (batch_size: 20 -> 7)" in first.err
  assert "error: the first process failed; see its output for the reason" in second.err
  assert launching.contents(finished) == before


@pytest.mark.slow
@pytest.mark.parametrize(
  ("config", "changes", "message"),
  [
    (
      "tiny.py",
      {"replicas": 1},
      "2 processes have 2 devices, more than the 1 networks; start fewer processes",
    ),
    ("tiny.py:letter", {"model.name": "svm"}, "model.name=svm runs in one process"),
  ],
)
def test_runs_that_cannot_be_distributed_are_refused_by_all(inputs, tmp_path, config, changes, message):
  for outcome in launch_two(launching.arguments(inputs, tmp_path / "run", config, **changes)):
    assert outcome.status == 2
    assert message in outcome.err
  assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("count", "index"), [(None, 0), (2, None), (2, 2)])
def test_the_number_and_index_of_processes_are_required(count, index):
  with pytest.raises(RequestError, match=f"--processes is {count} and --process is {index}; "):
    processes.join("localhost:1", count, index)


@pytest.mark.parametrize("flag", ["--processes=2", "--process=0"])
def test_processes_and_process_require_a_coordinator(inputs, tmp_path, flag):
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run"), flag)
  assert outcome.status == 2
  assert "error: --processes and --process need --coordinator" in outcome.err
  assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flag", ["--coordinator=localhost:1", "--processes=2"])
def test_a_grid_runs_in_one_process(tmp_path, flag):
  outcome = launching.launch("--config=configs/rehearsal.py:table3", f"--workdir={tmp_path / 'grid'}", flag)
  assert outcome.status == 2
  assert "use --shard=i/n" in outcome.err


def test_a_single_process_needs_no_other():
  assert processes.count() == 1
  assert processes.is_first()
  assert processes.from_first(lambda: 7) == 7
  assert processes.from_first(lambda: None) == 0
  assert processes.tree_from_first(lambda: {"a": 1}, None) == {"a": 1}

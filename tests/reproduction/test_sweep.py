"""Sweeps over keys: runs that start, resume or are rejected, and files written. Nothing is trained."""

import csv
import errno
import json
import shutil

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.records import with_schema
from mtl_hsi.storage import atomic_files, checksums
from tests import launching

OVER = ("--over=model.blocks=1,2", "--over=seed=0,10")
NAMES = [f"model.blocks={blocks}-seed={seed}" for blocks in (1, 2) for seed in (0, 10)]


@pytest.fixture
def trained(finished, monkeypatch):
  """Stands in for the runs: copies a finished run with another config; returns the names that were run."""
  names = []

  def run(config, directory, command):
    names.append(directory.name)
    if directory.name in broken:
      raise RequestError("the loss is nan")
    shutil.copytree(finished, directory, ignore=shutil.ignore_patterns("checkpoints", "tensorboard"))
    stored = json.loads(json.dumps(config.to_dict()))
    atomic_files.write_json(directory / "config.json", with_schema("config.json", stored))
    lines = (directory / checksums.NAME).read_text().splitlines()
    listed = [line.split("  ", 1)[1] for line in lines]
    (directory / checksums.NAME).write_bytes(checksums.listing(directory, listed))

  broken = set()
  names_and_broken = names, broken
  monkeypatch.setattr("mtl_hsi.reproduction.grid.run_experiment", run)
  return names_and_broken


def sweep(inputs, directory, *more):
  return launching.launch(*launching.arguments(inputs, directory), *OVER, *more)


def read(path):
  with path.open(newline="") as file:
    return list(csv.DictReader(file))


def test_every_combination_is_run_once_tabulated_and_compared(trained, inputs, tmp_path):
  names, _ = trained
  outcome = sweep(inputs, tmp_path / "sweep")
  assert outcome.status == 0, outcome.err
  assert names == NAMES
  assert "4 runs; 0 done, 4 to do." in outcome.out
  rows = read(tmp_path / "sweep" / "sweep.csv")
  assert len(rows) == 4 * 3
  assert [(row["model.blocks"], row["seed"]) for row in rows[::3]] == [
    *(("1", "0"), ("1", "10"), ("2", "0"), ("2", "10"))
  ]
  assert {row["state"] for row in rows} == {"done"}
  metrics = json.loads((tmp_path / "sweep" / NAMES[0] / "metrics.json").read_text())["scenes"]["town"]
  assert float(rows[1]["overall_accuracy_mean"]) == pytest.approx(100 * metrics["overall_accuracy"]["mean"])
  config = json.loads((tmp_path / "sweep" / NAMES[3] / "config.json").read_text())
  assert (config["model"]["blocks"], config["seed"]) == (2, 10)
  keys = [row["key"] for row in read(tmp_path / "sweep" / "comparison" / "configs.csv")]
  assert keys == ["model.blocks", "seed"]
  outcome = sweep(inputs, tmp_path / "sweep")
  assert (outcome.status, names) == (0, NAMES), "a finished sweep runs nothing again"


def test_shards_share_the_work_and_the_status_tells_what_is_left(trained, inputs, tmp_path):
  names, _ = trained
  sweep(inputs, tmp_path / "sweep", "--shard=1/2")
  assert len(names) == 2
  outcome = sweep(inputs, tmp_path / "sweep", "--status")
  assert len(names) == 2, "the status runs nothing"
  assert "4 runs; 2 done, 2 to do" in outcome.out
  assert [outcome.out.count(f"{state}  ") for state in ("done ", "to do")] == [2, 2]
  states = [row["state"] for row in read(tmp_path / "sweep" / "sweep.csv")]
  assert (states.count("done"), states.count("to do")) == (2 * 3, 2)
  sweep(inputs, tmp_path / "sweep", "--shard=2/2")
  assert sorted(names) == sorted(NAMES)


def test_a_run_that_fails_is_named_after_the_others_and_their_comparison(trained, inputs, tmp_path):
  names, broken = trained
  broken.add(NAMES[1])
  outcome = sweep(inputs, tmp_path / "sweep")
  assert (outcome.status, names) == (2, NAMES)
  assert outcome.err.splitlines()[-1] == (
    f"error: 1 of 4 runs are not done; the first is {NAMES[1]}: the loss is nan"
  )
  assert (tmp_path / "sweep" / "comparison" / "comparison.html").exists()


@pytest.mark.parametrize(
  ("more", "message"),
  [
    (("--over=replicas=1,0",), "config key replicas is 0; expected 1 or more (--over, model.blocks=1"),
    (("--over=widths=1,2",), "unknown config key 'widths'"),
    (("--coordinator=auto",), "a sweep runs in one process"),
    (("--shard=3/2",), "expected i/n"),
    (("--config.files.town.cube=absent.npz",), "absent.npz (config key files.town.cube)"),
    (("--config.seed=3",), "--over and --config.seed both give values for seed; remove one of them"),
    (("--config.unknown_rate=0.1",), "unknown_rate has no effect without unknown; add --config.unknown=mark"),
  ],
)
def test_a_wrong_request_is_refused_before_anything_runs(trained, inputs, tmp_path, more, message):
  outcome = sweep(inputs, tmp_path / "sweep", *more)
  assert (outcome.status, outcome.err.count("\n")) == (2, 1), outcome.err
  assert message in outcome.err
  assert trained[0] == []
  assert not (tmp_path / "sweep").exists()


def test_a_read_only_directory_is_refused_before_anything_runs(trained, inputs, tmp_path, monkeypatch):
  def refuse(dir):
    raise PermissionError(errno.EACCES, "Permission denied")

  monkeypatch.setattr("mtl_hsi.reproduction.sweep.tempfile.TemporaryFile", refuse)
  outcome = sweep(inputs, tmp_path / "sweep")
  assert (outcome.status, outcome.out, trained[0]) == (2, "", [])
  assert outcome.err == (
    f"error: cannot write to the directory of the sweep, {tmp_path / 'sweep'}: permission denied; "
    "choose another --workdir\n"
  )


def test_flags_of_a_sweep_need_each_other(finished, inputs, tmp_path):
  config, workdir, *changes = launching.arguments(inputs, tmp_path / "run")
  for arguments, message in {
    (config, *changes, OVER[0]): "a sweep needs a directory",
    (config, workdir, *changes, "--status"): "--status needs the sweep",
    (config, f"--workdir={finished}", *changes, OVER[0]): "is the work directory of a run",
    ("--config=configs/report.py", OVER[0]): "only apply to configs of experiments",
  }.items():
    outcome = launching.launch(*arguments)
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err


def test_the_command_asks_for_the_same_and_answers_as_json(trained, inputs, tmp_path):
  files = [f"--set={word.removeprefix('--config.')}" for word in launching.arguments(inputs, tmp_path)[2:]]
  words = ("sweep", "-o", str(tmp_path / "sweep"), "--recipe", str(inputs / "tiny.py"), *files, *OVER)
  outcome = launching.mtl_hsi(*words, "--json", "--shard", "1/4")
  assert outcome.status == 0, outcome.err
  content = json.loads(outcome.out)
  assert [cell["run"] for cell in content["cells"]] == NAMES
  assert sum(cell["done"] for cell in content["cells"]) == 1
  assert content["cells"][3]["values"] == {"model.blocks": "2", "seed": "10"}
  assert content["files"] == [str(tmp_path / "sweep" / "sweep.csv")]
  for words, message in {
    ("sweep", "x.yaml", "-o", "y"): "name one with --over",
    ("sweep", "x.yaml", "--over", "seed=1"): "name one with --output",
  }.items():
    assert message in launching.mtl_hsi(*words).err

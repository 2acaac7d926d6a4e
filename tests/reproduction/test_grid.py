"""Which runs of a grid are done, which belong to which shard, and how long the rest takes."""

import itertools
import json

import pytest
from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.reproduction import grid
from mtl_hsi.reproduction.grid import Run, Shard
from mtl_hsi.runs import workdir
from tests import launching


def a_run(name, model="hresnet", seed=0):
  return Run(name, config_dict.ConfigDict({"model": {"name": model}, "seed": seed}))


def finish(run, directory, seconds):
  """What a finished run leaves, as far as a grid looks."""
  folder = directory / run.name
  folder.mkdir()
  (folder / "config.json").write_text(json.dumps({"schema": 2, **run.config.to_dict()}))
  (folder / "metrics.json").write_text(json.dumps({"schema": 1, "seconds": {"total": seconds}}))
  launching.list_metrics_only(folder)
  for name in ("environment.json", "split.npz", "predictions.npz", "report.html"):
    (folder / name).touch()


@pytest.fixture
def done_by(monkeypatch):
  """Stands in for `experiment.run`: the names of the runs it was asked for; a run named "bad" fails."""
  names = []

  def run(config, directory, command):
    assert command == ["launch.py", "--x"]
    names.append(directory.name)
    if directory.name.startswith("bad"):
      raise RequestError("the loss is nan")

  monkeypatch.setattr("mtl_hsi.reproduction.grid.run_experiment", run)
  return names


@pytest.mark.parametrize(("text", "shard"), [("1/1", (1, 1)), ("2/8", (2, 8)), ("08/8", (8, 8))])
def test_a_shard_is_read(text, shard):
  assert grid.parse_shard(text) == shard


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2"])
def test_other_shards_are_refused(text):
  with pytest.raises(RequestError, match=f"--shard is '{text}'; expected i/n"):
    grid.parse_shard(text)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_disjoint_complete_in_order_and_balanced(count):
  runs = [a_run(f"run{index}") for index in range(20)]
  flop = {run.name: float(1 + index % 5) for index, run in enumerate(runs)}
  shards = [grid.share(runs, flop, Shard(index, count)) for index in range(1, count + 1)]
  assert sorted(run.name for run in itertools.chain(*shards)) == sorted(run.name for run in runs)
  for own in shards:
    assert own == [run for run in runs if run in own]
  loads = [sum(flop[run.name] for run in own) for own in shards]
  assert max(loads) - min(loads) <= 5


def test_shards_do_not_depend_on_the_order_of_the_runs():
  runs = [a_run(f"run{index}") for index in range(9)]
  flop = {run.name: 1.0 for run in runs}
  names = [{run.name for run in grid.share(own, flop, Shard(2, 4))} for own in (runs, runs[::-1])]
  assert names[0] == names[1]


def test_more_shards_than_runs_leave_some_empty():
  shards = [grid.share([a_run("only")], {"only": 1.0}, Shard(index, 3)) for index in (1, 2, 3)]
  assert [len(own) for own in shards] == [1, 0, 0]


def test_finished_runs_are_passed_over(tmp_path, done_by, capsys):
  runs = [a_run("first"), a_run("second"), a_run("third")]
  finish(runs[1], tmp_path, 1.0)
  assert [grid.is_done(run, tmp_path) for run in runs] == [False, True, False]
  grid.work(runs, tmp_path, ["launch.py", "--x"])
  assert done_by == ["first", "third"]
  assert "[1/3] first" in capsys.readouterr().out


def test_a_run_that_fails_does_not_stop_the_others(tmp_path, done_by, capsys):
  with pytest.raises(RequestError, match=r"2 of 4 runs are not done; the first is bad-one: the loss is nan"):
    grid.work([a_run(name) for name in ("bad-one", "b", "bad-two", "d")], tmp_path, ["launch.py", "--x"])
  assert done_by == ["bad-one", "b", "bad-two", "d"]
  assert capsys.readouterr().out.count("not done: the loss is nan") == 2


def test_a_run_of_another_config_is_refused(tmp_path, done_by):
  finish(a_run("here", seed=1), tmp_path, 1.0)
  with pytest.raises(RequestError, match=r"here holds a run of another config \(seed: 1 -> 0\)"):
    grid.work([a_run("here")], tmp_path, ["launch.py", "--x"])
  assert not done_by


def test_a_time_that_was_damaged_is_not_believed(tmp_path):
  run = a_run("a")
  finish(run, tmp_path, 1.0)
  workdir.finish(tmp_path / "a", {"seconds": {"total": 2.0}})
  assert grid.seconds(run, tmp_path) == 2.0
  (tmp_path / "a" / "metrics.json").write_text(json.dumps({"schema": 1, "seconds": {"total": 9.0}}))
  with pytest.raises(RequestError, match=r"a/metrics\.json is damaged"):
    grid.seconds(run, tmp_path)


@pytest.mark.parametrize(
  "text",
  [
    *("", "[]", "{}", '{"schema": 1, "seconds": 3}', '{"schema": 1, "seconds": {"total": null}}'),
    pytest.param("[" * 100_000, id="nested"),
  ],
)
def test_a_time_that_no_run_writes_is_refused(tmp_path, text):
  run = a_run("a")
  finish(run, tmp_path, 1.0)
  (tmp_path / "a" / "metrics.json").write_text(text)
  launching.list_metrics_only(tmp_path / "a")
  message = r"a/metrics\.json (is not what a run writes|does not contain|was written by another)"
  with pytest.raises(RequestError, match=message):
    grid.seconds(run, tmp_path)


def test_time_is_expected_from_finished_runs_of_the_same_model(tmp_path):
  done = [a_run("a"), a_run("b"), a_run("c", model="svm")]
  for run, seconds in zip(done, (1.0, 3.0, 50.0)):
    finish(run, tmp_path, seconds)
  flop = {"a": 10.0, "b": 30.0, "c": 5.0, "d": 100.0, "e": 1.0, "f": 8.0}
  # 10 and 0.1 operations a second, and 2 where nothing is known; 15 s for every start.
  runs = [a_run("d"), a_run("e", model="svm"), a_run("f", model="ccnn")]
  expected = 3 * 15 + 100 / 10 + 1 / 0.1 + 8 / 2
  found = grid.expected_seconds(runs, done, tmp_path, flop=flop, speed=lambda: 2.0)
  assert found == pytest.approx(expected)

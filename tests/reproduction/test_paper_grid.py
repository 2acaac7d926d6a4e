"""The letter's tables as a grid: plans, rejected requests, shards, killed processes, and the comparison."""

import csv
import functools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from configs import paper as paper_config
from configs import rehearsal
from mtl_hsi.errors import RequestError
from mtl_hsi.reproduction import figure2, paper_grid, table5
from tests import launching
from tests.launching import ROOT

PAPER = f"--config={ROOT / 'configs' / 'paper.py'}"

# The rehearsal of one table, smaller still.
CONFIG = """
from configs import rehearsal

def get_config(what):
  config = rehearsal.get_config(what)
  for scene in config.simulate.values():
    scene.height = scene.width = 48
    scene.classes = scene.classes[-2:]
  config.phases.phase1.epochs = config.phases.phase2.epochs = 1
  config.snapshots = (0, 1)
  return config
"""


@functools.cache
def make_plan(file, what):
  """Plans once for all tests: a plan traces every network and costs seconds."""
  return paper_grid.make_plan(file.get_config(what))


@pytest.fixture(scope="module")
def plan():
  return make_plan(paper_config, "table3")


def test_a_plan_has_every_cell_and_the_config_of_every_run(plan):
  assert (len(plan.cells), len(plan.runs)) == (288, 246)
  assert len(plan.chosen) == len(plan.needed) == len(plan.flop) == 72
  config = plan.runs["hresnet-in+sa-160-inverse_sa-n10"].config
  assert (config.scenes, config.target) == (("indian_pines", "salinas"), "indian_pines")
  assert (config.bands, config.reversed, config.spectral_knowledge) == (160, ("salinas",), True)
  assert (config.model.name, config.samples_per_class, config.replicas) == ("hresnet", 10, 10)
  assert plan.scenes["hresnet-in+sa-160-inverse_sa-n10"] == ("indian_pines", "salinas")
  flop = plan.flop
  assert (
    flop["hresnet-in+sa-160-n10"] > 1.5 * flop["hresnet-in-160-n10"] > 1.5 * flop["hresnet-in-160-n5"] > 0
  )


def test_a_run_has_the_keys_and_defaults_of_a_single_experiment(plan):
  from configs import mtl

  single = mtl.get_config("in_sa")
  single.samples_per_class = 30
  assert plan.runs["hresnet-in+sa-160-n30"].config.to_dict() == single.to_dict()


@pytest.mark.parametrize(
  ("what", "cells", "runs"), [("table5", 6, 6), ("figure2", 6, 6), ("tables", 288, 246)]
)
def test_what_each_choice_needs(what, cells, runs):
  plan = make_plan(paper_config, what)
  assert (len(plan.chosen), len(plan.needed)) == (cells, runs)


def test_table_5_and_figure_2_choose_what_they_show():
  chosen = {what: make_plan(paper_config, what).chosen for what in ("table5", "figure2")}
  assert set(chosen["table5"]) == set(table5.cells())
  assert {cell.column for cell in chosen["figure2"]} == set(figure2.COLUMNS)


def test_a_run_is_the_same_in_every_grid_that_has_its_scenes(plan):
  config = paper_config.get_config("table3")
  config.stand_ins.salinas = "small_salinas"
  config.simulate.small_salinas = rehearsal.get_config("table3").simulate.simulated_salinas
  with_stand_in = paper_grid.make_plan(config)
  name = "hresnet-in-160-n5"
  assert with_stand_in.runs[name].config.to_json() == plan.runs[name].config.to_json()
  assert with_stand_in.runs["hresnet-in+sa-160-n5"].config.scenes == ("indian_pines", "small_salinas")
  assert with_stand_in.scenes["hresnet-in+sa-160-n5"] == ("indian_pines",)


def test_only_public_scenes_have_stand_ins():
  config = paper_config.get_config("table1")
  config.stand_ins.town = "village"
  with pytest.raises(RequestError, match=r"stand_ins has 'town'; only indian_pines, .* can have stand-ins"):
    paper_grid.make_plan(config)


@pytest.mark.parametrize("what", ["", "table6", "in"])
def test_other_tables_are_refused(what):
  with pytest.raises(
    RequestError, match=f"has no {what!r}; expected one of table1, .*, table5, figure2, tables"
  ):
    paper_config.get_config(what)


@pytest.mark.parametrize("table", ["table1", "table2", "table3", "table4"])
def test_the_rehearsal_has_all_columns_without_a_file(table):
  plan = make_plan(rehearsal, table)
  assert len(plan.chosen) == 12
  assert {cell.samples_per_class for cell in plan.chosen} == {5}
  assert set(plan.scenes.values()) == {()}


@pytest.mark.parametrize("what", ["table5", "figure2"])
def test_the_rehearsal_of_times_and_maps_fills_the_cells_that_they_show(what):
  rehearsed, whole = (make_plan(file, what) for file in (rehearsal, paper_config))
  assert rehearsed.chosen == whole.chosen


def launch(tmp_path, *arguments):
  return launching.launch(
    *arguments, f"--workdir={tmp_path / 'grid'}", f"--config.data_dir={tmp_path / 'data'}"
  )


def test_a_dry_run_lists_the_runs_and_writes_nothing(tmp_path):
  outcome = launch(tmp_path, f"{PAPER}:table1", "--config.dry_run=True")
  assert outcome.status == 0, outcome.err
  first, *runs = outcome.out.splitlines()
  assert first.startswith("72 cells, filled by 72 runs; 0 done, 72 to do in about ")
  assert len(runs) == 72
  assert [line.split() for line in runs[:12]] == [
    ["to", "do", f"{training}-n5", "Table", "I", column]
    for training, column in (
      ("svm-pu-103", "svm"),
      ("hresnet-pu-103", "hresnet/single"),
      ("hresnet-pu+pc-103", "hresnet/with/PC"),
      ("hresnet-sa+pu-103", "hresnet/with/SA"),
      ("hresnet-in+pu-103", "hresnet/with/IN"),
      ("hresnet-in+sa+pu+pc-103", "hresnet/with/ALL"),
      ("hresnet-pu+pc-103-without", "hresnet/without/PC"),
      ("hresnet-sa+pu-103-without", "hresnet/without/SA"),
      ("hresnet-in+pu-103-without", "hresnet/without/IN"),
      ("hresnet-pu+pc-103-inverse_pc", "hresnet/without/INVERSE-PC"),
      ("ccnn-pu-103", "ccnn/single"),
      ("ccnn-pu+pc-103", "ccnn/with/PC"),
    )
  ]
  assert not (tmp_path / "grid").exists()


def test_missing_scenes_are_named_at_once(tmp_path):
  outcome = launch(tmp_path, f"{PAPER}:table3", "--config.samples_per_class=5")
  assert outcome.status == 2
  (error,) = outcome.err.splitlines()
  assert (
    "missing scene files: Salinas_corrected.mat, Salinas_gt.mat, Pavia.mat, Pavia_gt.mat, PaviaU.mat, "
    "PaviaU_gt.mat; download them from " in error
  )
  assert f" into {tmp_path / 'data'}, or add --config.download=True" in error
  assert "3 of 12 runs do not need these files" in error
  assert not (tmp_path / "grid").exists()


@pytest.mark.parametrize(
  ("argument", "message"),
  [
    (
      "--config.cells=resnet/*",
      "config key cells: no column matches 'resnet/*'; the columns are svm, hresnet/",
    ),
    ("--config.samples_per_class=7", "config key samples_per_class: the tables have no row 7"),
    ("--shard=3/2", "--shard is '3/2'; expected i/n"),
    ("--config.model.name=svm", "unknown config key 'model.name'"),
    ("--config.scenes=salinas", "unknown config key 'scenes'"),
    ("--config.replicas=0", "config key replicas is 0; expected 1 or more"),
  ],
)
def test_impossible_grids(tmp_path, argument, message):
  outcome = launch(tmp_path, f"{PAPER}:table3", argument)
  assert outcome.status == 2
  assert message in outcome.err
  assert outcome.err.count("\n") == 1


def start(config, directory, *arguments):
  """Starts a grid in another process."""
  command = [
    sys.executable,
    str(ROOT / "launch.py"),
    f"--config={config}",
    f"--workdir={directory}",
    *arguments,
  ]
  return subprocess.Popen(
    command,
    **{"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True},
    env=launching.quickly_compiled(),
    start_new_session=True,
  )


def finished_runs(directory):
  return {path.parent.name for path in directory.glob("*/metrics.json")}


def kill_after(process, directory, runs):
  """Kills a grid one second after it has finished `runs` runs."""
  deadline = time.monotonic() + 300
  while len(finished_runs(directory)) < runs:
    assert process.poll() is None, process.communicate()[0]
    assert time.monotonic() < deadline, "the grid did not get on"
    time.sleep(0.1)
  time.sleep(1)
  os.killpg(process.pid, signal.SIGKILL)
  process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_grid_of_all_columns_killed_twice_and_cut_into_two_shards(tmp_path):
  config = tmp_path / "small.py"
  config.write_text(CONFIG)
  table, directory = f"{config}:table1", tmp_path / "grid"
  for runs in (2, 5):
    kill_after(start(table, directory), directory, runs)
  before = launching.contents(directory)
  done = finished_runs(directory)
  assert 5 <= len(done) < 12
  shards = [start(table, directory, f"--shard={index}/2") for index in (1, 2)]
  outputs = [shard.communicate()[0] for shard in shards]
  assert [shard.returncode for shard in shards] == [0, 0], outputs
  assert len(finished_runs(directory)) == 12
  assert {
    name: state
    for name, state in launching.contents(directory).items()
    if name in before and name.split("/")[0] in done
  } == {name: state for name, state in before.items() if name.split("/")[0] in done}, (
    "a finished run was touched"
  )

  again = start(table, directory)
  output = again.communicate()[0]
  assert again.returncode == 0, output
  assert "12 cells, filled by 12 runs; 12 done, nothing left to do." in output
  with (directory / "table1.csv").open() as lines:
    rows = list(csv.DictReader(lines))
  assert [row["column"] for row in rows[:2]] == ["svm", "hresnet/single"]
  assert {row["replicas"] for row in rows} == {"1"}
  assert len(rows) == 12
  for row, name in ((rows[0], "svm-pu-103-n5"), (rows[1], "hresnet-pu-103-n5")):
    predictions = np.load(directory / name / "predictions.npz")["simulated_pavia_university"]
    assert predictions.shape == (1, 48, 48)
    assert 0 < float(row["oa_mean"]) <= 100
  with (directory / "table2.csv").open() as lines:
    shared = [row["column"] for row in csv.DictReader(lines)]
  assert shared == ["hresnet/with/PU", "hresnet/with/ALL", "hresnet/without/PU"]
  report = (directory / "report.html").read_text()
  assert "simulated_pavia_university" in report
  assert "62.80" not in report, "the letter's figure stands beside a stand-in's"

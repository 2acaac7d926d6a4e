"""What a grid writes of its finished runs, from work directories made by hand."""

import csv
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from configs import paper as paper_config
from configs import rehearsal
from mtl_hsi.errors import RequestError
from mtl_hsi.paper.cells import Cell
from mtl_hsi.report import colours
from mtl_hsi.reproduction import comparison, paper_grid
from mtl_hsi.runs import workdir
from mtl_hsi.settings import experiment_settings
from tests import launching

PU, PC = SCENES = ("simulated_pavia_university", "simulated_pavia_centre")
ALONE = {PU: "hresnet-pu-103-n10", PC: "hresnet-pc-103-n10"}
TOGETHER = "hresnet-pu+pc-103-n10"
ENVIRONMENT = {"cpu": "AMD EPYC", "backend": "cpu", "devices": ["cpu"], "processes": 1, "starts": ["then"]}


@pytest.fixture(scope="module")
def plan():
  config = rehearsal.get_config("figure2")
  config.replicas = 2
  return paper_grid.make_plan(config)


@pytest.fixture(scope="module")
def truth(plan):
  """Class ids `[H, W]` by scene."""
  loaders = experiment_settings.read(plan.runs[TOGETHER].config).scenes.loaders
  return {name: loaders[name]().labels for name in SCENES}


@pytest.fixture(scope="module")
def grid(plan, truth, tmp_path_factory):
  """A grid of which three runs have finished."""
  directory = tmp_path_factory.mktemp("grid")
  for scene, train in ((PU, 30.0), (PC, 50.0)):
    finish(plan, ALONE[scene], directory, {scene: truth[scene]}, (slice(5), slice(3)), (train, 2.0))
  finish(plan, TOGETHER, directory, truth, (slice(5, 6), slice(0)), (40.0, 8.0))
  return directory


@pytest.fixture(scope="module")
def written(plan, grid):
  results = comparison.Results(plan.cells, plan.runs, plan.stand_ins, grid)
  return comparison.write(results, grid)


def finish(plan, name, directory, truth, wrong, seconds):
  """A finished run of two replicas.

  Args:
    truth: of its scenes.
    wrong: which of a replica's 20 test pixels it gets wrong.
    seconds: of training and classification without their compilation.
  """
  train, classify = seconds
  compiling = {"compile_train": 5.0, "compile_classify": 7.0}
  metrics = {"scenes": {}, "seconds": {"train": train + 5.0, "classify": classify + 7.0, **compiling}}
  splits, predictions = {}, {}
  for scene, labels in truth.items():
    tests = np.argwhere(labels > 0)[:40].reshape(2, 20, 2)
    predictions[scene] = np.stack([labels, labels])
    for predicted, pixels, which in zip(predictions[scene], tests, wrong):
      rows, columns = pixels[which].T
      predicted[rows, columns] = labels[rows, columns] % 4 + 1
    # As where another replica has a pixel more.
    splits[f"{scene}/test"] = np.pad(tests, ((0, 0), (0, 1), (0, 0)), constant_values=-1)
    accuracies = [1 - len(range(20)[which]) / 20 for which in wrong]
    metrics["scenes"][scene] = {"overall_accuracy": {"replicas": accuracies}}
  with workdir.open_workdir(directory / name, plan.runs[name].config.to_dict()) as path:
    np.savez(path / "split.npz", **splits)
    np.savez(path / "predictions.npz", **predictions)
    (path / "report.html").touch()
    workdir.write_json(path / "environment.json", ENVIRONMENT)
    workdir.finish(path, metrics)


def test_nothing_is_written_where_nothing_has_finished(plan, tmp_path):
  results = comparison.Results(plan.cells, plan.runs, plan.stand_ins, tmp_path)
  assert comparison.write(results, tmp_path) == {}
  assert not list(tmp_path.iterdir())


def test_whatever_a_finished_run_serves_is_written(written, grid):
  files = ("table1.md", "table2.md", "report.html", "table5.md", "figure2.png")
  names = ("Table I", "Table II", "Report", "Table V", "Figure 2")
  assert written == {name: grid / file for name, file in zip(names, files)}
  beside = {"table1.csv", "table2.csv", "table1_details.csv", "table2_details.csv"}
  assert {path.name for path in grid.iterdir() if path.is_file()} == {*files, *beside}


def test_a_run_that_another_shard_finishes_meanwhile_is_compared_too(plan, truth, tmp_path, monkeypatch):
  write, first = comparison.write, iter([True])

  def write_slowly(results, directory):
    paths = write(results, directory)
    if next(first, False):
      finish(plan, ALONE[PU], tmp_path, {PU: truth[PU]}, (slice(5), slice(3)), (30.0, 2.0))
    return paths

  monkeypatch.setattr(comparison, "write", write_slowly)
  finish(plan, ALONE[PC], tmp_path, {PC: truth[PC]}, (slice(5), slice(3)), (50.0, 2.0))
  assert "Table I" in paper_grid.compare(plan, tmp_path)


@pytest.mark.parametrize(("table", "partner"), [("table1", "PC"), ("table2", "PU")])
def test_gain_and_pooled_pixels_of_two_scenes_in_one_run(written, grid, table, partner):
  with (grid / f"{table}_details.csv").open() as lines:
    single, both = [row for row in csv.DictReader(lines) if row["oa_mean"]]
  assert (single["column"], single["oa_mean"], single["gain"]) == ("hresnet/single", "80.00", "")
  assert (both["column"], both["oa_mean"]) == (f"hresnet/with/{partner}", "97.50")
  # 95 less 75 and 100 less 85; 5 and 3 pixels against 1, so twice the chance of 0 or 1 of 9 at one half.
  assert (both["gain"], both["up"]) == ("17.50", "2")
  assert (both["only_this"], both["only_single"], both["mcnemar_p"]) == ("8", "1", f"{2 * 10 / 2**9:.4g}")


def test_times_of_both_pairs(written, grid):
  lines = [line for line in (grid / "table5.md").read_text().splitlines() if line.startswith("| simulated")]
  assert [line.split(" | ", 1)[1] for line in lines] == [
    "training | 80.0 | 40.0 | 2.00 |",
    "classification | 4.0 | 8.0 | 0.50 |",
    "training | not run | not run |  |",
    "classification | not run | not run |  |",
  ]


def test_the_figure_has_a_map_of_every_finished_run(written, grid, truth):
  with Image.open(grid / "figure2.png") as picture:
    pixels = np.array(picture)
  # Two maps of the first replica, eight times magnified; they differ from the truth in few pixels.
  trees = int((truth[PU] == 4).sum())
  shown = (pixels == colours.class_colour(3)).all(axis=-1).sum() / 8**2
  assert abs(shown - 2 * trees) < 15


@pytest.mark.parametrize("name", ["metrics.json", "split.npz", "predictions.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\3\4"])
def test_a_file_that_no_run_writes_is_named(plan, grid, tmp_path, name, content):
  for run in (ALONE[PU], TOGETHER):
    shutil.copytree(grid / run, tmp_path / run)
  file = tmp_path / TOGETHER / name
  file.write_bytes(content)
  launching.list_metrics_only(file.parent)
  results = comparison.Results(plan.cells, plan.runs, plan.stand_ins, tmp_path)
  message = f"{re.escape(str(file))} (is not what a run writes|was written by another version)"
  with pytest.raises(RequestError, match=message):
    results.compare()


def test_only_maps_of_the_papers_own_scenes_and_network_are_comparable(truth, tmp_path):
  paper, pooled, rehearsed = (file.get_config("figure2") for file in (paper_config, paper_config, rehearsal))
  pooled.model.pool = True
  rehearsed.phases, rehearsed.replicas = paper.phases, paper.replicas
  cell = Cell("I", "PU", "hresnet/single", 10)
  for config, scene, comparable in (
    (paper, "pavia_university", True),
    (pooled, "pavia_university", False),
    (rehearsed, PU, False),
  ):
    plan, directory = paper_grid.make_plan(config), tmp_path / f"{scene}-{config.model.pool}"
    finish(plan, ALONE[PU], directory, {scene: truth[PU]}, (slice(5), slice(3)), (30.0, 2.0))
    panel = comparison.Results(plan.cells, plan.runs, plan.stand_ins, directory).first_map(cell)
    assert (panel.accuracy, panel.comparable) == (75.0, comparable)

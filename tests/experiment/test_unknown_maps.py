"""Pixels unlike every class in the maps of a run."""

import json
import shutil

import numpy as np
import pytest
import rasterio

from mtl_hsi.experiment import unknown_maps
from mtl_hsi.settings.unknown_settings import UnknownSettings
from mtl_hsi.storage import checksums
from tests import launching
from tests.prediction.predicting import predict, read_band

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
LABELS = {"fields": launching.FIELDS, "town": launching.TOWN}
RATE = 0.3


@pytest.fixture(scope="module")
def run(finished_by_folds, inputs, tmp_path_factory):
  """A run by folds that marks unknown pixels, classified again from its networks."""
  path = tmp_path_factory.mktemp("unknown") / "run"
  shutil.copytree(finished_by_folds, path)
  (path / "metrics.json").unlink()
  outcome = launching.launch(
    *launching.arguments(inputs, path, "folds.py", unknown="mark", unknown_rate=RATE)
  )
  assert outcome.status == 0, outcome.err
  for name in LABELS:
    assert f"{name}: Unlike every class: " in outcome.out
  return path


def results(run, name):
  return json.loads((run / "metrics.json").read_text())["scenes"][name]


@pytest.mark.parametrize("name", LABELS)
def test_marked_pixels_are_a_class_of_map_and_areas(run, finished_by_folds, name):
  with np.load(run / "predictions.npz") as archive:
    predicted = archive[name][0]
  with rasterio.open(run / "maps" / name / "prediction.tif") as raster:
    ids, table, tags = raster.read(1), raster.colormap(1), raster.tags(1)
  unknown = read_band(run / "maps" / name / "unknown.tif", 2) <= RATE
  entry, largest = results(run, name), max(LABELS[name].ravel())
  assert 0 < unknown.sum() < unknown.size
  np.testing.assert_array_equal(ids, np.where(unknown, largest + 1, predicted))
  assert table[largest + 1] == (120, 120, 120, 255)
  assert tags[f"CLASS_{largest + 1}"] == "unknown"
  assert entry["unknown"]["id"] == largest + 1
  assert entry["unknown"]["map_pixels"] == unknown.sum()
  assert sum(row["map_pixels"]["mean"] for row in entry["per_class"]) + unknown.sum() == unknown.size
  # Accuracies and networks stay as they are.
  assert entry["overall_accuracy"] == results(finished_by_folds, name)["overall_accuracy"]
  assert (run / "predictions.npz").read_bytes() == (finished_by_folds / "predictions.npz").read_bytes()


def test_the_report_has_the_class(run):
  page = " ".join((run / "report.html").read_text().split())
  assert page.count("unknown</th>") == len(LABELS)
  # They have no labels.
  for labels in LABELS.values():
    known = labels[labels > 0]
    assert f"{len(np.unique(known))} classes, {len(known)} labelled pixels." in page
  assert "Unknown: pixels that are farther from all training pixels than 70% of" in page
  checksums.verify(run)
  assert "  maps/town/unknown.tif\n" in (run / checksums.NAME).read_text()


@pytest.mark.parametrize("name", LABELS)
def test_scores_are_those_of_the_same_image_predicted(run, name, tmp_path):
  np.save(tmp_path / "image.npy", launching.cube(LABELS[name], {"fields": 1, "town": 2}[name]))
  outcome = predict(
    run, tmp_path / "image.npy", scene=name, output=tmp_path / "map", unknown="mark", unknown_rate=RATE
  )
  assert outcome.status == 0, outcome.err
  for band in (1, 2):
    ours, theirs = (
      read_band(path, band) for path in (run / "maps" / name / "unknown.tif", tmp_path / "map_unknown.tif")
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
  map_of_run = read_band(run / "maps" / name / "prediction.tif")
  assert (map_of_run == read_band(tmp_path / "map_classes.tif")).mean() > 0.99


def test_a_complete_run_says_how_to_tell_others(finished_by_folds, run):
  for path, action, rate, words in (
    (finished_by_folds, "mark", 0.05, "with unknown=none, not unknown=mark and unknown_rate=0.05; to change"),
    (run, "mark", 0.05, "with unknown=mark and unknown_rate=0.3, not unknown=mark and unknown_rate=0.05;"),
    (run, "score", RATE, "not unknown=score and unknown_rate=0.3; to change that, delete its metrics.json"),
    (run, "none", RATE, "with unknown=mark and unknown_rate=0.3, not unknown=none; to change"),
  ):
    (note,) = unknown_maps.missing(UnknownSettings(action, rate), path)
    assert words in note
  assert not list(unknown_maps.missing(UnknownSettings("mark", RATE), run))
  assert not list(unknown_maps.missing(UnknownSettings("none", 0.05), finished_by_folds))


@pytest.mark.parametrize(
  ("config", "changes", "problem"),
  [
    ("tiny.py", {"unknown": "mark"}, "config key unknown is 'mark', which needs folds and MNF components"),
    (
      "folds.py",
      {"unknown": "mark", "unknown_rate": 0.001},
      "left-out labels of 'fields' are known; ",
    ),
    (
      "folds.py",
      {"unknown": "both"},
      "config key unknown is 'both'; expected one of 'none', 'score', ",
    ),
    ("folds.py", {"unknown": "score", "mnf_components": 0}, "which needs folds and MNF components"),
  ],
)
def test_bad_requests_are_refused_before_work(inputs, tmp_path, config, changes, problem):
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run", config, **changes))
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert problem in outcome.err
  assert not (tmp_path / "run").exists()

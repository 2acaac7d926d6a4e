"""Finished runs compared by the command: pages and tables, and what is refused."""

import csv
import json
import re

import numpy as np
import pytest

from mtl_hsi.comparison import finished_run
from mtl_hsi.comparison.config_table import ABSENT, differing
from mtl_hsi.comparison.pairs import pair
from mtl_hsi.evaluation import significance
from tests import launching


def read_csv(path):
  with path.open(newline="", encoding="utf-8") as file:
    return list(csv.DictReader(file))


def worse_by(points):
  """Changes metrics.json: every replica of `fields` is worse, replica r by r + 1 times the points."""

  def change(metrics):
    measured = metrics["scenes"]["fields"]["overall_accuracy"]
    measured["replicas"] = [
      value - (number + 1) * points / 100 for number, value in enumerate(measured["replicas"])
    ]

  return change


def test_runs_with_the_same_test_pixels_are_paired_by_replica(finished, changed_copy, tmp_path):
  other = changed_copy(
    finished,
    "other",
    {"metrics.json": worse_by(2), "config.json": lambda config: config["model"].update(blocks=3)},
  )
  output = tmp_path / "out"
  outcome = launching.mtl_hsi("compare", str(finished), str(other), "-o", str(output), "--json")
  assert outcome.status == 0, outcome.err
  content = json.loads(outcome.out)
  assert content["files"] == [
    str(output / name) for name in ("comparison.html", "accuracies.csv", "configs.csv")
  ]
  found = content["comparison"]["fields"][1]["pair"]
  expected = significance.paired([-2, -4], [0, 0])
  assert found["difference"] == pytest.approx(-3)
  assert found["interval"] == pytest.approx(expected.interval)
  assert found["p"] == pytest.approx(expected.p)
  rows = read_csv(output / "accuracies.csv")
  assert [(row["scene"], row["note"]) for row in rows[:2]] == [
    ("fields", "reference"),
    ("fields", "Wilcoxon over 2 replicas"),
  ]
  (row,) = read_csv(output / "configs.csv")
  assert list(row.values()) == ["model.blocks", "1", "3"]
  page = (output / "comparison.html").read_text("utf-8")
  assert page.count("data:image/png") == 6
  assert "same class as" in page
  assert not re.search(r'(src|href)="(?!data:|file:|#)', page), "the page needs other files"


def test_left_out_labels_are_paired_by_pixel_and_unit(finished_by_folds, changed_copy):
  wrong = {}

  def change(arrays):
    predicted, classes = arrays["fields/predicted"][0], arrays["fields/class"][0]
    wrong["rows"] = np.flatnonzero((predicted == classes) & (arrays["fields/unit"][0] == 0))
    predicted[wrong["rows"]] = next(c for c in np.unique(classes) if c not in classes[wrong["rows"]])

  other = changed_copy(finished_by_folds, "other", array_changes={"left_out.npz": change})
  runs = [finished_run.read(directory) for directory in (finished_by_folds, other)]
  found = pair(runs[1], runs[0], "fields")
  labels = runs[0].left_out("fields")
  lost = len(wrong["rows"])
  assert found.difference == pytest.approx(-100 * lost / len(labels.classes))
  assert found.p == pytest.approx(significance.mcnemar(0, lost))
  assert found.interval[0] < found.difference < found.interval[1] <= 0
  assert "units" in found.note


def test_a_single_map_is_paired_by_its_test_pixels(finished, changed_copy):
  """Both runs keep one replica; the other one gets five test pixels wrong."""
  five = {}

  def one_replica(metrics):
    for scene in metrics["scenes"].values():
      replicas = scene["overall_accuracy"]["replicas"]
      scene["overall_accuracy"]["replicas"] = replicas[:1]

  def first_rows(arrays):
    for key in arrays:
      arrays[key] = arrays[key][:1]

  def wrong(arrays):
    first_rows(arrays)
    rows, columns = five["pixels"].T
    arrays["town"][0, rows, columns] = 9 - arrays["town"][0, rows, columns]

  arrays = {"split.npz": first_rows, "predictions.npz": first_rows}
  one = finished_run.read(changed_copy(finished, "one", {"metrics.json": one_replica}, arrays))
  tests = one.test_pixels("town")[0]
  right = one.predictions("town")[0][tuple(tests.T)] == launching.TOWN[tuple(tests.T)]
  five["pixels"] = tests[right][:5]

  def five_wrong(metrics):
    one_replica(metrics)
    metrics["scenes"]["town"]["overall_accuracy"]["replicas"][0] -= 5 / len(tests)

  arrays["predictions.npz"] = wrong
  other = finished_run.read(changed_copy(finished, "other", {"metrics.json": five_wrong}, arrays))
  found = pair(other, one, "town")
  assert found.difference == pytest.approx(-500 / len(tests))
  assert found.p == pytest.approx(significance.mcnemar(0, 5))
  assert found.interval == pytest.approx(significance.pixel_difference(0, 5, len(tests)))
  assert pair(one, finished_run.read(finished), "town").note == "not paired: other test pixels"


def test_what_cannot_be_paired_says_why(finished, finished_by_folds, changed_copy):
  runs = [finished_run.read(directory) for directory in (finished, finished_by_folds)]
  notes = [pair(runs[1], runs[0], scene).note for scene in ("fields", "village")]
  assert notes == [
    "not paired: measured on left-out labels, the reference on test pixels",
    f"not paired: {finished_by_folds.name} does not have this scene",
  ]

  def moved(arrays):
    arrays["town/test"][0, 0] += 1

  other = finished_run.read(changed_copy(finished, "other", array_changes={"split.npz": moved}))
  assert pair(other, runs[0], "town").note == "not paired: other test pixels"

  def relabelled(arrays):
    arrays["fields/class"][:] = 4

  other = finished_run.read(
    changed_copy(finished_by_folds, "folds", array_changes={"left_out.npz": relabelled})
  )
  assert pair(other, runs[1], "fields").note == "not paired: other labels were left out"


def test_unknown_pixels_of_a_map_have_their_name(finished, changed_copy):
  def mark(metrics):
    metrics["scenes"]["fields"]["unknown"] = {"id": 10}
    metrics["scenes"]["town"]["unknown"] = {"id": None}

  marked = finished_run.read(changed_copy(finished, "marked", {"metrics.json": mark}))
  for scene, more in {"fields": {10: "unknown"}, "town": {}}.items():
    assert marked.class_names(scene) == finished_run.read(finished).class_names(scene) | more


def test_names_tell_runs_apart_and_are_escaped(finished, changed_copy, tmp_path):
  evil = changed_copy(finished, "<b>=1")
  launching.mtl_hsi("compare", str(evil), str(finished), "-o", str(tmp_path / "out"))
  page = (tmp_path / "out" / "comparison.html").read_text("utf-8")
  assert "<b>=1" not in page
  assert "&lt;b&gt;=1" in page


def test_folders_that_are_no_finished_runs_are_refused_in_a_line(finished, changed_copy, tmp_path):
  unfinished = changed_copy(finished, "unfinished")
  (unfinished / "metrics.json").unlink()
  (tmp_path / "empty").mkdir()
  changed_copy(finished, "strange", {"metrics.json": lambda metrics: metrics["scenes"]["town"].pop("kappa")})
  damaged = changed_copy(finished, "damaged")
  (damaged / "predictions.npz").write_bytes(b"x")
  output = tmp_path / "out"
  for name, message in {
    "unfinished": "is not finished",
    "empty": "is not the work directory of a run",
    "damaged": "is damaged",
    "strange": "is not what a run writes",
    "missing": "expected the work directory of a finished run",
  }.items():
    outcome = launching.mtl_hsi("compare", str(finished), str(tmp_path / name), "-o", str(output))
    assert (outcome.status, outcome.err.count("\n")) == (2, 1), outcome.err
    assert message in outcome.err
  for words, message in {
    (
      "compare",
      str(finished),
      "-o",
      str(output),
    ): f"RUN is {finished}; expected the work directories of two or",
    ("compare", str(finished), str(finished), "-o", str(output)): "two or more different finished runs",
    ("compare", str(finished), str(tmp_path)): "name one with --output",
    ("compare", str(finished), str(tmp_path), "-o", str(finished)): "choose another --output",
  }.items():
    outcome = launching.mtl_hsi(*words)
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err
  assert not output.exists()


def test_keys_that_a_config_lacks_have_a_dash():
  configs = [{"a": 1, "b": {"c": [1], "d": "x"}}, {"a": 1, "b": {"c": [2]}}]
  assert differing(configs) == {"b.c": ["[1]", "[2]"], "b.d": ["x", ABSENT]}

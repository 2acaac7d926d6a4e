"""One experiment from command line to report, on two scenes in files and a simulated one."""

import csv
import html
import json
import os
import shlex

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests import launching
from tests.scenes import formats

LABELS = {"fields": launching.FIELDS, "town": launching.TOWN}
SCENES = ["fields", "town", "village"]


def load(path):
  with np.load(path) as archive:
    return {key: archive[key] for key in archive.files}


def read(path):
  return json.loads(path.read_text())


def test_a_run_leaves_what_is_promised(finished):
  names = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
  images = ["false_colour.png", "ground_truth.png", "prediction.png", "errors.png"]
  maps = {f"maps/{scene}/{image}" for scene in SCENES for image in images}
  maps |= {f"maps/{scene}/prediction.tif{end}" for scene in SCENES for end in ("", ".aux.xml")}
  maps |= {f"maps/{scene}/confidence.tif" for scene in SCENES}
  styles = {f"{raster}.{ending}" for raster in ("prediction", "confidence") for ending in ("qml", "sld")}
  maps |= {f"maps/{scene}/{style}" for scene in SCENES for style in styles}
  files = {"config.json", "environment.json", "scenes.json", "split.npz", "metrics.json"}
  files |= {"predictions.npz", "confidence.npz", "SHA256SUMS", "history.csv"}
  files |= {f"proposals/{scene}.csv" for scene in SCENES}
  results = {name for name in names if not name.startswith(("checkpoints/", "tensorboard/"))}
  assert results == files | maps | {"report.html"}


def test_proposals_are_unlabelled_pixels_and_labels_once_they_are_filled_in(finished, inputs, tmp_path):
  with (finished / "proposals" / "fields.csv").open(newline="") as file:
    rows = list(csv.DictReader(file))
  pixels = [(int(row["row"]), int(row["column"])) for row in rows]
  assert pixels
  assert all(LABELS["fields"][pixel] == 0 for pixel in pixels)
  assert all(row["taken_for"] in {"class 1", "class 4", "class 9"} and row["class"] == "" for row in rows)
  lines = ["row,column,class", *(f"{row},{column},9" for row, column in pixels)]
  (tmp_path / "more.csv").write_text("\n".join(lines))
  scene = formats.read(inputs / "fields.npz", more_labels=tmp_path / "more.csv")
  assert [scene.labels[pixel] for pixel in pixels] == [9] * len(pixels)
  assert (scene.labels > 0).sum() == (LABELS["fields"] > 0).sum() + len(pixels)


def test_config_and_environment_tell_what_was_run(finished, inputs):
  config = read(finished / "config.json")
  assert (config["scenes"], config["target"]) == (SCENES, "fields")
  assert config["files"]["town"]["cube"] == str(inputs / "town.npz")
  assert config["phases"]["phase1"] == {"epochs": 3, "frozen": [], "learning_rate": 1.0}
  environment = read(finished / "environment.json")
  assert environment["command"][1:] == launching.arguments(inputs, finished)
  assert {"packages", "devices", "started", "version", "commit"} <= environment.keys()
  page = html.unescape((finished / "report.html").read_text("utf-8"))
  assert f"<pre>{shlex.join(['python', *environment['command']])}</pre>" in page
  assert f"Run from <code>{os.getcwd()}</code>" in page


def test_splits_are_coordinates_of_labelled_pixels(finished):
  split = load(finished / "split.npz")
  assert split.keys() == {f"{scene}/{part}" for scene in SCENES for part in ("train", "test")}
  for name, labels in LABELS.items():
    train, test = split[f"{name}/train"], split[f"{name}/test"]
    classes = np.unique(labels[labels > 0])
    assert train.dtype == test.dtype == np.int32
    assert train.shape == (2, 3 * len(classes), 2)
    assert test.shape == (2, np.count_nonzero(labels) - 3 * len(classes), 2)
    for rows, others in zip(train, test):
      assert sorted(labels[tuple(rows.T)]) == sorted(np.repeat(classes, 3))
      together = np.concatenate([rows, others])
      np.testing.assert_array_equal(np.unique(together, axis=0), np.argwhere(labels))


def test_every_pixel_has_a_class_of_its_scene(finished):
  predictions = load(finished / "predictions.npz")
  assert list(predictions) == SCENES
  for name, labels in LABELS.items():
    assert predictions[name].shape == (2, *labels.shape)
    assert predictions[name].dtype.kind in "iu"
    assert set(np.unique(predictions[name])) <= set(np.unique(labels[labels > 0]))
  assert predictions["village"].shape == (2, 29, 31)


def test_every_pixel_has_the_confidence_of_its_class(finished):
  predictions, confidence = load(finished / "predictions.npz"), load(finished / "confidence.npz")
  assert sorted(confidence) == sorted(
    f"{name}/{key}" for name in SCENES for key in ("probability", "vote_share")
  )
  for name in SCENES:
    share, probability = confidence[f"{name}/vote_share"], confidence[f"{name}/probability"]
    assert share.shape == probability.shape == predictions[name].shape
    assert (share.dtype, probability.dtype) == (np.float32, np.float16)
    # Two snapshots agree, or the smaller class wins.
    assert set(np.unique(share)) <= {0.5, 1}
    assert ((probability > 0) & (probability <= 1)).all()
  assert (finished / "report.html").read_text("utf-8").count('value="confidence"') == len(SCENES)


@pytest.mark.parametrize("name", LABELS)
def test_measures_follow_from_predictions_split_and_truth(finished, name):
  labels, metrics = LABELS[name], read(finished / "metrics.json")["scenes"][name]
  predicted, tests = load(finished / "predictions.npz")[name], load(finished / "split.npz")[f"{name}/test"]
  classes = np.unique(labels[labels > 0])
  expected = {"overall_accuracy": [], "average_accuracy": [], "kappa": []}
  confusion = np.zeros((len(classes), len(classes)), int)
  for image, rows in zip(predicted, tests):
    truth, found = labels[tuple(rows.T)], image[tuple(rows.T)]
    table = np.array([[np.sum((truth == a) & (found == b)) for b in classes] for a in classes])
    chance = np.sum(table.sum(0) * table.sum(1)) / table.sum() ** 2
    overall = np.mean(truth == found)
    expected["overall_accuracy"].append(overall)
    expected["average_accuracy"].append(np.mean([np.mean(found[truth == a] == a) for a in classes]))
    expected["kappa"].append((overall - chance) / (1 - chance))
    confusion += table
  for key, values in expected.items():
    np.testing.assert_allclose(metrics[key]["replicas"], values, rtol=1e-12)
    np.testing.assert_allclose(
      [metrics[key]["mean"], metrics[key]["std"]], [np.mean(values), np.std(values)], rtol=1e-12
    )
  assert metrics["confusion"] == confusion.tolist()
  assert [row["id"] for row in metrics["per_class"]] == classes.tolist()
  accuracy = [row["accuracy"]["mean"] for row in metrics["per_class"]]
  assert np.mean(accuracy) == pytest.approx(np.mean(expected["average_accuracy"]))


def test_something_was_learnt(finished):
  metrics = read(finished / "metrics.json")
  assert metrics["scenes"]["fields"]["overall_accuracy"]["mean"] > 0.5
  assert metrics["scenes"]["town"]["overall_accuracy"]["mean"] > 0.7


def test_leakage_is_the_share_of_test_pixels_with_a_training_pixel_in_their_patch(finished):
  metrics, split = read(finished / "metrics.json"), load(finished / "split.npz")
  assert metrics["target"] == "fields"
  for name in SCENES:
    shares = []
    for train, test in zip(split[f"{name}/train"], split[f"{name}/test"]):
      apart = np.abs(test[:, None] - train[None]).max(axis=-1)
      shares.append(np.mean((apart <= 4).any(axis=1)))
    assert metrics["leakage"][name] == pytest.approx(np.mean(shares))


def test_overlap_is_the_share_of_test_pixels_whose_patch_overlaps_a_training_patch(finished):
  metrics, split = read(finished / "metrics.json"), load(finished / "split.npz")
  for name in SCENES:
    shares = []
    for train, test in zip(split[f"{name}/train"], split[f"{name}/test"]):
      apart = np.abs(test[:, None] - train[None]).max(axis=-1)
      shares.append(np.mean((apart <= 8).any(axis=1)))
    assert metrics["patch_overlap"][name] == pytest.approx(np.mean(shares))


def test_areas_are_counted_in_the_maps(finished):
  metrics, predictions = read(finished / "metrics.json"), load(finished / "predictions.npz")
  for name in SCENES:
    for entry in metrics["scenes"][name]["per_class"]:
      counts = (predictions[name] == entry["id"]).sum(axis=(1, 2))
      assert entry["map_pixels"] == pytest.approx({"mean": counts.mean(), "std": counts.std()})
      assert entry["map_hectares"] is None


def test_seconds_are_told(finished):
  seconds = read(finished / "metrics.json")["seconds"]
  assert seconds.keys() == launching.SECONDS
  assert seconds["train"] + seconds["classify"] == pytest.approx(seconds["total"])
  assert seconds["compile_train"] + seconds["compile_classify"] == pytest.approx(seconds["compile"])
  assert 0 < seconds["compile_train"] < seconds["train"]
  assert 0 < seconds["compile_classify"] < seconds["classify"]


def test_compilations_are_counted(finished):
  assert 0 < read(finished / "metrics.json")["compilations"] < 100


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", SCENES)
def test_the_raster_is_the_first_replicas_prediction_in_colours(finished, name):
  file = finished / "maps" / name / "prediction.tif"
  with rasterio.open(file) as raster:
    np.testing.assert_array_equal(raster.read(1), load(finished / "predictions.npz")[name][0])
  with Image.open(file) as image:
    assert image.mode == "P", "the raster's colour table is not declared"


def test_simulated_scenes_are_marked_and_others_are_not(finished):
  page = (finished / "report.html").read_text("utf-8")
  assert "village (simulated)" in page
  assert "fields" in page
  assert "fields (simulated)" not in page
  assert read(finished / "scenes.json")["scenes"]["village"]["simulated"] is True


def test_checkpoints_are_two_states_and_the_snapshots(finished):
  found = {str(path.relative_to(finished / "checkpoints")) for path in (finished / "checkpoints").glob("*/*")}
  # checkpoint_seconds is 0, so the state was saved after every epoch.
  assert found == {"snapshots/4", "snapshots/6", "state/5", "state/6"}


def test_the_console_shows_scenes_progress_and_results(launched):
  workdir, outcome = launched
  metrics = read(workdir / "metrics.json")
  assert "fields: 12 rows x 10 columns, 6 bands, 3 classes; 9 training and 99 test pixels" in outcome.out
  assert f"{100 * metrics['scenes']['town']['overall_accuracy']['mean']:.2f} +- " in outcome.out
  assert f"Report: {workdir / 'report.html'}" in outcome.out
  assert "training: 100%" in outcome.err
  for line in outcome.err.replace("\r", "\n").splitlines():
    assert line.startswith(("training: ", "classifying: ")) or not line.strip(), line


@pytest.mark.slow
def test_the_letters_network_without_test_pixels_has_a_map_and_no_accuracy(inputs, tmp_path):
  command = launching.arguments(inputs, tmp_path / "run", "tiny.py:letter", samples_per_class=0)
  outcome = launching.launch(*command)
  assert outcome.status == 0, outcome.err
  assert "fields: all labels were used for training, so no accuracy can be computed" in outcome.out
  metrics = read(tmp_path / "run" / "metrics.json")
  assert metrics["scenes"]["fields"]["overall_accuracy"] == {
    **{"mean": None, "std": None, "replicas": [None], "interval": None},
  }
  assert metrics["leakage"]["fields"] is None
  assert load(tmp_path / "run" / "split.npz")["fields/test"].shape == (1, 0, 2)
  assert load(tmp_path / "run" / "predictions.npz")["fields"].shape == LABELS["fields"][None].shape
  assert "all labels were used for training, so no accuracy can be" in outcome.out

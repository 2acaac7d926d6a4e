"""A run by folds from command line to report, on two scenes in files."""

import json

import numpy as np
import pytest
import rasterio

from mtl_hsi.splits.split import PADDING, pixels_of
from mtl_hsi.storage import checksums
from tests import launching

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
LABELS = {"fields": launching.FIELDS, "town": launching.TOWN}
MEMBERS = ["network", "local", "regression"]
_SCENES = pytest.mark.parametrize("name", LABELS)


def load(path):
  with np.load(path) as archive:
    return dict(archive)


def results(run, name):
  return json.loads((run / "metrics.json").read_text())["scenes"][name]


def left_out(run, name):
  """The arrays of one scene of `left_out.npz` in its only map, by key."""
  arrays = load(run / "left_out.npz")
  found = {key.removeprefix(f"{name}/"): rows for key, rows in arrays.items() if key.startswith(f"{name}/")}
  assert {len(rows) for rows in found.values()} == {1}
  return {key: rows[0] for key, rows in found.items()}


def test_its_further_files_are_listed_with_their_checksums(finished_by_folds):
  checksums.verify(finished_by_folds)
  listed = (finished_by_folds / checksums.NAME).read_text()
  assert all(f"  {name}\n" in listed for name in ("mixtures.npz", "left_out.npz", "predictions.npz"))


@_SCENES
def test_all_networks_that_saw_all_labels_make_one_map(finished_by_folds, name):
  prediction = load(finished_by_folds / "predictions.npz")[name]
  assert prediction.shape == (1, *LABELS[name].shape)
  share = load(finished_by_folds / "confidence.npz")[f"{name}/vote_share"]
  assert set(np.unique(share)) <= {0.0, 0.5, 1.0}
  with rasterio.open(finished_by_folds / "maps" / name / "prediction.tif") as raster:
    np.testing.assert_array_equal(raster.read(1), prediction[0])


@_SCENES
def test_the_split_has_the_fold_of_every_label(finished_by_folds, name):
  split, found = load(finished_by_folds / "split.npz"), left_out(finished_by_folds, name)
  (train,), (fold,) = split[f"{name}/train"], split[f"{name}/fold"]
  np.testing.assert_array_equal(np.sort(train, axis=0), np.sort(np.argwhere(LABELS[name]), axis=0))
  assert not split[f"{name}/test"].size
  assert set(fold) == {0, 1, 2}
  of_pixel = {tuple(pixel): number for pixel, number in zip(train.tolist(), fold.tolist(), strict=True)}
  assert of_pixel == {
    tuple(pixel): number
    for pixel, number in zip(found["pixels"].tolist(), found["fold"].tolist(), strict=True)
  }


@_SCENES
def test_units_are_in_one_fold_and_of_one_class(finished_by_folds, name):
  found = left_out(finished_by_folds, name)
  np.testing.assert_array_equal(found["class"], LABELS[name][tuple(found["pixels"].T)])
  for unit in np.unique(found["unit"]):
    rows = found["unit"] == unit
    assert len(np.unique(found["fold"][rows])) == len(np.unique(found["class"][rows])) == 1


@_SCENES
def test_accuracies_are_those_of_left_out_labels(finished_by_folds, name):
  found, entry = left_out(finished_by_folds, name), results(finished_by_folds, name)
  right = found["class"] == found["predicted"]
  per_class = [right[found["class"] == class_id].mean() for class_id in np.unique(found["class"])]
  assert entry["overall_accuracy"]["mean"] == pytest.approx(right.mean())
  assert entry["average_accuracy"]["mean"] == pytest.approx(np.mean(per_class))
  for key in ("overall_accuracy", "average_accuracy", "kappa"):
    low, high = entry[key]["interval"]
    assert low <= entry[key]["mean"] <= high
  units = len(np.unique(found["unit"]))
  assert entry["left_out"] == {"kind": "regions", "folds": 3, "units": units, "pixels": len(right)}


@_SCENES
def test_the_mixture_and_what_it_was_chosen_by_are_told(finished_by_folds, name):
  mixture = results(finished_by_folds, name)["mixture"]
  assert mixture["members"] == MEMBERS
  (chosen,) = mixture["replicas"]
  found, parts = left_out(finished_by_folds, name), load(finished_by_folds / "mixtures.npz")
  assert sum(chosen["weights"]) == pytest.approx(1)
  tempered = np.divide(chosen["weights"], chosen["member_temperatures"])
  np.testing.assert_allclose(parts[f"{name}/weights"], [tempered], rtol=1e-5)
  assert parts[f"{name}/temperature"] == pytest.approx(chosen["temperature"])
  assert parts[f"{name}/smoothing"][0, 0] == chosen["smoothing_radius"]
  assert chosen["smoothing"] in ("none", "light")
  assert chosen["regression"]["channels"] in ("bands", "bands_and_mnf")
  assert chosen["regression"]["penalty"] in (1, 10, 100)
  assert len(chosen["accuracy"]) == 3
  assert chosen["left_out_accuracy"] == pytest.approx((found["class"] == found["predicted"]).mean())
  assert chosen["left_out_pixels"] == len(found["class"])


@_SCENES
def test_calibration_is_that_of_left_out_probabilities(finished_by_folds, name):
  found = left_out(finished_by_folds, name)
  calibration = results(finished_by_folds, name)["mixture"]["calibration"]
  bins = calibration["reliability_after"]
  assert sum(entry["pixels"] for entry in bins) == len(found["class"])
  means = sum(entry["confidence"] * entry["pixels"] for entry in bins) / len(found["class"])
  assert means == pytest.approx(found["probability"].mean())
  assert ((found["probability"] > 0) & (found["probability"] <= 1)).all()
  by_class = calibration["by_class"]
  assert [row["id"] for row in by_class] == np.unique(LABELS[name][LABELS[name] > 0]).tolist()
  for row in by_class:
    mapped = found["predicted"] == row["id"]
    assert (row["pixels"], row["units"]) == (mapped.sum(), len(np.unique(found["unit"][mapped])))
    if mapped.any():
      assert row["confidence"] == pytest.approx(found["probability"][mapped].mean())
      assert row["accuracy"] == pytest.approx((found["class"] == found["predicted"])[mapped].mean())


def test_confidence_gives_nothing_to_classes_of_the_other_scene(finished_by_folds):
  """Of two classes, the predicted one has at least half of the probability."""
  probability = load(finished_by_folds / "confidence.npz")["town/probability"]
  assert (probability >= 0.499).all()
  assert (left_out(finished_by_folds, "town")["probability"] >= 0.499).all()
  assert set(np.unique(load(finished_by_folds / "predictions.npz")["town"])) <= {2, 7}


def test_padding_is_only_behind_the_pixels(finished_by_folds):
  for name, labels in LABELS.items():
    pixels = load(finished_by_folds / "left_out.npz")[f"{name}/pixels"]
    assert len(pixels_of(pixels[0])) == (labels > 0).sum()
    assert (pixels != PADDING).all()


def test_the_console_says_what_the_figures_mean(launched_by_folds):
  out = launched_by_folds[1].out
  assert "2 networks, and 3 more that leave out a fold each" in out
  assert "note: fields: class 1 (class 1) has a single region, which is cut in two" in out
  text = " ".join(out.split())
  assert "Accuracy on the labels of regions that were left out: 3 folds" in text
  assert "The map was made by the " in text
  assert "use --config.fold_buffer=<pixels> to keep them apart, or --config.fold_units=blocks." in text
  assert "split=blocks" not in text


def test_smoothing_that_was_not_chosen_is_not_mentioned(launched_by_folds):
  run, outcome = launched_by_folds
  radii = {results(run, name)["mixture"]["replicas"][0]["smoothing_radius"] for name in LABELS}
  text = " ".join(outcome.out.split())
  for radius in (4, 40):
    assert (f"from training areas up to {radius} pixels away" in text) == (radius in radii)


def test_the_report_shows_experts_and_reliability(finished_by_folds):
  page = (finished_by_folds / "report.html").read_text()
  assert "regression on single spectra" in page
  assert "calibration error" in page.lower()

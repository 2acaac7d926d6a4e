import json

import numpy as np
import pytest
from sklearn import metrics as reference

from mtl_hsi.evaluation import metrics

IDS = [1, 4, 9]
NAMES = {1: "Water", 4: "Trees", 9: "Tiles"}


def test_confusion_counts_truth_by_row_with_gaps_in_the_ids():
  truth = np.array([1, 1, 1, 4, 4, 9])
  predicted = np.array([1, 1, 9, 4, 1, 9])
  counts = metrics.confusion(truth, predicted, IDS)
  assert counts.dtype == np.int64
  np.testing.assert_array_equal(counts, [[2, 0, 1], [1, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize("strange", [0, 2, 10])
def test_confusion_refuses_labels_that_are_no_class(strange):
  with pytest.raises(ValueError, match=f"label {strange} is not one of"):
    metrics.confusion(np.array([1, 4]), np.array([1, strange]), IDS)


def test_score_by_hand():
  # 6 of 10 right; 5, 4, 1 pixels of each class, 4, 3, 3 predicted as each
  scores = metrics.score(np.array([[3, 1, 1], [1, 2, 1], [0, 0, 1]]))
  assert scores["overall_accuracy"] == pytest.approx(0.6)
  assert scores["average_accuracy"] == pytest.approx((0.6 + 0.5 + 1) / 3)
  chance = (5 * 4 + 4 * 3 + 1 * 3) / 100
  assert scores["kappa"] == pytest.approx((0.6 - chance) / (1 - chance))
  np.testing.assert_allclose(scores["accuracy"], [3 / 5, 2 / 4, 1 / 1])
  np.testing.assert_allclose(scores["users_accuracy"], [3 / 4, 2 / 3, 1 / 3])
  np.testing.assert_allclose(scores["f1"], [6 / 9, 4 / 7, 2 / 4])


def test_class_without_test_pixels_counts_for_nothing():
  # class 4 has no test pixel, though one pixel of class 1 was taken for it
  scores = metrics.score(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 2]]))
  assert scores["overall_accuracy"] == pytest.approx(5 / 6)
  assert scores["average_accuracy"] == pytest.approx((3 / 4 + 1) / 2)
  assert np.isnan(scores["accuracy"][1])
  assert np.isnan(scores["users_accuracy"][1])
  assert np.isnan(scores["f1"][1])


def test_undefined_scores_are_nan():
  nothing = metrics.score(np.zeros((2, 2), int))
  assert all(np.isnan(nothing[key]) for key in ("overall_accuracy", "average_accuracy", "kappa"))
  assert np.isnan(metrics.score(np.array([[5, 0], [0, 0]]))["kappa"])


def test_score_agrees_with_scikit_learn():
  rng = np.random.default_rng(0)
  truth = rng.choice(IDS, 500, p=[0.7, 0.2, 0.1])
  predicted = np.where(rng.random(500) < 0.6, truth, rng.choice(IDS, 500))
  counts = metrics.confusion(truth, predicted, IDS)
  np.testing.assert_array_equal(counts, reference.confusion_matrix(truth, predicted, labels=IDS))
  scores = metrics.score(counts)
  assert scores["overall_accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
  assert scores["average_accuracy"] == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
  assert scores["kappa"] == pytest.approx(reference.cohen_kappa_score(truth, predicted))
  np.testing.assert_allclose(scores["accuracy"], reference.recall_score(truth, predicted, average=None))
  precision = reference.precision_score(truth, predicted, average=None)
  np.testing.assert_allclose(scores["users_accuracy"], precision)
  np.testing.assert_allclose(scores["f1"], reference.f1_score(truth, predicted, average=None))


def test_summary_over_replicas():
  first = np.array([[2, 0, 0], [0, 0, 0], [1, 0, 1]])
  second = np.array([[1, 1, 0], [0, 0, 0], [2, 0, 0]])
  summary = metrics.summarise(np.stack([first, second]), np.array(IDS, np.int32), NAMES)
  assert summary["overall_accuracy"] == {
    "mean": 0.5,
    "std": 0.25,
    "replicas": [0.75, 0.25],
    "interval": [0.0, 1.0],
  }
  assert summary["average_accuracy"]["replicas"] == [0.75, 0.25]
  assert summary["class_ids"] == IDS
  assert summary["confusion"] == [[3, 1, 0], [0, 0, 0], [3, 0, 1]]
  water, trees, tiles = summary["per_class"]
  assert (water["id"], water["name"], water["test_pixels"]) == (1, "Water", 2)
  assert water["accuracy"] == {"mean": 0.75, "std": 0.25}
  assert tiles["accuracy"] == {"mean": 0.25, "std": 0.25}
  assert water["users_accuracy"]["mean"] == pytest.approx((2 / 3 + 1 / 3) / 2)
  # Nothing was taken for a tile in the second replica.
  assert tiles["users_accuracy"] == {"mean": 1.0, "std": 0.0}
  assert tiles["f1"]["mean"] == pytest.approx((2 / 3 + 0) / 2)
  assert trees["accuracy"] == trees["f1"] == {"mean": None, "std": None}
  assert trees["test_pixels"] == 0


def test_summary_is_strict_json():
  summary = metrics.summarise(np.zeros((2, 3, 3), np.int64), IDS, NAMES)
  assert summary["kappa"] == {"mean": None, "std": None, "replicas": [None, None], "interval": None}
  assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_class_tested_in_one_replica_only_is_averaged_over_that_one():
  first = np.array([[2, 0], [1, 3]])
  second = np.array([[4, 0], [0, 0]])
  rare = metrics.summarise(np.stack([first, second]), [1, 4], NAMES)["per_class"][1]
  assert rare["accuracy"] == {"mean": 0.75, "std": 0.0}
  assert rare["test_pixels"] == 2


def test_intervals_are_students_over_replicas():
  # Quantile of Student's t with 3 degrees of freedom, from a table.
  values = np.array([0.60, 0.64, 0.58, 0.62])
  half = 3.182 * np.std(values, ddof=1) / 2
  assert metrics.mean_interval(values, 0.0) == pytest.approx([0.61 - half, 0.61 + half], abs=1e-4)
  assert metrics.mean_interval(np.array([0.1, np.nan, 0.9]), 0.0) == [0.0, 1.0]
  assert metrics.mean_interval(np.array([0.1, 0.9]), -1.0) == [-1.0, 1.0]
  assert metrics.mean_interval(np.array([0.5, np.nan]), 0.0) is None


def test_the_intervals_of_one_replica_are_those_of_independent_test_pixels():
  one = np.array([[[45, 5], [10, 40]]])
  summary = metrics.summarise(one, [1, 4], NAMES)
  # (p + z^2 / 2n -+ z sqrt(p q / n + z^2 / 4n^2)) / (1 + z^2 / n) of 85 in 100.
  assert summary["overall_accuracy"]["interval"] == pytest.approx([0.7672, 0.9069], abs=1e-4)
  # Shares 47 / 54 and 42 / 54 of 54 pixels each; 1.96 sqrt(p q / n) of both, halved.
  half = 1.96 * (47 * 7 / 54**3 + 42 * 12 / 54**3) ** 0.5 / 2
  assert summary["average_accuracy"]["interval"] == pytest.approx([0.85 - half, 0.85 + half], abs=1e-4)
  # By the formula of Fleiss, Cohen & Everitt, worked out by hand.
  assert summary["kappa"]["interval"] == pytest.approx([0.5607, 0.8393], abs=1e-4)
  assert metrics.wilson_interval(0, 0) is None


def test_what_has_no_spread_has_no_interval():
  right = metrics.single_intervals(np.array([[10, 0], [0, 10]]))
  assert right["kappa"] is None
  assert 0.6 < right["average_accuracy"][0] < 0.9
  assert right["average_accuracy"][1] == 1.0
  assert set(metrics.single_intervals(np.zeros((2, 2), int)).values()) == {None}


def test_the_error_of_kappa_is_what_repetition_shows():
  shares = np.array([[0.3, 0.1, 0.0], [0.05, 0.25, 0.05], [0.02, 0.03, 0.2]])
  generator = np.random.default_rng(0)
  drawn = generator.multinomial(400, shares.ravel(), size=2000).reshape(-1, 3, 3)
  kappas = [metrics.score(matrix)["kappa"] for matrix in drawn]
  averages = [metrics.score(matrix)["average_accuracy"] for matrix in drawn]
  found = [metrics.single_intervals(matrix) for matrix in drawn[:200]]
  for key, values in (("kappa", kappas), ("average_accuracy", averages)):
    halves = [(intervals[key][1] - intervals[key][0]) / 2 for intervals in found]
    assert np.mean(halves) == pytest.approx(1.96 * np.std(values), rel=0.06)

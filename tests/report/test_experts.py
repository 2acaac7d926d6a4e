import pytest

from mtl_hsi.report import experts, left_out_text

REPLICA = {
  "weights": [0.5, 0.5],
  "accuracy": [0.8, None],
  "log_likelihood": [-0.6, -1.0],
  "smoothing": "light",
  "smoothing_radius": 6,
  "temperature": 1.4,
  "left_out_accuracy": 0.88,
  "left_out_pixels": 160,
}


def mixture(*changes):
  return {"members": ["network", "regression"], "replicas": [REPLICA | change for change in changes]}


def test_one_replica_is_shown_as_it_is():
  found = experts.summarise(mixture({}))
  assert found.rows == [
    experts.Expert("network (context)", 0.8, -0.6, 0.5),
    experts.Expert("regression on single spectra", None, -1.0, 0.5),
  ]
  assert (found.accuracy, found.pixels, found.temperature, found.replicas) == (0.88, 160, 1.4, 1)
  assert (found.mixture, found.smoothing) == ("mixture, smoothed", "light (6 pixels)")


def test_replicas_are_averaged_where_they_are_defined():
  found = experts.summarise(mixture({}, {"weights": [1.0, 0.0], "accuracy": [0.9, 0.6], "temperature": 1.0}))
  assert [row.weight for row in found.rows] == [0.75, 0.25]
  assert [row.accuracy for row in found.rows] == pytest.approx([0.85, 0.6])
  assert found.temperature == pytest.approx(1.2)
  assert found.smoothing == "light (6 pixels)"


def test_differing_smoothing_is_counted():
  none = {"smoothing": "none", "smoothing_radius": 0}
  found = experts.summarise(mixture(none, {}, {}))
  assert found.smoothing == "light (6 pixels) in 2, none in 1 of 3 replicas"
  assert experts.summarise(mixture(none)).smoothing == "none"
  assert experts.summarise(mixture(none)).mixture == "mixture"


def test_without_left_out_labels_figures_are_undefined():
  found = experts.summarise(mixture({"left_out_accuracy": None, "left_out_pixels": 0}))
  assert (found.accuracy, found.pixels) == (None, 0)


def test_an_expert_without_a_name_in_words_keeps_its_own():
  named = mixture({}) | {"members": ["patch_3", "local"]}
  assert [row.name for row in experts.summarise(named).rows] == ["patch_3", "network (small patches)"]


def test_the_map_is_made_of_the_experts_with_a_weight():
  text = left_out_text.of_map(mixture({"weights": [0.0, 1.0]}))
  assert text == "The map was made by the regression on single spectra, trained on all labels."
  both = left_out_text.of_map(mixture({}))
  assert "by the network (context) and the regression on single spectra, trained" in both

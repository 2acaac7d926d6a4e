"""Scenes with a shared legend, each left out once: from scenes in memory to predictions and new scenes."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
import rasterio

from mtl_hsi import library
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.training_pixels import draw_folds, draw_splits
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.scenes.scene import Scene
from tests import launching
from tests.experiment import problems

SPECTRA = {"grass": [1, 5, 2, 8], "soil": [6, 2, 7, 1], "water": [1, 1, 1, 2]}
# Only the first scene has rock.
IDS = {
  "north": {1: "grass", 4: "soil", 6: "rock"},
  "south": {2: "soil", 7: "water", 9: "grass"},
  "east": {3: "water", 5: "grass"},
}
_TINY = {
  **{"legend": "shared", "split": "scenes", "samples_per_class": 0, "folds": 0, "model.norm": "joint"},
  **{"scaling": "per_band_joint", "mnf_components": 2, "batch": "mixed", "replicas": 2, "snapshots": (0,)},
  **{"model.width": 6, "model.blocks": 1, "model.patch": 3, "mixture.local_patch": 0},
  **{"mixture.regression": ("bands",), "mixture.smoothings": ("none",), "classify.smoothing.steps": 0},
  **{"steps_per_epoch": 10, "phases.phase1.epochs": 1, "proposals": 0},
}

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def scene(name, ids) -> Scene:
  generator = np.random.default_rng(len(name) + max(ids))
  labels = np.kron(np.resize(list(ids), (3, 4)), np.ones((3, 3), int)).astype(np.int32)
  means = {class_id: SPECTRA.get(title, [9, 9, 9, 9]) for class_id, title in ids.items()}
  cube = 100 * np.array([[means[label] for label in row] for row in labels.tolist()])
  cube = (cube + generator.normal(0, 10, cube.shape)).astype(np.float32)
  labels[:, ::4] = 0
  return Scene(name, cube, labels, dict(sorted(ids.items())))


SCENES = {name: scene(name, ids) for name, ids in IDS.items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
  """The work directory of a finished run; tests must not change it."""
  return library.train(list(SCENES.values()), tmp_path_factory.mktemp("legend") / "run", _TINY)


def test_maps_have_the_ids_of_their_scene_and_no_class_that_it_lacks(run):
  for name, ids in library.maps(run).items():
    assert set(np.unique(ids)) <= set(IDS[name])


def test_accuracies_are_those_of_networks_that_saw_no_label_of_the_scene(run):
  found = json.loads((run / "metrics.json").read_text())["scenes"]
  north, east = found["north"], found["east"]
  for of_scene in found.values():
    assert of_scene["left_out"]["whole_scene"]
    assert of_scene["left_out"]["folds"] == 3
    # Any class of the legend could be chosen.
    assert len(of_scene["class_ids"]) == 4
  assert east["class_ids"] == [3, 4, 5, 6]
  assert east["overall_accuracy"]["mean"] == 1
  # Rock is unknown without its scene.
  assert {row["name"]: row["accuracy"]["mean"] for row in north["per_class"]}["rock"] == 0
  assert north["mixture"]["replicas"] != []
  assert found["north"]["mixture"]["replicas"][0]["weights"] == east["mixture"]["replicas"][0]["weights"]


def test_scenes_tell_unknown_pixels_together(run):
  with np.load(run / "unknown.npz") as arrays, np.load(run / "left_out.npz") as left_out:
    # Rock says nothing of the rate: no network knows it without its scene.
    known = [left_out[f"{name}/class"][left_out[f"{name}/class"] >= 0] for name in SCENES]
    assert len(arrays["north/left_out"]) == sum(map(len, known)) - (known[0] == 6).sum()
    for name in SCENES:
      np.testing.assert_array_equal(arrays[f"{name}/places"], arrays["north/places"])


def test_an_image_may_have_any_class_of_the_legend(run, tmp_path, capsys):
  """An image of rock, as the scene that has none."""
  np.save(tmp_path / "image.npy", np.full((5, 6, 4), 900, np.float32))
  changes = {"scene": "east", "probabilities": "uint8"}
  library.predict(run, tmp_path / "image.npy", tmp_path / "out", changes)
  assert "Classes of the legend that 'east' lacks: 4 soil, 6 rock" in capsys.readouterr().out
  with rasterio.open(tmp_path / "out_classes.tif") as raster:
    assert raster.tags(1)["CLASS_6"] == "rock"
    assert np.unique(raster.read(1)).tolist() == [6]
  with rasterio.open(tmp_path / "out_probabilities.tif") as raster:
    assert [raster.tags(band)["CLASS_ID"] for band in raster.indexes] == ["3", "4", "5", "6"]
    assert raster.descriptions[3] == "rock"
    assert (raster.read().argmax(axis=0) == 3).all()


@pytest.mark.parametrize("legend", ["shared", "separate"])
def test_new_scenes_keep_the_outputs_of_the_same_names(run, legend, tmp_path):
  new = scene("meadow", {1: "water", 2: "moss"})
  np.savez(tmp_path / "meadow.npz", cube=new.cube, label=new.labels)
  (tmp_path / "classes.csv").write_text("id,name\n1,water\n2,moss\n")
  changes = {
    **{"run": run, "legend": legend, "files.meadow.cube": tmp_path / "meadow.npz", "folds": 2},
    **{"files.meadow.classes": tmp_path / "classes.csv", "phases.phase1.epochs": 1, "snapshots": "(0,)"},
    # Steps that change nothing that can be seen.
    **{"phases.phase1.learning_rate": 1e-12, "phases.phase2.learning_rate": 1e-12},
    **{"phases.phase2.epochs": 1, "mixture.smoothings": "('none',)", "split": "folds"},
  }
  outcome = launching.launch(
    f"--config={launching.ROOT / 'configs' / 'adapt.py'}:meadow",
    f"--workdir={tmp_path / 'run'}",
    *(f"--config.{key}={value}" for key, value in changes.items()),
  )
  assert outcome.status == 0, outcome.err
  old, adapted = read_run(run), read_run(tmp_path / "run")
  known, heads = (
    jax.tree.map(np.asarray, trained.networks(trained.snapshot_epochs[-1]))["params"]["heads"]["kernel"]
    for trained in (old, adapted)
  )
  water = old.legend.names.index("water")
  assert np.allclose(heads[0, 0, :, 0], known[0, 0, :, water], atol=1e-6) == (legend == "shared")
  assert not any(np.allclose(heads[0, 0, :, 1], known[0, 0, :, output], atol=1e-6) for output in range(4))


def test_a_fold_is_a_whole_scene(settings):
  changes = {"split__folds": 2, "split__by_folds": True, "split__by_scenes": True}
  changes |= {"split__samples_per_class": 0}
  made = {name: problems.scene(name) for name in ("fields", "town")}
  changed = problems.changed(settings, **changes)
  folds = draw_folds(changed, made, draw_splits(changed, made, 1))
  counts = [[len(pixels) for pixels in folds[name][0].train] for name in made]
  labelled = np.count_nonzero(launching.FIELDS)
  assert counts == [[0, labelled], [labelled, 0]]
  assert [len(pixels) for pixels in folds["town"][0].left_out] == [0, labelled]
  assert len(np.unique(folds["town"][0].units[1])) == 3


def test_two_classes_of_one_name_are_refused(tmp_path):
  twice = scene("twice", {1: "grass", 2: "grass"})
  with pytest.raises(RequestError, match="scene 'twice': classes 1 and 2 are both named 'grass'"):
    library.train([twice, SCENES["north"]], tmp_path / "run", _TINY)

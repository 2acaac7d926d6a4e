"""Use from Python: training, maps, predictions, the examples of docs/library.md, and rejected requests."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtl_hsi import library
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Scene
from tests import launching

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "library.md"
_EXAMPLES = re.findall(r"```python\n(.*?)```", _PAGE.read_text(), re.DOTALL)
# The recommended recipe with a network that trains in seconds.
TINY = {
  **{"samples_per_class": 3, "replicas": 1, "snapshots": (0,), "mnf_components": 2},
  **{"model.width": 4, "model.blocks": 1, "model.patch": 3, "mixture.local_patch": 0},
  **{"steps_per_epoch": 2, "phases.phase1.epochs": 1, "classify.smoothing.steps": 2},
}

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def scene(name: str, labels: np.ndarray, seed: int) -> Scene:
  names = {int(label): f"class {label}" for label in np.unique(labels[labels > 0])}
  return Scene(name, launching.cube(labels, seed), labels, names)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
  return [scene("fields", launching.FIELDS, 1), scene("town", launching.TOWN, 2)]


@pytest.fixture(scope="module")
def trained(scenes, tmp_path_factory) -> Path:
  """The work directory of a finished run; tests must not change it."""
  return library.train(scenes, tmp_path_factory.mktemp("trained") / "run", TINY)


def _run_example(imported: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
  """Runs the example of docs/library.md that imports `imported`; returns its variables."""
  (example,) = (text for text in _EXAMPLES if f"import {imported}\n" in text)
  monkeypatch.chdir(directory)
  variables = {}
  exec(compile(example, str(_PAGE), "exec"), variables)
  return variables


@pytest.mark.slow
def test_the_example_of_training(tmp_path, monkeypatch):
  variables = _run_example("library", tmp_path, monkeypatch)
  assert {name: ids.shape for name, ids in variables["maps"].items()} == {
    "fields": (2, 24, 30),
    "town": (2, 26, 20),
  }
  # The stripes are easy.
  assert np.mean(variables["maps"]["fields"][0] == variables["fields"].labels) > 0.8
  with rasterio.open(tmp_path / "flight_classes.tif") as raster:
    assert raster.shape == (24, 30)
    assert np.mean(raster.read(1) == variables["fields"].labels) > 0.8


@pytest.mark.slow
def test_the_example_of_a_model(tmp_path, monkeypatch):
  variables = _run_example("numpy as np\n\nfrom mtl_hsi import Model", tmp_path, monkeypatch)
  labels, found = variables["labels"], variables["prediction"]
  assert np.mean(found.names()[labels != ""] == labels[labels != ""]) > 0.8
  np.testing.assert_array_equal(variables["again"].predict(variables["image"]).map, found.map)


def test_the_example_of_the_public_scenes(tmp_path, monkeypatch, capsys):
  variables = _run_example("tensorflow_datasets as tfds", tmp_path, monkeypatch)
  assert isinstance(variables["scene"], Scene)
  np.testing.assert_array_equal(variables["example"]["cube"], variables["scene"].cube)
  np.testing.assert_array_equal(variables["example"]["labels"], variables["scene"].labels)
  assert "(145, 145, 200)" in capsys.readouterr().out


def test_training_again_changes_nothing_and_needs_the_same_scenes(scenes, trained):
  assert (trained / "report.html").is_file()
  before = launching.contents(trained)
  library.train(scenes, trained, TINY)
  assert launching.contents(trained) == before
  others = [scene("fields", launching.FIELDS, 5), scenes[1]]
  with pytest.raises(RequestError, match=r"in_memory\.fields\.cube_sha256"):
    library.train(others, trained, TINY)
  assert launching.contents(trained) == before


def test_the_first_scene_is_the_target(trained):
  assert json.loads((trained / "metrics.json").read_text())["target"] == "fields"


def test_a_run_has_maps_of_its_scenes_and_maps_images(scenes, trained, tmp_path):
  maps = library.maps(trained)
  shapes = {name: ids.shape for name, ids in maps.items()}
  assert shapes == {made.name: (1, *made.labels.shape) for made in scenes}
  np.save(tmp_path / "flight.npy", scenes[0].cube)
  library.predict(trained, tmp_path / "flight.npy", tmp_path / "flight")
  with rasterio.open(tmp_path / "flight_classes.tif") as raster:
    assert np.mean(raster.read(1) == maps["fields"][0]) > 0.9


def test_a_map_is_assessed(trained, tmp_path):
  path = trained / "maps" / "town" / "prediction.tif"
  changes = {"size": 20, "floor": 5, "output": str(tmp_path / "town")}
  table, *_, design = library.draw(path, changes)
  assert (table.name, design.name) == ("town_sample.csv", "town_design.json")
  rows = [line.split(",") for line in table.read_text().splitlines()]
  column = rows[0].index("class")
  filled = [rows[0], *([*row[:column], "2", *row[column + 1 :]] for row in rows[1:])]
  table.write_text("".join(",".join(row) + "\n" for row in filled))
  found = library.estimate(path, table)
  assert (tmp_path / "town_estimates.html").exists()
  assert found["overall_accuracy"]["lower"] <= found["overall_accuracy"]["estimate"]
  with pytest.raises(RequestError, match="cannot set colour"):
    library.draw(path, {"colour": 1})


@pytest.mark.parametrize(
  "changes",
  [{"replica": 2}, {"phases.phase1.epoch": 2}, {"replicas": "two"}, {"seed.more": 1}, {"model": "svm"}],
)
def test_invalid_changes_are_rejected(scenes, tmp_path, changes):
  ((key, value),) = changes.items()
  message = f"cannot set {key}={value!r}: unknown config key or wrong type; docs/configs.md lists the keys"
  with pytest.raises(RequestError, match=re.escape(message)):
    library.train(scenes, tmp_path / "run", changes)
  assert not (tmp_path / "run").exists()


def test_an_optimiser_has_only_its_arguments(scenes, tmp_path):
  with pytest.raises(RequestError, match="rho"):
    library.train(scenes, tmp_path / "run", {**TINY, "optimizer": {"name": "sgd", "rho": 0.9}})
  sgd = {"optimizer": {"name": "sgd", "momentum": 0.9}, "check_only": True}
  library.train(scenes, tmp_path / "run", {**TINY, **sgd})


def test_scene_names_must_differ(scenes, tmp_path):
  with pytest.raises(RequestError, match="expected every scene once"):
    library.train([scenes[0], scenes[0]], tmp_path / "run", TINY)


def test_at_least_one_scene_is_required(tmp_path):
  with pytest.raises(RequestError, match="expected the names of one scene or more"):
    library.train([], tmp_path / "run")


def test_maps_need_a_finished_run(tmp_path):
  with pytest.raises(RequestError, match=r"predictions\.npz.*expected the directory of a finished run"):
    library.maps(tmp_path)

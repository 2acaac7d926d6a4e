"""Use from Python: the example of docs/library.md, and what is refused."""

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
_SHORT = {
  "samples_per_class": 3,
  "replicas": 1,
  "phases.phase1.epochs": 1,
  "snapshots": (0,),
}

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def scene(name: str, labels: np.ndarray, seed: int) -> Scene:
  names = {int(label): f"class {label}" for label in np.unique(labels[labels > 0])}
  return Scene(name, launching.cube(labels, seed), labels, names)


@pytest.fixture
def scenes() -> list[Scene]:
  return [scene("fields", launching.FIELDS, 1), scene("town", launching.TOWN, 2)]


def _follow(imported: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
  """What the page's example that imports something leaves, run in a directory."""
  (example,) = (text for text in _EXAMPLES if f"import {imported}\n" in text)
  monkeypatch.chdir(directory)
  made = {}
  exec(compile(example, str(_PAGE), "exec"), made)
  return made


def test_the_example_of_training(tmp_path, monkeypatch):
  made = _follow("library", tmp_path, monkeypatch)
  assert {name: ids.shape for name, ids in made["maps"].items()} == {
    "fields": (2, 24, 30),
    "town": (2, 26, 20),
  }
  # The stripes are easy.
  assert np.mean(made["maps"]["fields"][0] == made["fields"].labels) > 0.8
  with rasterio.open(tmp_path / "flight_classes.tif") as raster:
    assert raster.shape == (24, 30)
    assert np.mean(raster.read(1) == made["fields"].labels) > 0.8


def test_the_example_of_the_public_scenes(tmp_path, monkeypatch, capsys):
  made = _follow("tensorflow_datasets as tfds", tmp_path, monkeypatch)
  assert isinstance(made["scene"], Scene)
  np.testing.assert_array_equal(made["example"]["cube"], made["scene"].cube)
  np.testing.assert_array_equal(made["example"]["labels"], made["scene"].labels)
  assert "(145, 145, 200)" in capsys.readouterr().out


def test_the_first_scene_is_the_target_and_doing_it_again_changes_nothing(scenes, tmp_path):
  run = library.train(scenes, tmp_path / "run", _SHORT)
  assert (run / "report.html").is_file()
  before = launching.contents(run)
  library.train(scenes, tmp_path / "run", _SHORT)
  assert launching.contents(run) == before
  others = [scene("fields", launching.FIELDS, 5), scenes[1]]
  with pytest.raises(RequestError, match=r"in_memory\.fields\.cube_sha256"):
    library.train(others, tmp_path / "run", _SHORT)
  assert launching.contents(run) == before


@pytest.mark.parametrize(
  "changes",
  [{"replica": 2}, {"phases.phase1.epoch": 2}, {"replicas": "two"}, {"seed.more": 1}, {"model": "svm"}],
)
def test_what_is_no_change_is_refused(scenes, tmp_path, changes):
  with pytest.raises(RequestError, match=f"{next(iter(changes))}=.* is no change of the config"):
    library.train(scenes, tmp_path / "run", changes)
  assert not (tmp_path / "run").exists()


def test_another_optimiser_has_its_own_arguments_only(scenes, tmp_path):
  with pytest.raises(RequestError, match="rho"):
    library.train(scenes, tmp_path / "run", {**_SHORT, "optimizer": {"name": "sgd", "rho": 0.9}})
  library.train(scenes, tmp_path / "run", {**_SHORT, "optimizer": {"name": "sgd", "momentum": 0.9}})


def test_scenes_need_names_of_their_own(scenes, tmp_path):
  with pytest.raises(RequestError, match="expected every scene once"):
    library.train([scenes[0], scenes[0]], tmp_path / "run", _SHORT)


def test_no_scene_is_refused(tmp_path):
  with pytest.raises(RequestError, match="expected the names of one scene or more"):
    library.train([], tmp_path / "run")


def test_maps_need_a_finished_run(tmp_path):
  with pytest.raises(RequestError, match=r"predictions\.npz.*expected the directory of a finished run"):
    library.maps(tmp_path)

"""Scenes whose libraries train classes that have no labels, or that have no labels at all."""

import json

import numpy as np
import pytest

from configs import own
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import introduction, problem
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.scenes.scene import LibrarySpectra, Scene
from mtl_hsi.training.patches import SPECTRUM
from tests import launching
from tests.experiment.problems import changed, prepare, scene, svm

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
# A class that is bright in the bands 3 and 4 together is in the upper left corner of every scene.
LAKE = 11
SPECTRUM_OF_LAKE = np.array([300, 300, 300, 1800, 1800, 300], np.float32)


def library(*class_ids, count=6):
  """Spectra of classes as `launching.cube` makes them, and of the lake."""
  ids = np.repeat(np.array(class_ids, np.int32), count)
  values = 300 + 1500 * (ids[:, None] % 3 == np.arange(launching.BANDS) % 3)
  values = np.where(ids[:, None] == LAKE, SPECTRUM_OF_LAKE, values)
  noise = np.random.default_rng(3).normal(0, 50, values.shape)
  return LibrarySpectra((values + noise).astype(np.float32), ids)


def with_lake(labels, name="fields", **changes):
  """A scene of 12 x 10 pixels with an unlabelled lake of 4 x 4 pixels, and a library that has it."""
  cube = launching.cube(launching.FIELDS, 1)
  cube[:4, :4] = SPECTRUM_OF_LAKE + np.random.default_rng(4).normal(0, 50, (4, 4, launching.BANDS))
  labels = labels.copy()
  labels[:4, :4] = 0
  names = {1: "a", 4: "b", 9: "c", LAKE: "lake"}
  return Scene(name=name, cube=cube, labels=labels, class_names=names, **changes)


def test_the_spectra_of_all_scenes_are_in_every_training_set(settings):
  made = prepare(
    settings,
    scene(library=library(1, 9, count=2)),
    with_lake(launching.FIELDS, "town", library=library(LAKE, count=3)),
  )
  samples = problem.training_set(made)
  assert samples.counts.tolist() == [[9 + 4, 9 + 3]] * 2
  for replica in range(2):
    spectra = samples.centres[replica][samples.centres[replica, ..., 0] == SPECTRUM]
    assert spectra[:, 1].tolist() == list(range(7))
  assert samples.classes[1, 0, 9:13].tolist() == [0, 0, 2, 2]
  assert samples.classes[1, 1, 9:12].tolist() == [3, 3, 3]
  pixels, _ = problem.lay_out(made)
  np.testing.assert_array_equal(
    pixels.spectra[4:], made.inputs["town"](made.scenes["town"].library.values, None)
  )


def test_the_introduction_tells_of_the_library(settings):
  made = prepare(settings, with_lake(launching.FIELDS, library=library(LAKE)))
  lines = introduction.introduction(made, settings).splitlines()
  assert lines[0].endswith("4 classes; 9 training and 83 test pixels, 6 library spectra")
  assert lines[-1].startswith("warning: fields: class 11 (lake) has no test pixel in 2 of 2 replicas")
  assert introduction.split_used(settings, made.scenes["fields"]).endswith(
    "6 spectra of a library, of 1 class, train as well, in patches with the spectrum at every pixel, and "
    "test nothing."
  )


def test_svms_refuse_a_library(settings):
  with pytest.raises(RequestError, match=r"has a library, which model.name=svm does not use"):
    prepare(settings, scene(library=library(1)), **svm(settings))


def test_samples_per_class_need_labels(settings):
  empty = with_lake(np.zeros_like(launching.FIELDS), library=library(1, 4, 9, LAKE))
  with pytest.raises(RequestError, match="has a library and no labels of which samples_per_class"):
    prepare(settings, empty)
  all_labels = changed(settings, split__samples_per_class=0)
  made = prepare(all_labels, empty)
  assert made.splits["fields"].train.shape == made.splits["fields"].test.shape == (1, 0, 2)
  *_, last = introduction.introduction(made, all_labels).splitlines()
  assert last == (
    "warning: fields: there are no labels, only spectra of a library: nothing is tested, and the map is made "
    "by the networks"
  )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """A run by folds of a scene with labels and a lake, and of a scene without labels."""
  config = own.get_config("fields,hill")
  config.folds, config.replicas, config.mnf_components = 2, 1, 2
  config.mixture.smoothings = ("none",)
  config.mixture.regression = ("bands",)
  config.mixture.local_patch = 0
  config.model.update({"blocks": 1, "patch": 5, "width": 6})
  config.batch_size, config.steps_per_epoch = 16, 60
  config.phases.phase1.epochs = 2
  config.classify.tile_pixels = 36
  scenes = {
    "fields": with_lake(launching.FIELDS, library=library(LAKE)),
    "hill": with_lake(np.zeros_like(launching.FIELDS), "hill", library=library(1, 4, 9, LAKE)),
  }
  directory = tmp_path_factory.mktemp("library") / "run"
  run_experiment(config, directory, ["test"], scenes)
  with np.load(directory / "predictions.npz") as archive:
    predictions = dict(archive)
  return json.loads((directory / "metrics.json").read_text()), predictions, directory


@pytest.mark.parametrize("name", ["fields", "hill"])
def test_a_class_without_labels_is_found_in_the_image(trained, name):
  (found,) = trained[1][name]
  truth = launching.FIELDS.copy()
  truth[:4, :4] = LAKE
  # The classes 1 and 4 have equal spectra.
  for class_id in (9, LAKE):
    assert (found[truth == class_id] == class_id).mean() > 0.8


def test_nothing_of_a_library_is_tested(trained):
  metrics, _, directory = trained
  fields, hill = (metrics["scenes"][name] for name in ("fields", "hill"))
  assert fields["left_out"]["pixels"] == np.count_nonzero(launching.FIELDS) - 16
  assert [row["test_pixels"] for row in fields["per_class"]][-1] == 0
  assert "left_out" not in hill
  assert hill["overall_accuracy"]["mean"] is None
  assert hill["mixture"]["replicas"][0]["weights"] == [0.0, 1.0]
  assert "There are no labels. 24 spectra of a library" in (directory / "report.html").read_text()

"""`Model`: training, prediction, files, and the conventions of scikit-learn."""

import subprocess
import sys
import time

import chex
import numpy as np
import pytest
import sklearn.base

import mtl_hsi
from mtl_hsi import Model
from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import Network
from mtl_hsi.scenes.scene import Scene
from tests import launching
from tests.test_library import TINY

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
BANDS = np.arange(450, 750, 50)
NAMES = np.array(["", "rape", "", "", "wheat", "", "", "", "", "maize"])[launching.FIELDS]


@pytest.fixture(scope="module")
def fitted(fields):
  """A model of names, trained in memory."""
  return Model("best", TINY).fit((fields - 1.0) / 2, NAMES, wavelengths=BANDS, scale=2, offset=1)


def test_a_model_predicts_bit_for_bit_what_the_run_did(loaded, finished_by_folds, fields):
  with (
    np.load(finished_by_folds / "predictions.npz") as maps,
    np.load(finished_by_folds / "confidence.npz") as confidence,
  ):
    for name, image in {"fields": fields, "town": launching.cube(launching.TOWN, 2)}.items():
      found = loaded.predict(image, scene=name)
      np.testing.assert_array_equal(found.map, maps[name][0])
      np.testing.assert_array_equal(found.votes, confidence[f"{name}/vote_share"][0])
      np.testing.assert_array_equal(found.confidence, confidence[f"{name}/probability"][0])


def test_a_saved_model_predicts_the_same(loaded, fields, tmp_path):
  path = loaded.save(tmp_path / "fields.mtlhsi", licence="cc-by-4.0")
  again = Model.load(path)
  np.testing.assert_array_equal(again.predict_proba(fields), loaded.predict_proba(fields))
  assert (again.scenes_, again.class_names_, again.metrics_) == (
    loaded.scenes_,
    loaded.class_names_,
    loaded.metrics_,
  )
  again.save(path)


def test_probabilities_sum_to_one_and_the_largest_is_that_of_the_map(loaded, fields):
  found = loaded.predict_proba(fields)
  assert found.shape == (*fields.shape[:2], len(loaded.classes_))
  np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-6)
  np.testing.assert_array_equal(loaded.classes_[found.argmax(axis=-1)], loaded.predict(fields).map)


def test_pixels_without_a_measurement_have_no_class(loaded, fields):
  masked = np.ma.masked_array(fields, np.zeros(fields.shape, bool))
  masked[2, 3, 1] = np.ma.masked
  found = loaded.predict(masked)
  assert found.map[2, 3] == 0
  assert found.names()[2, 3] == ""
  assert np.isnan(found.confidence[2, 3])
  assert np.isnan(loaded.predict_proba(masked)[2, 3]).all()
  assert (np.delete(found.map.ravel(), 23) > 0).all()


def test_a_second_call_compiles_nothing_and_is_quick(loaded, fields, monkeypatch):
  image = np.tile(fields, (2, 3, 1))
  loaded.predict(image)
  traced = chex.assert_max_traces(Network.dense_logits, n=0)
  monkeypatch.setattr(Network, "dense_logits", traced)
  start = time.monotonic()
  loaded.predict(image)
  # It takes 0.02 s here; the machine of the tests may be busy.
  assert time.monotonic() - start < 2


def test_a_model_of_names(fitted, fields):
  assert fitted.class_names_ == {1: "maize", 2: "rape", 3: "wheat"}
  assert fitted.scenes_ == ["scene"]
  stored = (fields - 1.0) / 2
  found = fitted.predict(stored, wavelengths=BANDS)
  assert found.notes == ("As in training: scale=2, offset=1",)
  assert set(np.unique(found.names())) <= {"maize", "rape", "wheat"}
  labelled = NAMES != ""
  accuracy = np.mean(found.names()[labelled] == NAMES[labelled])
  assert fitted.score(stored, NAMES) == pytest.approx(accuracy)
  assert found.metrics["overall_accuracy"]["mean"] is not None


def test_training_and_prediction_are_quiet_unless_asked(fields, capfd, tmp_path, loaded):
  model = Model("best", {**TINY, "mixture.regression": (), "folds": 2}, directory=tmp_path / "run")
  assert model.fit(fields, launching.FIELDS) is model
  model.predict(fields)
  assert capfd.readouterr() == ("", "")
  # The run is complete, so this only says where it is.
  model.set_params(quiet=False).fit(fields, launching.FIELDS).predict(fields)
  out, err = capfd.readouterr()
  assert "is complete; nothing to do" in out
  assert "classifying" in err
  assert model.class_names_ == {1: "class 1", 4: "class 4", 9: "class 9"}


def test_an_image_far_from_training_gives_a_warning(loaded, fields, caplog):
  assert loaded.predict(fields).outside < 0.2
  assert not caplog.records
  assert loaded.predict(2 * fields).outside > 0.2
  assert "are outside the range of 'fields' in training" in caplog.text


def test_the_package_imports_jax_only_for_a_model():
  code = "import sys, mtl_hsi; print('jax' in sys.modules, 'numpy' in sys.modules)"
  run = subprocess.run([sys.executable, "-c", code], cwd=launching.ROOT, capture_output=True, text=True)
  assert run.stdout == "False False\n", run.stderr
  with pytest.raises(AttributeError, match="has no attribute 'Modell'"):
    mtl_hsi.Modell  # noqa: B018


def test_the_conventions_of_scikit_learn():
  model = Model(options={"replicas": 2}, quiet=False)
  copy = sklearn.base.clone(model)
  assert copy.get_params() == model.get_params()
  assert repr(copy) == "Model(recipe='own', options={'replicas': 2}, directory=None, quiet=False)"
  with pytest.raises(RequestError, match="unknown parameter 'seed'; expected one of recipe, options"):
    model.set_params(seed=1)
  assert not model.__sklearn_is_fitted__()


def scene(name, labels):
  names = {int(i): f"class {i}" for i in np.unique(labels[labels > 0])}
  return Scene(name, launching.cube(labels), labels, names)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    (("a.npy", "b.npy", BANDS), "image and labels are files; give classes=<file>"),
    ((np.ones((3, 4)), np.ones((3, 4), int)), "the image is 3 x 4; expected rows x columns x bands"),
    ((np.ones((3, 4, 2)), np.ones((4, 4), int)), "the labels are 4 x 4, the image is 3 x 4 pixels"),
    ((np.ones((3, 4, 2)), "labels.gpkg"), "labels are in a file, but the image is not"),
    ((np.ones((3, 4, 2)), np.full((3, 4), 0.5)), "the labels are not class ids"),
    ((np.ones((3, 4, 2), complex), np.ones((3, 4), int)), "the image has dtype complex128"),
    ((np.full((3, 4, 2), np.nan), np.ones((3, 4), int)), "the image has no measurement: in every pixel"),
    (("missing.tif", "labels.gpkg"), "no such file: .*missing.tif"),
    ((scene("fields", launching.FIELDS), launching.FIELDS), "a Scene has its labels"),
    ((scene("fields", launching.FIELDS), None, BANDS), "a Scene has its labels"),
  ],
)
def test_invalid_data_are_refused_in_one_line(arguments, message, tmp_path):
  image, labels, *wavelengths = arguments
  model = Model(directory=tmp_path / "run")
  with pytest.raises(RequestError, match=message) as error:
    model.fit(image, labels, wavelengths=wavelengths[0] if wavelengths else None)
  assert "\n" not in str(error.value)
  assert not (tmp_path / "run").exists()


def test_invalid_requests_are_refused_in_one_line(loaded, fields):
  for call, message in [
    (lambda: Model().predict(fields), "the model is not trained; call fit first, or Model.load"),
    (lambda: Model("new").fit(fields, launching.FIELDS), "unknown recipe 'new'; expected one of own, best"),
    (lambda: Model(options={"replica": 1}).fit(fields, launching.FIELDS), "cannot set replica=1"),
    (lambda: loaded.predict(fields, scene="lake"), "config key scene is 'lake'"),
    (lambda: loaded.predict(fields[..., :3]), "the image has 3 bands, but scene 'fields'"),
    (lambda: loaded.predict(fields[..., :3]), r"that were left out in training \(bad_bands=<numbers"),
    (lambda: loaded.predict(fields, colour=1), "unknown option 'colour'; expected one of nodata"),
  ]:
    with pytest.raises(RequestError, match=message):
      call()

"""A finished run as one file: what is in it, and predictions with it."""

import io
import json
import re
import shutil
import zipfile

import jax
import numpy as np
import pytest
import yaml

from configs import adapt as adapt_config
from mtl_hsi.experiment import adapt
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.sharing import export
from tests import launching, tiny
from tests.prediction.predicting import predict, read_band

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(scope="module")
def exported(finished_by_folds, tmp_path_factory):
  """The run by folds as a file, away from its work directory."""
  path = tmp_path_factory.mktemp("exported") / "fields.mtlhsi"
  outcome = launching.mtl_hsi("export", str(finished_by_folds), "-o", str(path))
  assert outcome.status == 0, outcome.err
  return path


def members(path):
  with zipfile.ZipFile(path) as archive:
    return {name: archive.read(name) for name in archive.namelist()}


def test_it_predicts_what_the_work_directory_predicts(finished_by_folds, exported, tmp_path):
  np.save(tmp_path / "image.npy", launching.cube(launching.TOWN, 2))
  for name, run in {"a": finished_by_folds, "b": exported}.items():
    options = {"scene": "town", "probabilities": "float16", "output": tmp_path / name}
    outcome = predict(run, tmp_path / "image.npy", **options)
    assert outcome.status == 0, outcome.err
  for ending in ("_classes.tif", "_confidence.tif", "_shift.csv", "_areas.csv"):
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
  for band in (1, 2):
    np.testing.assert_array_equal(
      *(read_band(tmp_path / f"{name}_probabilities.tif", band) for name in ("a", "b"))
    )


def test_new_scenes_adapt_from_it_as_from_the_work_directory(finished_by_folds, exported):
  old, new = (read_run(path) for path in (finished_by_folds, exported))
  for epoch in old.snapshot_epochs:
    voters = jax.tree.map(lambda x: np.asarray(x)[: old.voters], old.networks(epoch))
    assert tiny.equal(voters, new.networks(epoch))
  wholes = []
  for run in (finished_by_folds, exported):
    config = adapt_config.get_config("meadow")
    config.run = str(run)
    whole = adapt.complete(config).to_dict()
    assert whole.pop("run") == str(run)
    wholes.append(whole)
  assert wholes[0] == wholes[1]


def test_equal_runs_give_equal_bytes_also_from_an_exported_file(finished_by_folds, exported, tmp_path):
  for name, run in {"a": finished_by_folds, "b": exported}.items():
    path = tmp_path / name / exported.name
    assert launching.mtl_hsi("export", str(run), "-o", str(path)).status == 0
    assert path.read_bytes() == exported.read_bytes()


def test_it_has_no_training_pixels_and_no_paths(finished_by_folds, exported, inputs):
  found = members(exported)
  assert not {"unknown.npz", "split.npz", "left_out.npz", "predictions.npz"} & found.keys()
  assert str(inputs).encode() not in b"".join(found.values())
  spectra = np.load(finished_by_folds / "unknown.npz")["fields/places"].astype(np.float32)
  stored = [np.load(io.BytesIO(data)) for name, data in found.items() if name.endswith(".npz")]
  values = np.concatenate([archive[key].ravel() for archive in stored for key in archive.files])
  assert not np.isin(spectra, values.astype(np.float32)).any()


def test_training_pixels_are_exported_only_if_they_are_asked_for(finished_by_folds, exported, tmp_path):
  np.save(tmp_path / "image.npy", launching.cube(launching.FIELDS, 1))
  outcome = predict(exported, tmp_path / "image.npy", unknown="mark", output=tmp_path / "map")
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert "has no training pixels, which this needs; export the run with" in outcome.err
  outcome = launching.mtl_hsi(
    "export", str(finished_by_folds), "-o", str(tmp_path / "all"), "--with-training-pixels"
  )
  assert outcome.status == 0, outcome.err
  assert "training pixels" not in outcome.out
  for name, run in {"a": finished_by_folds, "b": tmp_path / "all.mtlhsi"}.items():
    outcome = predict(run, tmp_path / "image.npy", unknown="mark", output=tmp_path / name)
    assert outcome.status == 0, outcome.err
  for band in (1, 2):
    np.testing.assert_array_equal(*(read_band(tmp_path / f"{name}_unknown.tif", band) for name in ("a", "b")))


def test_the_default_places_are_beside_the_run_and_beside_the_file(finished, tmp_path):
  run = shutil.copytree(finished, tmp_path / "fields")
  outcome = launching.mtl_hsi("export", str(run), "--json")
  assert json.loads(outcome.out)["files"] == [str(tmp_path / "fields.mtlhsi")]
  assert "(no training pixels" not in outcome.out
  np.save(tmp_path / "image.npy", launching.cube(launching.FIELDS, 1))
  assert predict(tmp_path / "fields.mtlhsi", tmp_path / "image.npy").status == 0
  with np.load(finished / "predictions.npz") as predictions:
    assert (
      predictions["fields"].shape[1:]
      == read_band(tmp_path / "predictions" / "fields_image_classes.tif").shape
    )
  outcome = launching.mtl_hsi("export", str(run))
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert "fields.mtlhsi already exists and was not overwritten; choose another --output" in outcome.err


def test_what_cannot_be_exported_is_refused_in_one_line(finished, tmp_path):
  for words, problem in [
    ((str(tmp_path),), "is not the work directory of a run"),
    ((str(finished), "--license", "MIT License"), "--license is 'MIT License'; expected an ident"),
    ((str(finished), "--with-training-pixels"), "remove --with-training-pixels"),
  ]:
    outcome = launching.mtl_hsi("export", *words, "-o", str(tmp_path / "file"))
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert problem in outcome.err
  assert not list(tmp_path.iterdir())


def test_the_model_card_has_the_form_of_the_hub(finished_by_folds, exported):
  card = members(exported)["README.md"].decode()
  header = yaml.safe_load(re.match(r"---\n(.*?\n)---\n\n# fields\n", card, re.DOTALL)[1])
  assert header["license"] == "unknown"
  assert header["library_name"] == "mtl_hsi"
  (model,) = header["model-index"]
  metrics = json.loads((finished_by_folds / "metrics.json").read_text())["scenes"]
  for result in model["results"]:
    found = {entry["name"]: entry["value"] for entry in result["metrics"]}
    mean = metrics[result["dataset"]["name"]]["overall_accuracy"]["mean"]
    assert found["Overall accuracy"] == pytest.approx(mean, abs=1e-4)
  for text in (
    "| 4 | class 4 | #56b4e9 |",
    "## Limits",
    "were left out: 3 folds",
    "mtl-hsi predict fields.mtlhsi",
  ):
    assert text in card
  one, several = (
    r"\b1 network \(.*\) classifies every pixel\.",
    r"networks \(.*\) classify every pixel together\.",
  )
  assert re.search(f"{one}|{several}", card)


def test_paths_are_left_out_of_the_config():
  options = {"cube": "/home/a/f.tif", "nodata": "-1", "wavelengths": "/home/a/b.csv", "wavelength_unit": "nm"}
  config = {
    "scenes": ["fields"],
    "files": {"fields": options},
    "split": "/home/a/split.npz",
    "scenes_file": "",
    "seed": 1,
  }
  assert export.without_paths(config) == {
    "scenes": ["fields"],
    "files": {"fields": {"nodata": "-1"}},
    "split": "split.npz",
    "scenes_file": "",
    "seed": 1,
  }

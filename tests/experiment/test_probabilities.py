"""Probabilities of all classes: those of a run, and those that its networks give the same image."""

import re
import shutil

import numpy as np
import pytest
import rasterio

from mtl_hsi.experiment import probabilities
from mtl_hsi.storage import checksums
from tests import launching
from tests.prediction.predicting import predict, read_band

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
LABELS = {"fields": launching.FIELDS, "town": launching.TOWN}
SEEDS = {"fields": 1, "town": 2}


def load(path):
  with np.load(path) as archive:
    return dict(archive)


def read(path):
  with rasterio.open(path) as raster:
    return raster.read()


def again(finished, inputs, run, config, kind):
  """Classifies a copy of a finished run again, now with probabilities; returns what it prints."""
  shutil.copytree(finished, run)
  (run / "metrics.json").unlink()
  command = launching.arguments(inputs, run, config, probabilities=kind)
  outcome = launching.launch(*command)
  assert outcome.status == 0, outcome.err
  return outcome.out


@pytest.fixture(scope="module")
def run(finished_by_folds, inputs, tmp_path_factory):
  """A run by folds with probabilities in bytes."""
  path = tmp_path_factory.mktemp("bytes") / "run"
  again(finished_by_folds, inputs, path, "folds.py", "uint8")
  return path


def test_a_run_with_probabilities_has_the_same_classes_and_networks(run, finished_by_folds):
  for name in ("predictions.npz", "confidence.npz", "mixtures.npz", "config.json"):
    assert (run / name).read_bytes() == (finished_by_folds / name).read_bytes()
  checksums.verify(run)
  for name in LABELS:
    folder = run / "maps" / name
    assert not list(folder.glob(".*"))
    assert f"  maps/{name}/probabilities.tif\n" in (run / checksums.NAME).read_text()


@pytest.mark.parametrize("name", LABELS)
def test_those_of_a_run_agree_with_its_map_and_confidence(run, name):
  found = read(run / "maps" / name / "probabilities.tif").astype(int)
  ids = np.unique(LABELS[name][LABELS[name] > 0])
  assert found.shape == (len(ids), *LABELS[name].shape)
  assert (found.sum(axis=0) == 250).all()
  np.testing.assert_array_equal(ids[found.argmax(axis=0)], load(run / "predictions.npz")[name][0])
  probability = load(run / "confidence.npz")[f"{name}/probability"][0]
  np.testing.assert_allclose(found.max(axis=0) / 250, probability, atol=2 / 250)
  spread = read(run / "maps" / name / "uncertainty.tif")
  assert ((spread >= 0) & (spread <= 1)).all()
  second = np.sort(found, axis=0)[-2]
  np.testing.assert_allclose(spread[1], probability - second / 250, atol=2 / 250)


@pytest.mark.parametrize("name", LABELS)
def test_those_of_an_image_are_those_of_the_run(run, name, tmp_path, monkeypatch):
  def quarters(height, width, *_):
    for rows in (slice(0, 6), slice(6, height)):
      yield from ((rows, columns) for columns in (slice(0, 5), slice(5, width)))

  np.save(tmp_path / "image.npy", launching.cube(LABELS[name], SEEDS[name]))
  found = []
  for stem in ("whole", "windows"):
    outcome = predict(run, tmp_path / "image.npy", scene=name, output=tmp_path / stem, probabilities="uint8")
    assert outcome.status == 0, outcome.err
    assert f"Probabilities: {tmp_path / stem}_probabilities.tif\n" in outcome.out
    monkeypatch.setattr("mtl_hsi.scenes.windows.image_windows", quarters)
    found.append(read(tmp_path / f"{stem}_probabilities.tif").astype(int))
    assert (found[-1].sum(axis=0) == 250).all()
    with rasterio.open(tmp_path / f"{stem}_probabilities.tif") as raster:
      ids = np.array([int(raster.tags(band)["CLASS_ID"]) for band in raster.indexes])
    np.testing.assert_array_equal(ids[found[-1].argmax(axis=0)], read_band(tmp_path / f"{stem}_classes.tif"))
    assert f"{stem}_uncertainty.tif" in (tmp_path / f"{stem}_SHA256SUMS").read_text()
  of_run = read(run / "maps" / name / "probabilities.tif").astype(int)
  assert max(np.abs(one - of_run).max() for one in found) <= 1


def test_votes_may_differ_from_the_most_probable_class(finished, inputs, tmp_path):
  out = again(finished, inputs, tmp_path / "run", "tiny.py", "float16")
  found = {name: read(tmp_path / "run" / "maps" / name / "probabilities.tif") for name in LABELS}
  for name, values in found.items():
    np.testing.assert_allclose(values.sum(axis=0), 1, atol=2e-3)
    prediction = load(finished / "predictions.npz")[name][0]
    ids = np.unique(LABELS[name][LABELS[name] > 0])
    mapped = np.take_along_axis(values, np.searchsorted(ids, prediction)[None], axis=0)
    outvoted = int((mapped < values).any(axis=0).sum())
    # Half precision does not tell whether another class that is as probable was more probable before.
    tied = int(((mapped == values).sum(axis=0) > 1).sum())
    (told,) = re.findall(rf"note: {name}: in ([0-9]+) pixel", out) or ["0"]
    assert outvoted <= int(told) <= outvoted + tied


def test_the_probabilities_of_a_complete_run_need_another_start(finished, run):
  (note,) = probabilities.missing("uint8", finished)
  assert "delete metrics.json there and repeat the command" in note
  assert not list(probabilities.missing("uint8", run))
  assert not list(probabilities.missing("none", finished))


def test_a_complete_run_says_so(finished, inputs):
  outcome = launching.launch(*launching.arguments(inputs, finished, probabilities="uint8"))
  assert outcome.status == 0, outcome.err
  assert "nothing to do" in outcome.out
  assert "note: the run was made without probabilities" in outcome.out


@pytest.mark.parametrize("asked", ["uint16", ""])
def test_another_kind_is_refused(finished, inputs, tmp_path, asked):
  expected = f"config key probabilities is '{asked}'; expected one of 'none', 'uint8', 'float16'"
  np.save(tmp_path / "image.npy", launching.cube(launching.FIELDS, 1))
  outcome = predict(finished, tmp_path / "image.npy", output=tmp_path / "map", probabilities=asked)
  assert outcome.status == 2
  assert expected in outcome.err
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run", probabilities=asked))
  assert outcome.status == 2
  assert expected in outcome.err
  assert not (tmp_path / "run").exists()


def test_an_image_with_probabilities_keeps_existing_ones(finished, tmp_path):
  np.save(tmp_path / "image.npy", launching.cube(launching.FIELDS, 1))
  (tmp_path / "map_probabilities.tif").write_text("precious")
  outcome = predict(finished, tmp_path / "image.npy", output=tmp_path / "map", probabilities="uint8")
  assert outcome.status == 2
  assert "map_probabilities.tif already exists and was not overwritten" in outcome.err
  assert (tmp_path / "map_probabilities.tif").read_text() == "precious"

"""Maps of images with a finished run by folds: mixtures, by all networks that saw all labels."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests import launching
from tests.prediction.predicting import predict, read_band

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SCENES = {"fields": (launching.FIELDS, 1), "town": (launching.TOWN, 2)}


def load(path):
  with np.load(path) as archive:
    return dict(archive)


@pytest.mark.parametrize("name", SCENES)
def test_a_training_scene_is_mapped_as_in_training(finished_by_folds, tmp_path, name):
  labels, seed = SCENES[name]
  np.save(tmp_path / "image.npy", launching.cube(labels, seed))
  outcome = predict(finished_by_folds, tmp_path / "image.npy", scene=name, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  assert "by 2 networks" in outcome.out
  confidence = load(finished_by_folds / "confidence.npz")
  np.testing.assert_array_equal(
    read_band(tmp_path / "map_classes.tif"), load(finished_by_folds / "predictions.npz")[name][0]
  )
  np.testing.assert_array_equal(
    read_band(tmp_path / "map_confidence.tif"), confidence[f"{name}/vote_share"][0]
  )
  np.testing.assert_allclose(
    read_band(tmp_path / "map_confidence.tif", 2), confidence[f"{name}/probability"][0], atol=1e-3
  )


def test_windows_change_no_class(finished_by_folds, tmp_path, monkeypatch):
  monkeypatch.setattr("mtl_hsi.scenes.windows.image_windows", _quarters)
  np.save(tmp_path / "image.npy", launching.cube(launching.FIELDS, 1))
  outcome = predict(finished_by_folds, tmp_path / "image.npy", scene="fields", output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  np.testing.assert_array_equal(
    read_band(tmp_path / "map_classes.tif"), load(finished_by_folds / "predictions.npz")["fields"][0]
  )
  np.testing.assert_allclose(
    read_band(tmp_path / "map_confidence.tif", 2),
    load(finished_by_folds / "confidence.npz")["fields/probability"][0],
    atol=1e-3,
  )


def _quarters(height, width, *_):
  for rows in (slice(0, 6), slice(6, height)):
    yield from ((rows, columns) for columns in (slice(0, 5), slice(5, width)))


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x")])
def test_a_missing_or_damaged_mixture_is_refused(finished_by_folds, tmp_path, damage):
  run = shutil.copytree(finished_by_folds, tmp_path / "run")
  damage(run / "mixtures.npz")
  np.save(tmp_path / "image.npy", launching.cube(launching.FIELDS, 1))
  outcome = predict(run, tmp_path / "image.npy", output=tmp_path / "map")
  assert outcome.status == 2
  assert outcome.err.count("\n") == 1
  assert "mixtures.npz" in outcome.err
  assert not list(tmp_path.glob("map*"))

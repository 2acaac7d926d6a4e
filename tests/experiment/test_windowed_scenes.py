"""Runs whose scenes are read by windows, and the same with scenes in memory."""

import json

import numpy as np
import pytest

from mtl_hsi.scenes import windows
from tests import launching

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

_RESULTS = (
  "split.npz",
  "scenes.json",
  "predictions.npz",
  "confidence.npz",
  "mixtures.npz",
  "left_out.npz",
  "unknown.npz",
)


def _train(inputs, workdir, config="tiny.py", **changes):
  outcome = launching.launch(*launching.arguments(inputs, workdir, config, whole_scene_mb=0, **changes))
  assert outcome.status == 0, outcome.err
  return workdir


def _metrics(run):
  metrics = json.loads((run / "metrics.json").read_text())
  return {key: metrics[key] for key in ("scenes", "leakage", "patch_overlap")}


def _load(path):
  with np.load(path) as archive:
    return dict(archive)


@pytest.fixture(scope="module")
def by_folds(inputs, tmp_path_factory):
  return _train(inputs, tmp_path_factory.mktemp("windowed") / "folds", "folds.py")


def test_all_results_are_those_of_scenes_in_memory(by_folds, finished_by_folds):
  for name in _RESULTS:
    assert (by_folds / name).read_bytes() == (finished_by_folds / name).read_bytes(), name
  assert _metrics(by_folds) == _metrics(finished_by_folds)
  maps = sorted(path.relative_to(by_folds) for path in (by_folds / "maps").rglob("*.*"))
  assert maps
  for path in maps:
    assert (by_folds / path).read_bytes() == (finished_by_folds / path).read_bytes(), path


def test_the_letters_protocol_gives_the_same_results(inputs, finished, tmp_path):
  run = _train(inputs, tmp_path / "run")
  for name in _RESULTS[:4]:
    assert (run / name).read_bytes() == (finished / name).read_bytes(), name


def test_several_windows_give_the_same_classes(inputs, by_folds, tmp_path, monkeypatch):
  monkeypatch.setattr(windows, "_WINDOW_VALUES", 40 * launching.BANDS)
  run = _train(inputs, tmp_path / "run", "folds.py")
  found, expected = _load(run / "predictions.npz"), _load(by_folds / "predictions.npz")
  for name, prediction in expected.items():
    assert (found[name] == prediction).mean() > 0.9


def test_an_svm_gives_the_same_results(inputs, tmp_path):
  config, changes = "tiny.py:letter", {"model.name": "svm", "samples_per_class": 4, "replicas": 1}
  whole = launching.launch(*launching.arguments(inputs, tmp_path / "whole", config, **changes))
  assert whole.status == 0, whole.err
  run = _train(inputs, tmp_path / "windowed", config, **changes)
  for name, prediction in _load(tmp_path / "whole" / "predictions.npz").items():
    np.testing.assert_array_equal(_load(run / "predictions.npz")[name], prediction)

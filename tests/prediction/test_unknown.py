"""Pixels that are unlike every class: `predict` with --config.unknown."""

import shutil

import numpy as np
import pytest
import rasterio

from mtl_hsi.classification.unlike import fit
from mtl_hsi.report.map_classes import free_id
from mtl_hsi.report.rasters import Legend
from mtl_hsi.runs.unknown_pixels import Unknown
from mtl_hsi.runs.unlike_record import UnlikeRecord
from tests import launching
from tests.prediction.predicting import predict, read_band, refresh_checksums, write_raster

# Rows of the scene `fields`, and columns in which another thing stands that is bright in all bands.
PLACE = slice(2, 8), slice(3, 9)


@pytest.fixture
def flight(tmp_path):
  """The scene `fields` with an object of no class."""
  values = launching.cube(launching.FIELDS, 1)
  values[PLACE] = 1800 + np.random.default_rng(0).normal(0, 50, (6, 6, launching.BANDS))
  write_raster(tmp_path / "flight.tif", values)
  return tmp_path / "flight.tif"


def test_unknown_pixels_are_a_class_of_the_map(finished_by_folds, flight, tmp_path):
  outcome = predict(finished_by_folds, flight, output=tmp_path / "map", unknown="mark")
  assert outcome.status == 0, outcome.err
  ids, score = read_band(tmp_path / "map_classes.tif"), read_band(tmp_path / "map_unknown.tif")
  share = read_band(tmp_path / "map_unknown.tif", 2)
  assert (ids[3:7, 4:8] == 10).all()
  np.testing.assert_array_equal(ids == 10, share <= 0.05)
  assert score[3:7, 4:8].min() > np.median(score[9:])
  count = (ids == 10).sum()
  assert f"10 unknown: {count} pixels" in outcome.out
  assert (
    f"Unlike every class: {count} pixels (if all land cover were known, about 5% would be): " in outcome.out
  )
  assert (tmp_path / "map_areas.csv").read_text().splitlines()[-1].startswith(f"10,unknown,{count},")
  with rasterio.open(tmp_path / "map_classes.tif") as raster:
    assert raster.colormap(1)[10] == (120, 120, 120, 255)
  assert "map_unknown.tif" in (tmp_path / "map_SHA256SUMS").read_text()


def test_with_score_the_map_stays_as_it_is(finished_by_folds, flight, tmp_path, monkeypatch):
  for name in ("none", "score"):
    outcome = predict(
      finished_by_folds, flight, output=tmp_path / name, unknown=name, probabilities="uint8", unknown_rate=0.2
    )
    assert outcome.status == 0, outcome.err
  for ending in ("_classes.tif", "_probabilities.tif", "_areas.csv"):
    assert (tmp_path / f"none{ending}").read_bytes() == (tmp_path / f"score{ending}").read_bytes()
  assert not (tmp_path / "none_unknown.tif").exists()
  assert "20% would be" in outcome.out
  # By windows, the scores are the same, and so are those of the whole scene.
  monkeypatch.setattr("mtl_hsi.scenes.windows.image_windows", _quarters)
  assert predict(finished_by_folds, flight, output=tmp_path / "parts", unknown="mark").status == 0
  for band in (1, 2):
    parts, whole = (read_band(tmp_path / f"{name}_unknown.tif", band) for name in ("parts", "score"))
    np.testing.assert_allclose(parts, whole, rtol=1e-4)


def _quarters(height, width, *_):
  for rows in (slice(0, 6), slice(6, height)):
    yield from ((rows, columns) for columns in (slice(0, 5), slice(5, width)))


def test_left_out_labels_set_the_rate(finished_by_folds):
  with (
    np.load(finished_by_folds / "unknown.npz") as arrays,
    np.load(finished_by_folds / "left_out.npz") as out,
  ):
    for name in ("fields", "town"):
      scores = arrays[f"{name}/left_out"]
      assert len(scores) == (out[f"{name}/class"] >= 0).sum()
      assert (np.diff(scores) >= 0).all()
      assert len(arrays[f"{name}/places"]) <= 150


@pytest.mark.parametrize(
  ("changes", "problem"),
  [
    ({"unknown": "both"}, "config key unknown is 'both'; expected"),
    ({"unknown": "mark", "unknown_rate": 0.0}, "config key unknown_rate is 0.0; expected a number above 0"),
    (
      {"unknown": "mark", "unknown_rate": 0.001},
      "left-out labels of 'fields' are known; expected a rate of 0.0",
    ),
  ],
)
def test_bad_requests_are_refused_in_one_line(finished_by_folds, flight, tmp_path, changes, problem):
  outcome = predict(finished_by_folds, flight, output=tmp_path / "map", **changes)
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert problem in outcome.err
  assert not list(tmp_path.glob("map*"))


def test_runs_that_do_not_know_are_refused(finished, flight, tmp_path):
  outcome = predict(finished, flight, output=tmp_path / "map", unknown="score")
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert "expected a run of version 0.3.0 or later with folds and MNF components" in outcome.err


@pytest.mark.parametrize("key", ["whitening", "places", "spread", "left_out"])
def test_damaged_records_are_refused(finished_by_folds, flight, tmp_path, key):
  run = shutil.copytree(finished_by_folds, tmp_path / "run")
  with np.load(run / "unknown.npz") as archive:
    arrays = dict(archive)
  arrays[f"fields/{key}"] = -arrays[f"fields/{key}"][:-1]
  np.savez(run / "unknown.npz", **arrays)
  refresh_checksums(run)
  outcome = predict(run, flight, output=tmp_path / "map", unknown="mark")
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert "unknown.npz" in outcome.err


def test_the_class_has_a_free_id():
  record = UnlikeRecord(fit(np.eye(3), np.arange(3)), np.arange(20, dtype=np.float32))
  found = Unknown(record, slice(0, 3), 1, 0.05, free_id({2, 65535}))
  assert found.class_id == 1
  legend = found.legend(Legend("map", {2: "a", 65535: "b"}, {2: (1, 2, 3), 65535: (4, 5, 6)}))
  assert list(legend.names.items()) == [(1, "unknown"), (2, "a"), (65535, "b")]
  assert legend.colours[1] == (120, 120, 120)

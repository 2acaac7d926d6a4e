"""Pixels that trained are found in the map of their scene and in other maps of the same ground."""

import json
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.assessment.class_map import open_class_map
from mtl_hsi.assessment.training import run_of, training_positions
from mtl_hsi.errors import RequestError
from mtl_hsi.runs.records import SCHEMAS
from mtl_hsi.scenes.scene import Georeference
from tests.assessment.maps import MAP, UTM, write_map

# Two networks; rows of the second are padded.
_TRAIN = np.array([[[1, 0], [1, 2], [19, 29]], [[1, 2], [4, 4], [-1, -1]]], np.int32)
_POSITIONS = [30, 32, 124, 599]


def write_run(directory: Path, place: Georeference | None = UTM) -> Path:
  """Writes what a run of the scene `fields` leaves, as far as it is read here; returns its map."""
  (directory / "maps" / "fields").mkdir(parents=True)
  record = {"schema": SCHEMAS["config.json"], "target": "fields"}
  (directory / "config.json").write_text(json.dumps(record))
  np.savez(directory / "split.npz", **{"fields/train": _TRAIN, "fields/test": _TRAIN[:, :1]})
  return write_map(directory / "maps" / "fields" / "prediction.tif", place=place)


def positions(run: Path, path: Path, scene: str | None = None) -> list[int]:
  with open_class_map(path) as class_map:
    return training_positions(run, scene, class_map).tolist()


def test_a_map_of_a_run_tells_its_run_and_scene(tmp_path):
  path = write_run(tmp_path / "run")
  assert run_of(path) == (tmp_path / "run", "fields")
  assert run_of(write_map(tmp_path / "other.tif")) is None


def test_pixels_of_all_networks_trained(tmp_path):
  assert positions(tmp_path / "run", write_run(tmp_path / "run")) == _POSITIONS


def test_in_a_map_without_a_place_they_are_at_the_same_pixels(tmp_path):
  path = write_run(tmp_path / "run", place=None)
  assert positions(tmp_path / "run", path, "fields") == _POSITIONS


def test_in_a_larger_mosaic_they_are_at_the_same_place(tmp_path):
  write_run(tmp_path / "run")
  # Two columns and one row more, at the left and top.
  a, b, c, d, e, f = UTM.transform
  place = Georeference(UTM.crs, (a, b, c - 2 * a, d, e, f - e))
  mosaic = write_map(tmp_path / "mosaic.tif", np.pad(MAP, ((1, 0), (2, 0))), place)
  expected = [(row + 1) * 32 + column + 2 for row, column in ((1, 0), (1, 2), (4, 4), (19, 29))]
  assert positions(tmp_path / "run", mosaic) == expected


def test_in_a_map_of_other_ground_there_are_none(tmp_path):
  write_run(tmp_path / "run")
  place = Georeference("EPSG:32634", UTM.transform)
  assert positions(tmp_path / "run", write_map(tmp_path / "far.tif", place=place)) == []


def test_a_map_of_another_size_without_a_place_is_refused(tmp_path):
  write_run(tmp_path / "run")
  path = write_map(tmp_path / "other.tif", MAP[1:], None)
  with pytest.raises(RequestError, match=r"other.tif has another size than the scene that trained"):
    positions(tmp_path / "run", path)


def test_a_scene_that_the_run_lacks_is_refused(tmp_path):
  path = write_run(tmp_path / "run")
  with pytest.raises(RequestError, match=r"config key scene is 'town'; the run in .* has fields"):
    positions(tmp_path / "run", path, "town")

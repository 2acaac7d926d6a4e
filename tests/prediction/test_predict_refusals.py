"""Requests that `configs/predict.py` rejects, and what remains after an interrupt."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.prediction import class_maps, image_classifier
from mtl_hsi.prediction import predict as predict_module
from mtl_hsi.runs.trained_run import read_run
from tests import launching
from tests.launching import BANDS, FIELDS, cube
from tests.prediction.predicting import PREDICT, predict, refresh_checksums, write_raster

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def test_a_changed_scenes_json_is_rejected(finished, fields, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  text = (run / "scenes.json").read_text()
  (run / "scenes.json").write_text(text.replace("fields", "meadow"))
  outcome = predict(run, fields, output=tmp_path / "map")
  assert outcome.status == 2
  assert f"error: {run / 'scenes.json'} is damaged: its SHA-256 is not the one in SHA256SUMS" in outcome.err
  assert not list(tmp_path.glob("map*"))


def test_a_run_without_checksums_is_rejected(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  (run / "SHA256SUMS").unlink()
  outcome = predict(run, fields, output=tmp_path / "map")
  assert outcome.status == 2
  assert f"error: {run / 'SHA256SUMS'} is missing; delete metrics.json there and repeat" in outcome.err
  assert not list(tmp_path.glob("map*"))


def test_replicas_of_a_run_with_a_single_one(finished):
  trained = read_run(finished)
  trained = dataclasses.replace(trained, ensemble=trained.ensemble._replace(maps=1))
  with pytest.raises(RequestError, match=f"is '7'; the run in {finished} has only replica 0$"):
    image_classifier.read_networks(trained, trained.scenes["fields"], 7)


@pytest.mark.parametrize(
  ("overrides", "message"),
  [
    ({"run": ""}, "nothing to predict: give the work directory of a finished run, --config.run=<path>"),
    ({"run": "/nowhere"}, "no such directory: /nowhere; expected the work directory of a finished run"),
    ({"scene": "sea"}, "config key scene is 'sea'; the run in .* has fields, town, village"),
    ({"replicas": "2"}, "config key replicas is '2'; the run in .* has replicas 0 to 1"),
    ({"replicas": "both"}, "config key replicas is 'both'; expected 'all' or one replica's number"),
    ({"nodata": "none"}, "config key nodata is 'none'; expected a number"),
    ({"scale": "0"}, "config key scale is '0'; expected a finite number other than 0"),
    ({"offset": "inf"}, "config key offset is 'inf'; expected a finite number"),
    ({"wavelength_unit": "cm"}, "config key wavelength_unit is 'cm'; expected one of 'nm', 'um'"),
    ({"classify.tile_pixels": "0"}, "classify.tile_pixels is 0; expected 1 or more"),
    ({"image": "/nowhere.tif"}, "no such file: /nowhere.tif"),
    ({"nodata": "7"}, "has no measurement"),
  ],
)
def test_invalid_requests_write_nothing(finished, tmp_path, overrides, message):
  write_raster(tmp_path / "flight.tif", np.full((5, 4, BANDS), 7, np.uint16))
  before = launching.contents(tmp_path)
  given = {"run": finished, "image": tmp_path / "flight.tif", "output": tmp_path / "map", **overrides}
  outcome = launching.launch(PREDICT, *(f"--config.{key}={value}" for key, value in given.items()))
  assert outcome.status == 2
  last = outcome.err.splitlines()[-1]
  assert last.startswith("error: ")
  assert re.search(message, last), last
  assert launching.contents(tmp_path) == before
  assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_the_message_about_bands_has_both_numbers(finished, tmp_path):
  write_raster(tmp_path / "wide.tif", np.ones((5, 4, BANDS + 1), np.uint16))
  before = launching.contents(tmp_path)
  outcome = predict(finished, tmp_path / "wide.tif", output=tmp_path / "map")
  assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
  assert re.search(
    rf"error: .*wide.tif has {BANDS + 1} bands, but scene 'fields' of .* has {BANDS};", outcome.err
  )
  assert launching.contents(tmp_path) == before


@pytest.mark.parametrize("ending", class_maps.ENDINGS)
def test_existing_files_are_not_overwritten(finished, fields, tmp_path, ending):
  (tmp_path / f"map{ending}").write_text("precious")
  before = launching.contents(tmp_path)
  outcome = predict(finished, fields, output=tmp_path / "map")
  assert outcome.status == 2
  assert f"map{ending} already exists and was not overwritten; choose another --config.output" in outcome.err
  assert launching.contents(tmp_path) == before


def test_a_truncated_image_leaves_no_files(finished, tmp_path):
  write_raster(tmp_path / "truncated.tif", cube(np.tile(FIELDS, (9, 9)), 1))
  whole = (tmp_path / "truncated.tif").read_bytes()
  (tmp_path / "truncated.tif").write_bytes(whole[: len(whole) // 2])
  before = launching.contents(tmp_path)
  outcome = predict(finished, tmp_path / "truncated.tif", output=tmp_path / "maps" / "map")
  assert outcome.status == 2
  assert re.search(r"error: .*truncated.tif .*may be truncated", outcome.err.splitlines()[-1]), outcome.err
  assert launching.contents(tmp_path) == before
  assert not (tmp_path / "maps").exists()


def test_an_interrupt_removes_the_incomplete_map(finished, fields, tmp_path):
  before = launching.contents(tmp_path)
  with mock.patch("mtl_hsi.prediction.class_maps.ClassMaps.write", side_effect=KeyboardInterrupt):
    outcome = predict(finished, fields, output=tmp_path / "maps" / "map")
  assert outcome.status == 130
  assert outcome.err.splitlines()[-1] == (
    "interrupted; the incomplete map was removed; run the same command again to start from scratch"
  )
  assert "Traceback" not in outcome.err
  assert launching.contents(tmp_path) == before
  assert not (tmp_path / "maps").exists()


def test_the_message_about_an_unfinished_run_has_the_command_to_resume_it(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  (run / "metrics.json").unlink()
  outcome = predict(run, fields)
  assert outcome.status == 2
  assert re.search(
    rf"the run in {run} is not finished; continue it with python .*launch.py --config=", outcome.err
  )


def test_an_svm_run_is_rejected(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  config = json.loads((run / "config.json").read_text())
  config["model"] |= {"name": "svm", "patch": None, "width": None}
  (run / "config.json").write_text(json.dumps(config))
  refresh_checksums(run)
  outcome = predict(run, fields)
  assert outcome.status == 2
  assert "model.name=svm, and SVMs are not saved" in outcome.err


@pytest.mark.parametrize("flag", ["--workdir=x", "--coordinator=auto", "--processes=2"])
def test_training_flags_are_rejected(finished, fields, flag):
  outcome = launching.launch(PREDICT, f"--config.run={finished}", f"--config.image={fields}", flag)
  assert outcome.status == 2
  assert "remove --coordinator, --processes and --workdir" in outcome.err


@pytest.mark.parametrize(
  ("output", "stem"),
  [
    ("maps/flight", "maps/flight"),
    ("maps/flight.tif", "maps/flight"),
    ("maps/flight_classes.TIF", "maps/flight"),
    ("maps/v1.2", "maps/v1.2"),
    ("maps/.tif", "maps/.tif"),
  ],
)
def test_an_output_may_name_one_of_its_files(output, stem):
  assert predict_module._output_stem(SimpleNamespace(output=output), None) == Path(stem)

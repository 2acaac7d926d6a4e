"""New images through a finished run: launch.py with configs/predict.py, on tiny scenes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import rasterio

from mtl_hsi.prediction import class_maps
from mtl_hsi.report import colours
from mtl_hsi.runs import workdir
from mtl_hsi.storage import atomic_files
from tests import launching
from tests.launching import BANDS, FIELDS, ROOT, TOWN, cube

PREDICT = f"--config={ROOT / 'configs' / 'predict.py'}"
_TRANSFORM = rasterio.Affine(2.0, 0.0, 500000.0, 0.0, -2.0, 5000000.0)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def predict(run: Path, image: Path, **overrides: object) -> launching.Outcome:
  """Predicts an image with a run."""
  changes = [f"--config.{key}={value}" for key, value in {"run": run, "image": image, **overrides}.items()]
  return launching.launch(PREDICT, *changes)


def finish_again(run: Path) -> None:
  """Has a run's files, as a test has changed them, count as what it wrote."""
  workdir.finish(run, json.loads((run / "metrics.json").read_text()))


def write_raster(path: Path, values: np.ndarray, **profile: object) -> None:
  """Writes `[H, W, B]` as a GeoTIFF in UTM zone 32."""
  height, width, count = values.shape
  options = {"driver": "GTiff", "height": height, "width": width, "count": count, "dtype": values.dtype}
  with rasterio.open(
    path, "w", **{**options, "crs": "EPSG:32632", "transform": _TRANSFORM, **profile}
  ) as raster:
    raster.write(values.transpose(2, 0, 1))


def read(path: Path, band: int = 1) -> np.ndarray:
  with rasterio.open(path) as raster:
    return raster.read(band)


@pytest.fixture
def fields(tmp_path) -> Path:
  """The scene `fields` that the run was trained on, as an image without labels."""
  path = tmp_path / "flight.tif"
  write_raster(path, cube(FIELDS, 1))
  return path


def test_a_run_whose_scenes_json_was_changed_is_refused(finished, fields, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  text = (run / "scenes.json").read_text()
  (run / "scenes.json").write_text(text.replace("fields", "meadow"))
  outcome = predict(run, fields, output=tmp_path / "map")
  assert outcome.status == 2
  assert f"error: {run / 'scenes.json'} is damaged: its SHA-256 is not the one in SHA256SUMS" in outcome.err
  assert not list(tmp_path.glob("map*"))


def test_a_run_without_its_sums_is_refused(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  (run / "SHA256SUMS").unlink()
  outcome = predict(run, fields, output=tmp_path / "map")
  assert outcome.status == 2
  assert f"error: {run / 'SHA256SUMS'} is missing; delete metrics.json there and repeat" in outcome.err
  assert not list(tmp_path.glob("map*"))


@pytest.mark.parametrize("replica", [0, 1])
@pytest.mark.parametrize(("name", "labels", "seed"), [("fields", FIELDS, 1), ("town", TOWN, 2)])
def test_a_scene_of_the_run_gets_the_labels_of_the_run(finished, tmp_path, name, labels, seed, replica):
  np.save(tmp_path / "image.npy", cube(labels, seed))
  outcome = predict(
    finished, tmp_path / "image.npy", scene=name, replicas=replica, output=tmp_path / "map",
    **{"classify.tile_pixels": 16},
  )  # fmt: skip
  assert outcome.status == 0, outcome.err
  with (
    np.load(finished / "predictions.npz") as predictions,
    np.load(finished / "confidence.npz") as confidence,
  ):
    np.testing.assert_array_equal(read(tmp_path / "map_classes.tif"), predictions[name][replica])
    np.testing.assert_array_equal(
      read(tmp_path / "map_confidence.tif"), confidence[f"{name}/vote_share"][replica]
    )
    np.testing.assert_array_equal(
      read(tmp_path / "map_confidence.tif", 2), confidence[f"{name}/probability"][replica]
    )


@pytest.mark.parametrize(("factor", "warned"), [(1e-4, True), (1.0, False), (2.0, False), (1e4, True)])
def test_values_that_must_be_of_another_unit_are_warned_of(finished, tmp_path, factor, warned):
  write_raster(tmp_path / "flight.tif", (factor * cube(FIELDS, 5)).astype(np.float32))
  outcome = predict(finished, tmp_path / "flight.tif", replicas=0, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  assert ("if they have another unit" in outcome.err) == warned
  assert (tmp_path / "map_classes.tif").exists()


def test_an_image_is_read_as_its_scene_was(finished, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  config = json.loads((run / "config.json").read_text())
  config["files"]["fields"] |= {"scale": "2", "offset": "1", "bad_bands": "2", "nodata": "-5"}
  (run / "config.json").write_text(json.dumps(config))
  finish_again(run)
  stored = np.insert((cube(FIELDS, 1).astype(np.float32) - 1) / 2, 2, 0, axis=-1)
  np.save(tmp_path / "image.npy", stored)
  outcome = predict(run, tmp_path / "image.npy", replicas=0, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  assert "As in training: nodata=-5, scale=2, offset=1, bad_bands=2" in outcome.out
  with np.load(finished / "predictions.npz") as predictions:
    np.testing.assert_array_equal(read(tmp_path / "map_classes.tif"), predictions["fields"][0])
  # It may come without the bands that were left out, and say itself what was not measured.
  write_raster(tmp_path / "a.tif", np.delete(stored, 2, axis=-1), nodata=-9999)
  outcome = predict(run, tmp_path / "a.tif", replicas=0, output=tmp_path / "other")
  assert outcome.status == 0, outcome.err
  assert "As in training: scale=2, offset=1\n" in outcome.out
  assert "Taken from the file, other than in training: nodata=-5\n" in outcome.out
  # So it may what its values mean.
  write_raster(tmp_path / "a.tif", np.delete(stored, 2, axis=-1) / 50)
  with rasterio.open(tmp_path / "a.tif", "r+") as raster:
    raster.scales = [100.0] * raster.count
    raster.offsets = [1.0] * raster.count
  outcome = predict(run, tmp_path / "a.tif", replicas=0, output=tmp_path / "scaled")
  assert outcome.status == 0, outcome.err
  assert "As in training: nodata=-5\n" in outcome.out
  assert "Taken from the file, other than in training: scale=2, offset=1\n" in outcome.out
  np.testing.assert_array_equal(read(tmp_path / "scaled_classes.tif"), read(tmp_path / "other_classes.tif"))


# The parts of configs/best.py, on networks that are cheap.
BEST = {
  **{"model.name": "vresnet", "model.patch": 5, "model.width": 6, "scaling": "per_band", "batch_size": 8},
  "mnf_components": 4,
  **{"steps_per_epoch": 4, "augmentation": "symmetries", "patch_shift": 1, "balanced": True},
  **{"label_smoothing": 0.1, "warmup": 0.1},
  **{"learning_rate_decay": "cosine", "weight_averaging": 0.9, "classify.symmetries": True},
  **{"radiometric_jitter": 0.05, "band_dropout": 0.1, "classify.smoothing.steps": 4},
}


@pytest.mark.slow
def test_a_run_in_all_symmetries_and_smoothed_predicts_as_it_classified(inputs, fields, tmp_path):
  run = tmp_path / "run"
  outcome = launching.launch(*launching.arguments(inputs, run, **BEST))
  assert outcome.status == 0, outcome.err
  assert "vresnet, first convolution shared" in outcome.out

  def predicts_as_it_classified(name):
    outcome = predict(run, fields, replicas=1, output=tmp_path / name, **{"classify.tile_pixels": 16})
    assert outcome.status == 0, outcome.err
    with np.load(run / "predictions.npz") as predictions:
      np.testing.assert_array_equal(read(tmp_path / f"{name}_classes.tif"), predictions["fields"][1])

  predicts_as_it_classified("map")
  # A run that another machine began goes on with the numbers that this one rounded its own way.
  scenes = json.loads((run / "scenes.json").read_text())
  for entry in scenes["scenes"].values():
    entry["components"] = (np.array(entry["components"]) * (1 + 4e-5)).tolist()
    entry["contrast"] *= 1 + 4e-5
  (run / "scenes.json").write_bytes(atomic_files.json_bytes(scenes))
  for name in ("metrics.json", "predictions.npz", "report.html"):
    (run / name).unlink()
  outcome = launching.launch(*launching.arguments(inputs, run, **BEST))
  assert outcome.status == 0, outcome.err
  assert json.loads((run / "scenes.json").read_text()) == scenes
  predicts_as_it_classified("again")


def test_windows_change_no_label(finished, tmp_path, monkeypatch):
  write_raster(tmp_path / "flight.tif", cube(np.tile(FIELDS, (3, 4)), 5))
  assert predict(finished, tmp_path / "flight.tif", output=tmp_path / "whole").status == 0
  monkeypatch.setattr("mtl_hsi.report.rasters.BLOCK", 16)
  monkeypatch.setattr("mtl_hsi.classification.tiles._WINDOW_VALUES", 20 * 20 * BANDS)
  assert predict(finished, tmp_path / "flight.tif", output=tmp_path / "parts").status == 0
  for ending in ("_classes.tif", "_classes.img"):
    np.testing.assert_array_equal(read(tmp_path / f"whole{ending}"), read(tmp_path / f"parts{ending}"))
  assert (tmp_path / "whole_classes.png").read_bytes() == (tmp_path / "parts_classes.png").read_bytes()
  for band in (1, 2):
    whole, parts = (read(tmp_path / f"{name}_confidence.tif", band) for name in ("whole", "parts"))
    np.testing.assert_allclose(whole, parts, atol=1e-3)


def test_rasters_keep_place_colours_and_names(finished, fields, tmp_path):
  outcome = predict(finished, fields, output=f"{tmp_path}/")
  assert outcome.status == 0, outcome.err
  names = json.loads((finished / "scenes.json").read_text())["scenes"]["fields"]["classes"]
  for ending in ("_classes.tif", "_classes.img", "_confidence.tif"):
    with rasterio.open(tmp_path / f"flight{ending}") as raster:
      assert raster.crs.to_epsg() == 32632
      assert raster.transform == _TRANSFORM
  with rasterio.open(tmp_path / "flight_classes.tif") as raster:
    assert raster.nodata == 0
    table = raster.colormap(1)
    assert [table[i][:3] for i in (1, 4, 9)] == [colours.class_colour(place) for place in range(3)]
    assert {key: raster.tags(1)[f"CLASS_{key}"] for key in names} == names
  assert "<Category>" in (tmp_path / "flight_classes.tif.aux.xml").read_text()
  header = (tmp_path / "flight_classes.hdr").read_text()
  assert "file type = ENVI Classification\n" in header
  assert "classes = 10\n" in header
  assert "partial" not in header
  assert "description = {flight: classes of fields}\n" in header
  with rasterio.open(tmp_path / "flight_classes.img") as raster:
    assert raster.colormap(1)[4][:3] == colours.class_colour(1)
  np.testing.assert_array_equal(read(tmp_path / "flight_classes.img"), read(tmp_path / "flight_classes.tif"))
  with rasterio.open(tmp_path / "flight_confidence.tif") as raster:
    share, probability = raster.read()
  assert ((share > 0) & (share <= 1)).all()
  assert ((probability > 0) & (probability <= 1)).all()
  # Two replicas of two snapshots vote together.
  assert set(np.unique(share)) <= {0.25, 0.5, 0.75, 1.0}


def test_areas_of_the_classes_stand_beside_the_map(finished, fields, tmp_path):
  outcome = predict(finished, fields, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  ids, counts = np.unique(read(tmp_path / "map_classes.tif"), return_counts=True)
  table = [row.split(",") for row in (tmp_path / "map_areas.csv").read_text().splitlines()[1:]]
  found = {int(row[0]): (int(row[2]), float(row[3])) for row in table}
  assert list(found) == [1, 4, 9]
  # Pixels of 2 x 2 m.
  wanted = {i: (n, round(0.0004 * n, 4)) for i, n in zip(ids.tolist(), counts.tolist())}
  assert {i: own for i, own in found.items() if own[0]} == wanted
  assert re.search(rf"^{ids[0]} class {ids[0]}: {counts[0]} pixels, 0\.\d\d ha$", outcome.out, re.MULTILINE)


def test_pixels_without_measurement_are_left_out(finished, tmp_path):
  values = cube(FIELDS, 1).astype(np.float32)
  values[2:4, 3:9] = -9999
  values[7, 1, 2] = np.nan
  write_raster(tmp_path / "holes.tif", values, nodata=-9999)
  outcome = predict(finished, tmp_path / "holes.tif", output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  missing = (values == -9999).any(axis=2) | np.isnan(values).any(axis=2)
  np.testing.assert_array_equal(read(tmp_path / "map_classes.tif") == 0, missing)
  np.testing.assert_array_equal(np.isnan(read(tmp_path / "map_confidence.tif")), missing)


def test_the_default_output_lies_in_the_run(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  outcome = predict(run, fields)
  assert outcome.status == 0, outcome.err
  assert (run / "predictions" / "fields_flight_classes.png").is_file()
  assert f"Class map: {run / 'predictions' / 'fields_flight_classes.tif'}, " in outcome.out


def test_bands_at_other_wavelengths_are_warned_of(finished, tmp_path):
  centres = np.array([450.0, 500, 550, 600, 650, 712])
  table = "\n".join(["wavelength_nm", *map(str, centres)])
  (tmp_path / "bands.csv").write_text(table + "\n")
  np.save(tmp_path / "village.npy", cube(FIELDS))
  outcome = predict(
    finished, tmp_path / "village.npy", scene="village", output=tmp_path / "map",
    wavelengths=tmp_path / "bands.csv", wavelength_unit="nm",
  )  # fmt: skip
  assert outcome.status == 0, outcome.err
  assert "band 5 (from 0)" in outcome.err
  assert "712.0 nm, but at 700.0 nm in training" in outcome.err


@pytest.mark.parametrize(
  ("overrides", "message"),
  [
    ({"run": ""}, "nothing to predict: give the work directory of a finished run, --config.run=<path>"),
    ({"run": "/nowhere"}, "/nowhere is not the work directory of a run: it has no config.json"),
    ({"scene": "sea"}, "config key scene is 'sea'; the run in .* has fields, town, village"),
    ({"replicas": "2"}, "config key replicas is '2'; the run in .* has replicas 0 to 1"),
    ({"replicas": "both"}, "config key replicas is 'both'; expected 'all' or one replica's number"),
    ({"nodata": "none"}, "config key nodata is 'none'; expected a number"),
    ({"scale": "0"}, "config key scale is '0'; expected a finite number but 0"),
    ({"offset": "inf"}, "config key offset is 'inf'; expected a finite number"),
    ({"wavelength_unit": "cm"}, "config key wavelength_unit is 'cm'; expected one of 'nm', 'um'"),
    ({"classify.tile_pixels": "0"}, "classify.tile_pixels is 0; expected 1 or more"),
    ({"image": "/nowhere.tif"}, "no such file: /nowhere.tif"),
    ({"nodata": "7"}, "has no measurement"),
  ],
)
def test_what_cannot_be_predicted_is_refused(finished, tmp_path, overrides, message):
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


def test_an_image_of_other_bands_is_refused_with_both_numbers(finished, tmp_path):
  write_raster(tmp_path / "wide.tif", np.ones((5, 4, BANDS + 1), np.uint16))
  before = launching.contents(tmp_path)
  outcome = predict(finished, tmp_path / "wide.tif", output=tmp_path / "map")
  assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
  assert re.search(
    rf"error: .*wide.tif has {BANDS + 1} bands, but scene 'fields' of .* has {BANDS};", outcome.err
  )
  assert launching.contents(tmp_path) == before


@pytest.mark.parametrize("ending", class_maps.ENDINGS)
def test_nothing_is_written_over(finished, fields, tmp_path, ending):
  (tmp_path / f"map{ending}").write_text("precious")
  before = launching.contents(tmp_path)
  outcome = predict(finished, fields, output=tmp_path / "map")
  assert outcome.status == 2
  assert f"map{ending} already exists and was not overwritten; choose another --config.output" in outcome.err
  assert launching.contents(tmp_path) == before


def test_a_torn_image_is_refused_and_leaves_nothing(finished, tmp_path):
  write_raster(tmp_path / "torn.tif", cube(np.tile(FIELDS, (9, 9)), 1))
  whole = (tmp_path / "torn.tif").read_bytes()
  (tmp_path / "torn.tif").write_bytes(whole[: len(whole) // 2])
  before = launching.contents(tmp_path)
  outcome = predict(finished, tmp_path / "torn.tif", output=tmp_path / "maps" / "map")
  assert outcome.status == 2
  assert re.search(r"error: .*torn.tif .*may be truncated", outcome.err.splitlines()[-1]), outcome.err
  assert launching.contents(tmp_path) == before
  assert not (tmp_path / "maps").exists()


def test_an_interrupt_leaves_nothing_of_a_map_and_says_so(finished, fields, tmp_path):
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


def test_an_unfinished_run_is_refused_with_how_to_go_on(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  (run / "metrics.json").unlink()
  outcome = predict(run, fields)
  assert outcome.status == 2
  assert re.search(
    rf"the run in {run} is not finished; go on with it by python .*launch.py --config=", outcome.err
  )


def test_a_run_of_svms_is_refused(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  config = json.loads((run / "config.json").read_text())
  config["model"]["name"] = "svm"
  (run / "config.json").write_text(json.dumps(config))
  finish_again(run)
  outcome = predict(run, fields)
  assert outcome.status == 2
  assert "model.name=svm, whose machines are not kept" in outcome.err


@pytest.mark.parametrize("flag", ["--workdir=x", "--coordinator=auto", "--processes=2"])
def test_flags_of_training_mean_nothing_to_a_prediction(finished, fields, flag):
  outcome = launching.launch(PREDICT, f"--config.run={finished}", f"--config.image={fields}", flag)
  assert outcome.status == 2
  assert "remove --coordinator, --processes and --workdir" in outcome.err


@pytest.mark.slow
def test_a_large_image_takes_little_memory(tmp_path):
  """The measurement of experiments/large_image.py on a smaller image, 480 MB as the network reads it."""
  command = [sys.executable, ROOT / "experiments" / "large_image.py", tmp_path / "large", "--side=1550"]
  command += [f"--out={tmp_path / 'large.json'}"]
  result = subprocess.run(command, capture_output=True, text=True, check=True)
  assert json.loads(result.stdout.splitlines()[-1])["peak_gib"] < 2
  classes = read(tmp_path / "large" / "map_classes.tif")
  np.testing.assert_array_equal(classes == 0, read(tmp_path / "large" / "image.tif") == 0)

"""Maps of new images with a finished run: `launch.py --config=configs/predict.py` on tiny scenes."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import rasterio

from mtl_hsi.prediction.class_maps import ClassArea
from mtl_hsi.prediction.predict import _area_line, _wrapped
from mtl_hsi.report import colours
from mtl_hsi.storage import atomic_files
from tests import launching
from tests.launching import BANDS, FIELDS, ROOT, TOWN, cube
from tests.prediction.predicting import TRANSFORM, predict, read_band, refresh_checksums, write_raster

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.mark.parametrize("replica", [0, 1])
@pytest.mark.parametrize(("name", "labels", "seed"), [("fields", FIELDS, 1), ("town", TOWN, 2)])
def test_a_training_scene_is_mapped_as_in_training(finished, tmp_path, name, labels, seed, replica):
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
    np.testing.assert_array_equal(read_band(tmp_path / "map_classes.tif"), predictions[name][replica])
    np.testing.assert_array_equal(
      read_band(tmp_path / "map_confidence.tif"), confidence[f"{name}/vote_share"][replica]
    )
    np.testing.assert_array_equal(
      read_band(tmp_path / "map_confidence.tif", 2), confidence[f"{name}/probability"][replica]
    )


@pytest.mark.parametrize(("factor", "far"), [(1, False), (2, True)])
def test_it_is_told_how_far_an_image_is_from_the_scene(finished, tmp_path, factor, far):
  np.save(tmp_path / "flight.npy", factor * cube(FIELDS, 1))
  outcome = predict(finished, tmp_path / "flight.npy", replicas=0, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  told, other = (outcome.err, outcome.out) if far else (outcome.out, outcome.err)
  assert told.count("of the pixels are outside the range of 'fields' in training (1% of its own are)") == 1
  assert "outside the range" not in other
  rows = (tmp_path / "map_shift.csv").read_text().splitlines()
  assert len(rows) == 2 + BANDS
  assert (float(rows[1].split(",")[1]) > 20) == far
  assert "map_shift.csv" in (tmp_path / "map_SHA256SUMS").read_text()
  assert "already exists" in predict(finished, tmp_path / "flight.npy", output=tmp_path / "map").err


def test_a_run_that_does_not_know_the_ranges_of_its_scenes_predicts(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  scenes = json.loads((run / "scenes.json").read_text())
  for entry in scenes["scenes"].values():
    del entry["ranges"]
  (run / "scenes.json").write_text(json.dumps(scenes))
  refresh_checksums(run)
  outcome = predict(run, fields, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  assert "outside the range" not in outcome.out + outcome.err
  assert not (tmp_path / "map_shift.csv").exists()


@pytest.mark.parametrize(("factor", "warned"), [(1e-4, True), (1.0, False), (2.0, False), (1e4, True)])
def test_values_in_another_unit_give_a_warning(finished, tmp_path, factor, warned):
  write_raster(tmp_path / "flight.tif", (factor * cube(FIELDS, 5)).astype(np.float32))
  outcome = predict(finished, tmp_path / "flight.tif", replicas=0, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  assert ("if they have another unit" in outcome.err) == warned
  assert (tmp_path / "map_classes.tif").exists()


def test_an_image_inherits_the_keys_of_its_scene(finished, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  config = json.loads((run / "config.json").read_text())
  config["files"]["fields"] |= {"scale": "2", "offset": "1", "bad_bands": "2", "nodata": "-5"}
  (run / "config.json").write_text(json.dumps(config))
  refresh_checksums(run)
  stored = np.insert((cube(FIELDS, 1).astype(np.float32) - 1) / 2, 2, 0, axis=-1)
  np.save(tmp_path / "image.npy", stored)
  outcome = predict(run, tmp_path / "image.npy", replicas=0, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  assert "As in training: nodata=-5, scale=2, offset=1, bad_bands=2" in outcome.out
  with np.load(finished / "predictions.npz") as predictions:
    np.testing.assert_array_equal(read_band(tmp_path / "map_classes.tif"), predictions["fields"][0])
  # The bad bands may be missing in the file already, and the file may declare its own nodata value.
  write_raster(tmp_path / "a.tif", np.delete(stored, 2, axis=-1), nodata=-9999)
  outcome = predict(run, tmp_path / "a.tif", replicas=0, output=tmp_path / "other")
  assert outcome.status == 0, outcome.err
  assert "As in training: scale=2, offset=1\n" in outcome.out
  assert "Taken from the file, other than in training: nodata=-5\n" in outcome.out
  # The file may also declare its own scale and offset.
  write_raster(tmp_path / "a.tif", np.delete(stored, 2, axis=-1) / 50)
  with rasterio.open(tmp_path / "a.tif", "r+") as raster:
    raster.scales = [100.0] * raster.count
    raster.offsets = [1.0] * raster.count
  outcome = predict(run, tmp_path / "a.tif", replicas=0, output=tmp_path / "scaled")
  assert outcome.status == 0, outcome.err
  assert "As in training: nodata=-5\n" in outcome.out
  assert "Taken from the file, other than in training: scale=2, offset=1\n" in outcome.out
  np.testing.assert_array_equal(
    read_band(tmp_path / "scaled_classes.tif"), read_band(tmp_path / "other_classes.tif")
  )


# The options of configs/best.py with a small network.
BEST = {
  **{"model.name": "vresnet", "model.patch": 5, "model.width": 6, "scaling": "per_band", "batch_size": 8},
  "mnf_components": 4,
  **{"steps_per_epoch": 4, "augmentation": "symmetries", "patch_shift": 1, "balanced": True},
  **{"label_smoothing": 0.1, "warmup": 0.1},
  **{"learning_rate_decay": "cosine", "weight_averaging": 0.9, "classify.symmetries": True},
  **{"radiometric_jitter": 0.05, "band_dropout": 0.1, "classify.smoothing.steps": 4},
}


@pytest.mark.slow
def test_predicting_repeats_the_classification_of_the_recommended_recipe(inputs, fields, tmp_path):
  run = tmp_path / "run"
  outcome = launching.launch(*launching.arguments(inputs, run, **BEST))
  assert outcome.status == 0, outcome.err
  assert "Model vresnet, shared first layer." in outcome.out

  def predicts_as_it_classified(name):
    outcome = predict(run, fields, replicas=1, output=tmp_path / name, **{"classify.tile_pixels": 16})
    assert outcome.status == 0, outcome.err
    with np.load(run / "predictions.npz") as predictions:
      np.testing.assert_array_equal(read_band(tmp_path / f"{name}_classes.tif"), predictions["fields"][1])

  predicts_as_it_classified("map")
  # Another machine may have rounded the scene records differently; a resumed run keeps them.
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


def test_the_map_does_not_depend_on_the_windows(finished, tmp_path, monkeypatch):
  write_raster(tmp_path / "flight.tif", cube(np.tile(FIELDS, (3, 4)), 5))
  assert predict(finished, tmp_path / "flight.tif", output=tmp_path / "whole").status == 0
  monkeypatch.setattr("mtl_hsi.report.rasters.BLOCK", 16)
  monkeypatch.setattr("mtl_hsi.scenes.windows._WINDOW_VALUES", 20 * 20 * BANDS)
  assert predict(finished, tmp_path / "flight.tif", output=tmp_path / "parts").status == 0
  for ending in ("_classes.tif", "_classes.img"):
    np.testing.assert_array_equal(
      read_band(tmp_path / f"whole{ending}"), read_band(tmp_path / f"parts{ending}")
    )
  assert (tmp_path / "whole_classes.png").read_bytes() == (tmp_path / "parts_classes.png").read_bytes()
  for band in (1, 2):
    whole, parts = (read_band(tmp_path / f"{name}_confidence.tif", band) for name in ("whole", "parts"))
    np.testing.assert_allclose(whole, parts, atol=1e-3)


def test_rasters_have_georeference_colours_and_names(finished, fields, tmp_path):
  outcome = predict(finished, fields, output=f"{tmp_path}/")
  assert outcome.status == 0, outcome.err
  names = json.loads((finished / "scenes.json").read_text())["scenes"]["fields"]["classes"]
  for ending in ("_classes.tif", "_classes.img", "_confidence.tif"):
    with rasterio.open(tmp_path / f"flight{ending}") as raster:
      assert raster.crs.to_epsg() == 32632
      assert raster.transform == TRANSFORM
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
  np.testing.assert_array_equal(
    read_band(tmp_path / "flight_classes.img"), read_band(tmp_path / "flight_classes.tif")
  )
  with rasterio.open(tmp_path / "flight_confidence.tif") as raster:
    share, probability = raster.read()
  assert ((share > 0) & (share <= 1)).all()
  assert ((probability > 0) & (probability <= 1)).all()
  # Two replicas of two snapshots vote together.
  assert set(np.unique(share)) <= {0.25, 0.5, 0.75, 1.0}


def test_a_long_name_is_shortened_so_that_the_figures_stay_visible():
  line = _area_line(ClassArea(12, "winter wheat " * 9, 1234567, 12345.6))
  assert len(line) <= 80
  assert line.startswith("12 winter wheat winter")
  assert line.endswith("...: 1,234,567 pixels, 12,345.60 ha")
  assert _area_line(ClassArea(1, "maize", 1, None)) == "1 maize: 1 pixel"


def test_a_note_is_wrapped_without_cutting_words():
  assert max(map(len, _wrapped("note: " + "no position " * 20).splitlines())) <= 80
  path = "maps/" + "long-name/" * 12
  assert path in _wrapped(f"note: see {path}").splitlines()


def test_class_areas_are_written_and_printed(finished, fields, tmp_path):
  outcome = predict(finished, fields, output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  ids, counts = np.unique(read_band(tmp_path / "map_classes.tif"), return_counts=True)
  table = [row.split(",") for row in (tmp_path / "map_areas.csv").read_text().splitlines()[1:]]
  found = {int(row[0]): (int(row[2]), float(row[3])) for row in table}
  assert list(found) == [1, 4, 9]
  # Pixels of 2 x 2 m.
  wanted = {i: (n, round(0.0004 * n, 4)) for i, n in zip(ids.tolist(), counts.tolist())}
  assert {i: area for i, area in found.items() if area[0]} == wanted
  assert re.search(rf"^{ids[0]} class {ids[0]}: {counts[0]} pixels, 0\.\d\d ha$", outcome.out, re.MULTILINE)


def test_nodata_pixels_are_not_classified(finished, tmp_path):
  values = cube(FIELDS, 1).astype(np.float32)
  values[2:4, 3:9] = -9999
  values[7, 1, 2] = np.nan
  write_raster(tmp_path / "holes.tif", values, nodata=-9999)
  outcome = predict(finished, tmp_path / "holes.tif", output=tmp_path / "map")
  assert outcome.status == 0, outcome.err
  missing = (values == -9999).any(axis=2) | np.isnan(values).any(axis=2)
  np.testing.assert_array_equal(read_band(tmp_path / "map_classes.tif") == 0, missing)
  np.testing.assert_array_equal(np.isnan(read_band(tmp_path / "map_confidence.tif")), missing)


def test_the_default_output_is_in_the_work_directory(finished, fields, tmp_path):
  run = shutil.copytree(finished, tmp_path / "run")
  outcome = predict(run, fields)
  assert outcome.status == 0, outcome.err
  assert (run / "predictions" / "fields_flight_classes.png").is_file()
  assert f"Class map: {run / 'predictions' / 'fields_flight_classes.tif'}, " in outcome.out


def test_bands_are_matched_by_wavelength(finished, tmp_path):
  centres, order = np.array([450.0, 500, 550, 600, 650, 700]), np.array([3, 0, 5, 1, 2, 4])
  values = cube(FIELDS)
  images = {"plain": (centres, values), "mixed": (centres[order], values[..., order])}
  for name, (wavelengths, bands) in images.items():
    np.savez(tmp_path / f"{name}.npz", cube=bands, wavelengths=wavelengths)
    outcome = predict(finished, tmp_path / f"{name}.npz", scene="village", output=tmp_path / name)
    assert outcome.status == 0, outcome.err
  assert "all bands are used, their order is another one" in outcome.out
  maps = [read_band(tmp_path / f"{name}_classes.tif") for name in images]
  np.testing.assert_array_equal(*maps)


@pytest.mark.slow
def test_a_large_image_needs_little_memory(tmp_path):
  """Runs experiments/large_image.py on a smaller image (865 MB as network input)."""
  command = [sys.executable, ROOT / "experiments" / "large_image.py", tmp_path / "large", "--side=1550"]
  command += [f"--out={tmp_path / 'large.json'}"]
  result = subprocess.run(command, capture_output=True, text=True, check=True)
  assert json.loads(result.stdout.splitlines()[-1])["peak_gib"] < 2.5
  classes = read_band(tmp_path / "large" / "map_classes.tif")
  np.testing.assert_array_equal(classes == 0, read_band(tmp_path / "large" / "image.tif") == 0)

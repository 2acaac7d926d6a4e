"""What scenes.json records."""

import dataclasses
import hashlib
import json
import os

import numpy as np

from mtl_hsi.channels import inputs, scaling
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.experiment import problem, scenes_record
from mtl_hsi.storage import atomic_files
from tests import launching
from tests.experiment.problems import BLUE_TO_RED, GREEN_TO_INFRARED, prepare, scene

_DAMAGED = b'{"scenes": {"fields": {"components": [["x"]], "contrast": 1, "ranges": 1}}}'


def test_changed_pixels_change_what_is_written_of_a_scene(settings):
  plain = scene()
  cube = plain.cube.copy()
  cube[3, 4, 5] += 1
  texts = [
    scenes_record.describe(prepare(settings, own))["fields"]
    for own in (plain, plain, dataclasses.replace(plain, cube=cube))
  ]
  assert texts[0] == texts[1]
  assert texts[0]["cube_sha256"] != texts[2]["cube_sha256"]
  assert texts[0]["labels_sha256"] == texts[2]["labels_sha256"]


def test_rounding_of_components_and_contrast_is_no_change_of_the_scenes(settings, tmp_path):
  made = prepare(settings, scene(), bands__scaling=scaling.by_band, bands__mnf_components=3)
  own, path = dataclasses.replace(made.inputs["fields"], contrast=0.5), tmp_path / "scenes.json"

  def described(**changes):
    return scenes_record.describe(
      dataclasses.replace(made, inputs={"fields": dataclasses.replace(own, **changes)})
    )

  written = described()
  assert scenes_record.keep_recorded_values(written, path) == written
  path.write_bytes(atomic_files.json_bytes({"scenes": written}))
  for change, kept in [(1e-6, True), (0.1, False)]:
    for changes in ({"components": own.components + np.float32(change)}, {"contrast": 0.5 + change}):
      found = described(**changes)
      assert found != written
      assert (scenes_record.keep_recorded_values(found, path) == written) == kept
  # Records of earlier versions have no ranges, and stay as they are.
  earlier = {"fields": {key: value for key, value in written["fields"].items() if key != "ranges"}}
  assert earlier != written
  path.write_bytes(atomic_files.json_bytes({"scenes": earlier}))
  assert scenes_record.keep_recorded_values(written, path) == earlier
  path.write_bytes(atomic_files.json_bytes({"scenes": written}))
  other = dataclasses.replace(made, scenes={"fields": dataclasses.replace(scene(), cube=scene().cube + 1)})
  assert scenes_record.keep_recorded_values(scenes_record.describe(other), path) != written
  for damaged in (b"[]", b"{", _DAMAGED):
    path.write_bytes(damaged)
    assert scenes_record.keep_recorded_values(written, path) == written


def test_what_new_images_need_is_described(settings):
  def six(_):
    return Scaling(np.arange(6.0), 10 * np.arange(1.0, 7.0))

  made = prepare(
    settings,
    scene(sensor="camera", provenance="made up"),
    bands__reversed=frozenset({"fields"}),
    bands__scaling=six,
  )
  assert scenes_record.describe(made) == {
    "fields": {
      "shape": [12, 10, 6],
      "sensor": "camera",
      "simulated": False,
      "provenance": "made up",
      "classes": {"1": "a", "4": "b", "9": "c"},
      "cube_sha256": hashlib.sha256(made.scenes["fields"].cube.tobytes()).hexdigest(),
      "labels_sha256": hashlib.sha256(launching.FIELDS.tobytes()).hexdigest(),
      "bands": [5, 4, 3, 2, 1, 0],
      "offset": [5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
      "scale": [60.0, 50.0, 40.0, 30.0, 20.0, 10.0],
      "ranges": made.inputs["fields"].ranges.tolist(),
    }
  }


def test_resampling_is_restored_from_what_is_written_of_it(settings):
  scenes = scene(**BLUE_TO_RED), scene("other", bands=10, **GREEN_TO_INFRARED)
  made = prepare(settings, *scenes, bands__alignment="wavelength", bands__scaling=scaling.by_band)
  written = json.loads(atomic_files.json_bytes(scenes_record.describe(made)))
  assert written["other"]["channels"] == {"centres": [550.0, 600.0, 650.0], "widths": [60.0] * 3}
  for layer, name in zip(problem.layers(made), scenes, strict=True):
    restored = inputs.read_inputs(written[name.name])
    np.testing.assert_array_equal(restored(layer.cube, None), layer.inputs(layer.cube, None))


def test_files_that_were_modified_after_the_run_are_found_in_folders_too(tmp_path):
  (tmp_path / "product" / "parts").mkdir(parents=True)
  files = [tmp_path / "cube.npy", tmp_path / "product" / "parts" / "image.tif"]
  for path in files:
    path.touch()
    os.utime(path, (1000, 1000))
  (tmp_path / "scenes.json").touch()
  named = [tmp_path / "cube.npy", tmp_path / "product", tmp_path / "missing"]
  assert scenes_record.newer_files(named, tmp_path) == []
  for path, name in zip(files, named):
    os.utime(path, (9e9, 9e9))
    assert scenes_record.newer_files([name], tmp_path) == [name]
  assert scenes_record.newer_files(named, tmp_path / "product") == []


def test_numbers_of_classes_in_the_labels_are_recorded(settings):
  described = scenes_record.describe(prepare(settings, scene(class_codes={9: 0})))
  assert described["fields"]["codes"] == {"9": 0}

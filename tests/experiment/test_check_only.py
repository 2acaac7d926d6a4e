"""`check_only`: a description of the scenes without training."""

import numpy as np
import pytest

from tests import launching
from tests.launching import FIELDS, ROOT, cube
from tests.scenes import formats

OWN = f"--config={ROOT / 'configs' / 'own.py'}"


def test_scenes_are_described_and_nothing_is_written(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  formats.save_raster(tmp_path / "cube.tif", cube(FIELDS))
  formats.save_raster(tmp_path / "gt.tif", FIELDS.astype(np.uint8))
  (tmp_path / "scenes.toml").write_text('[fields]\ncube = "cube.tif"\nlabels = "gt.tif"\nbands = "1:5"\n')
  before = sorted(tmp_path.rglob("*"))
  command = [OWN, "--config.scenes_file=scenes.toml", "--config.check_only=True"]
  status, out, _ = launching.launch(*command, "--config.split=random", "--config.samples_per_class=3")
  assert status == 0
  assert "fields: 12 rows x 10 columns, pixels of 10 x 10 metre, WGS 84 / UTM zone 33N\n" in out
  assert "bands: wavelengths unknown; 4 of 6 bands" in out
  assert "classes: 1 class 1 (40), 4 class 4 (32), 9 class 9 (36)" in out
  assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["uses.gpkg", "uses.csv"])
def test_the_split_column_chooses_training_and_test_pixels(tmp_path, monkeypatch, name):
  monkeypatch.chdir(tmp_path)
  formats.save_raster(tmp_path / "cube.tif", cube(FIELDS))
  shapes, classes = formats.squares(FIELDS)
  uses = ["test" if place % 4 == 0 else "train" for place in range(len(classes))]
  formats.save_features(tmp_path / "uses.gpkg", shapes, crop=classes, use=uses)
  pixels = zip(np.argwhere(FIELDS), classes, uses)
  rows = [f"{row},{column},{crop},{use}" for (row, column), crop, use in pixels]
  (tmp_path / "uses.csv").write_text("\n".join(["row,column,crop,use", *rows]))
  options = {"cube": "cube.tif", "labels": name, "label_column": "crop", "split_column": "use"}
  changes = [f"--config.files.fields.{key}={value}" for key, value in options.items()]
  outcome = launching.launch(
    f"{OWN}:fields", *changes, "--config.samples_per_class=0", "--config.check_only=True"
  )
  assert outcome.status == 0, outcome.err
  assert (
    "1 class 1 (30 for training, 10 for testing), 4 class 4 (24 for training, 8 for testing)" in outcome.out
  )
  assert "3 classes; 81 training and 27 test pixels" in outcome.out

"""Scenes in .npz and .mat files that cannot be used."""

import re

import numpy as np
import pytest
import scipy.io

from tests.launching import FIELDS, ROOT, cube

OWN = f"--config={ROOT / 'configs' / 'own.py'}"


def fields(**arrays):
  """Returns the arrays of a valid file with changes."""
  return {"cube": cube(FIELDS), "label": FIELDS, **arrays}


RANDOM = ("split=random",)

NO_CHARACTERS = np.full(1, 0x110000, np.uint32).view("U1")


@pytest.mark.parametrize(
  ("arrays", "overrides", "message"),
  [
    (None, [], r"no such file: /.*/fields.npz \(config key files.fields.cube\)"),
    (fields(label=FIELDS[:, :-1]), [], "label image.*is 12 x 9 and the cube is 12 x 10"),
    (fields(label=np.minimum(FIELDS, 1)), [], "classes in the label image is 1; at least two"),
    (fields(label=np.zeros_like(FIELDS)), [], "the number of classes in the label image is 0"),
    (fields(label=FIELDS - 1), [], "contains -1, and class ids must be positive.*set labels_nodata=-1"),
    (fields(class_names=NO_CHARACTERS), [], "class_names.*contains numbers that are no characters"),
    (fields(), [*RANDOM, "samples_per_class=40"], "largest class has 40 pixels.*choose a number below 40"),
    (fields(), ["files.fields.cube_key=nope"], r"no array 'nope'; it contains cube \(12 x 10 x 6\), label"),
    (fields(), ["files.fields.bands=2:9"], "files.fields.bands ends at 9; the scene has 6 bands"),
    (fields(), ["bands=103"], "'fields' has 6 bands and 103 are wanted.*sensor is not known"),
    (fields(), ["bands=103", "files.fields.sensor=ROSIS"], "6 bands and 103.*lengthened, by at most"),
    (fields(), ["bands=160", "files.fields.sensor=AVIRIS"], "6 bands and 160.*too few bands"),
  ],
)  # fmt: skip
def test_scenes_that_cannot_be_used(refusal, tmp_path, arrays, overrides, message):
  if arrays is not None:
    np.savez(tmp_path / "fields.npz", **arrays)
  changes = [f"--config.{change}" for change in ["files.fields.cube=fields.npz", *overrides]]
  assert re.search(message, refusal(f"{OWN}:fields", *changes))


def test_a_wrong_key_in_a_mat_file(refusal, tmp_path):
  scipy.io.savemat(tmp_path / "cube.mat", {"paviaU": cube(FIELDS)})
  scipy.io.savemat(tmp_path / "gt.mat", {"paviaU_gt": FIELDS})
  files = ["--config.files.fields.cube=cube.mat", "--config.files.fields.labels=gt.mat"]
  error = refusal(f"{OWN}:fields", *files, "--config.files.fields.labels_key=pavia_gt")
  assert f"{tmp_path / 'gt.mat'} has no array 'pavia_gt'; it contains paviaU_gt (12 x 10)" in error


def test_scenes_of_unequal_band_counts(refusal, tmp_path):
  np.savez(tmp_path / "fields.npz", **fields())
  np.savez(tmp_path / "town.npz", **fields(cube=cube(FIELDS)[:, :, :5]))
  files = [f"--config.files.{name}.cube={name}.npz" for name in ("fields", "town")]
  error = refusal(f"{OWN}:fields,town", *files)
  assert "scene 'fields' has 6 bands and scene 'town' has 5; one network needs equal counts" in error
  assert "--config.files.town.bands=0:5" in error

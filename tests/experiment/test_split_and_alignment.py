"""Runs with splits that keep test pixels apart, on scenes of other bands, from command line to report."""

import json

import numpy as np
import pytest

from mtl_hsi.channels import inputs
from mtl_hsi.splits.leakage import patch_overlap
from mtl_hsi.splits.split import Split
from tests import launching

# Fields of 10 x 10 pixels; the bands of each scene see another part of one spectrum a class.
LABELS = {
  "fields": np.kron([[1, 4, 1, 4], [4, 1, 4, 1], [1, 4, 4, 1]], np.ones((10, 10), int)).astype(np.int32),
  "town": np.kron([[2, 7, 7], [7, 2, 2], [2, 2, 7]], np.ones((9, 9), int)).astype(np.int32),
}
CENTRES = {"fields": np.arange(450.0, 701, 50), "town": np.arange(520.0, 821, 20)}


@pytest.fixture
def command(tmp_path):
  """The command line of a short run on both scenes, given further overrides."""
  generator = np.random.default_rng(0)
  files = []
  for name, labels in LABELS.items():
    spectra = np.sin(CENTRES[name] / 60 + labels[..., None])
    cube = (1000 + 300 * spectra + generator.normal(0, 20, spectra.shape)).astype(np.uint16)
    np.savez(tmp_path / f"{name}.npz", cube=cube, label=labels, wavelengths=CENTRES[name])
    files.append(f"--config.files.{name}.cube={tmp_path / name}.npz")
  short = ["phases.phase1.epochs=2", "phases.phase2.epochs=1", "snapshots=(0,)", "replicas=2"]
  options = ["samples_per_class=4", "model.name=ccnn", "alignment=wavelength", *short]

  def made(workdir, *more):
    overrides = [f"--config.{option}" for option in [*options, *more]]
    return ["--config=configs/letter.py:fields,town", f"--workdir={workdir}", *files, *overrides]

  return made


def read(path):
  return json.loads(path.read_text())


def test_blocks_and_common_wavelengths(command, tmp_path):
  run = tmp_path / "run"
  outcome = launching.launch(*command(run, "split=blocks", "block_size=10"))
  assert outcome.status == 0, outcome.err
  assert "of 16 bands, resampled to 4 bands (550 to 700 nm)" in outcome.out
  assert "4 samples per class from blocks" in outcome.out
  assert "no test patch overlaps a training patch" in " ".join(outcome.out.split())
  page = " ".join((run / "report.html").read_text().split())
  assert "come from separate blocks of 10 x 10 pixels. Of " in page
  metrics, scenes = read(run / "metrics.json"), read(run / "scenes.json")["scenes"]
  with np.load(run / "split.npz") as split:
    for name, labels in LABELS.items():
      assert metrics["leakage"][name] == metrics["patch_overlap"][name] == 0
      own = Split(split[f"{name}/train"], split[f"{name}/test"])
      assert patch_overlap(own, labels.shape, 5) == 0
      # What a new image of the scene would go through.
      assert scenes[name]["channels"]["centres"] == [550, 600, 650, 700]
      restored = inputs.read_inputs(scenes[name])
      assert (restored.bands, restored.channels) == (len(CENTRES[name]), 4)


@pytest.mark.slow
def test_test_labels_in_a_file_of_their_own(command, tmp_path):
  labels = {}
  for name, given in LABELS.items():
    left = np.arange(given.shape[1]) < given.shape[1] // 2
    labels[name] = np.where(left, given, 0), np.where(left, 0, given)
  files = []
  for name, parts in labels.items():
    for part, image in zip(("labels", "test"), parts, strict=True):
      np.save(tmp_path / f"{name}_{part}.npy", image)
      files.append(f"files.{name}.{part}={tmp_path / name}_{part}.npy")
  # The cubes' files hold labels too; those in files of their own count.
  run = tmp_path / "run"
  outcome = launching.launch(*command(run, "samples_per_class=0", *files))
  assert outcome.status == 0, outcome.err
  with np.load(run / "split.npz") as split:
    for name, (train, test) in labels.items():
      for part, image in (("train", train), ("test", test)):
        # Both replicas train on all labels, so they make one map.
        (pixels,) = split[f"{name}/{part}"]
        np.testing.assert_array_equal(np.unique(pixels, axis=0), np.argwhere(image))
  assert "all training labels" in outcome.out
  assert "this accuracy is too optimistic" in " ".join(outcome.out.split())

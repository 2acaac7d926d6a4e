"""Scenes that share a legend: tiles and flights, and the regression that they are compared with."""

import json
import sys

import numpy as np
import pytest

from experiments import legend
from mtl_hsi.channels import scaling


@pytest.fixture
def data(tmp_path):
  """A data directory with an image of three measured tiles, one of which has a single class."""
  labels = np.zeros((64, 64), np.uint8)
  labels[:32, :32], labels[8:20, 8:20] = 1, 5
  labels[32:, :32], labels[40:50, :9] = 5, 1
  labels[:32, 32:] = 4
  valid = np.ones(labels.shape, bool)
  valid[32:, 32:] = False
  noise = np.random.default_rng(0).normal(0, 5, (64, 64, 3))
  cube = (100 * labels[..., None] + np.array([500, 300, 700]) + noise).astype(np.int16)
  arrays = {"cube": cube, "label": labels, "valid": valid, "wavelength": np.array([450.0, 550, 650])}
  np.savez(tmp_path / "enmap_potsdam.npz", **arrays)
  return tmp_path


def test_tiles_are_cut_at_their_places(data):
  first, second = legend.tiles(data)
  assert (first.name, second.name) == ("tile_0_0", "tile_1_0")
  assert first.class_names == second.class_names == {1: "impervious", 5: "water"}
  assert (second.labels[8:18, :9] == 1).all()


def test_a_regression_knows_the_other_tile_only_if_both_are_standardised_together(data):
  """One tile is mostly dark, the other mostly bright: standardised alone, their classes change places."""
  assert legend._regression(legend.tiles(data), scaling.JOINT) == [100, 100]
  assert max(legend._regression(legend.tiles(data), "per_band")) < 50


def test_flights_differ_in_light_only_by_a_smooth_gain():
  first, second = legend.flights(0, side=64)[:2]
  assert first.class_names == second.class_names
  means = [scene.cube.mean(axis=(0, 1)) for scene in (first, second)]
  ratio = means[0] / means[1]
  assert np.ptp(ratio) > 0.05
  assert np.abs(np.diff(ratio)).max() < 0.05


def test_a_run_becomes_a_row(data, monkeypatch, capsys):
  """The run is replaced by its metrics."""

  def train(scenes, directory, changes):
    directory.mkdir(parents=True)
    assert (changes["legend"], changes["split"], len(scenes)) == ("shared", "scenes", 2)
    mixture = {"replicas": [{"accuracy": [0.5, 0.9], "left_out_accuracy": 0.75}]}
    metrics = {"scenes": {scene.name: {"mixture": mixture} for scene in scenes}}
    (directory / "metrics.json").write_text(json.dumps(metrics))
    return directory

  monkeypatch.setattr(legend.library, "train", train)
  monkeypatch.chdir(data)
  options = ["--cases=tiles", "--scalings=per_band_joint", "--seeds=0:1"]
  folders = [f"--{name}={data}" for name in ("data", "results", "runs")]
  monkeypatch.setattr(sys, "argv", ["legend.py", *options, *folders])
  legend.main()
  assert "| tiles | per_band_joint | 0 | 50.00 | 75.00 | 100.00 | -25.00 " in capsys.readouterr().out

"""Runs by folds that are interrupted, repeated, or differ in what must not matter."""

import shutil
import signal

import jax
import numpy as np
import pytest

from mtl_hsi.runs.trained_run import read_run
from tests import launching
from tests.experiment.test_kill import assert_same_results, start_and_kill

# Random training pixels of one scene, with folds of them.
DRAWN = {
  "split": "random",
  "samples_per_class": 6,
  "folds": 2,
  "scenes": "fields",
  "phases.phase1.epochs": 2,
}


def networks(run):
  """The networks of all voting epochs: their weights and those of the networks of small patches."""
  trained = read_run(run)
  return [jax.tree.map(np.asarray, trained.networks(epoch)) for epoch in trained.snapshot_epochs]


def test_an_interrupted_run_goes_on_to_the_same_results(finished_by_folds, inputs, tmp_path):
  run = shutil.copytree(finished_by_folds, tmp_path / "run")
  for name in ("metrics.json", "predictions.npz", "mixtures.npz", "left_out.npz"):
    (run / name).unlink()
  for network in ("checkpoints", "checkpoints/local"):
    shutil.rmtree(run / network / "state" / "4")
  outcome = launching.launch(*launching.arguments(inputs, run, "folds.py"))
  assert outcome.status == 0, outcome.err
  assert outcome.err.count(" 3/4 [") >= 2
  assert_same_results(run, finished_by_folds)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_run_killed_wherever_it_writes(finished_by_folds, inputs, tmp_path):
  moments = [
    ("checkpoints/state/2", 1, 0),
    ("checkpoints/local/state/2", 1, 0),
    (".predictions.npz", 1, 0),
    (".mixtures.npz", 1, 0),
    (".mixtures.npz", 2, 0),
    (".left_out.npz", 1, 0),
    (".metrics.json", 1, 0),
  ]
  command = launching.arguments(inputs, tmp_path / "run", "folds.py")
  assert start_and_kill(moments, command) == [-signal.SIGKILL] * len(moments)
  assert launching.launch(*command).status == 0
  assert_same_results(tmp_path / "run", finished_by_folds)


@pytest.mark.slow
def test_folds_and_experts_change_no_network_that_votes(finished_by_folds, inputs, tmp_path):
  overrides = {"split": "random", "folds": 0, "mixture.regression": "()", "mixture.smoothings": "()"}
  overrides["mixture.local_patch"] = 0
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run", "folds.py", **overrides))
  assert outcome.status == 0, outcome.err
  for plain, by_folds in zip(networks(tmp_path / "run"), networks(finished_by_folds), strict=True):
    del by_folds["local"]
    jax.tree.map(lambda x, y: np.testing.assert_array_equal(x, y[:2]), plain, by_folds)


@pytest.mark.slow
def test_test_pixels_choose_nothing(inputs, tmp_path):
  """Other labels of test pixels change no network, no mixture and no map."""
  first, second = tmp_path / "first", tmp_path / "second"
  outcome = launching.launch(*launching.arguments(inputs, first, "folds.py", **DRAWN))
  assert outcome.status == 0, outcome.err
  with np.load(first / "split.npz") as split:
    # Pixels that train in neither replica.
    trained = split["fields/train"].reshape(-1, 2)
    assert split["fields/train"].shape[0] == split["fields/fold"].shape[0] == 2
    assert set(np.unique(split["fields/fold"])) == {0, 1}
  labels = {4: 1, 1: 9, 9: 4}
  other = np.vectorize(lambda label: labels.get(label, 0))(launching.FIELDS).astype(np.int32)
  other[tuple(trained.T)] = launching.FIELDS[tuple(trained.T)]
  assert (other != launching.FIELDS).any()
  for name in ("folds.py", "town.npz"):
    shutil.copy(inputs / name, tmp_path)
  np.savez(tmp_path / "fields.npz", cube=launching.cube(launching.FIELDS, 1), label=other)
  changed = DRAWN | {"split": first / "split.npz"}
  outcome = launching.launch(*launching.arguments(tmp_path, second, "folds.py", **changed))
  assert outcome.status == 0, outcome.err
  for name in ("mixtures.npz", "left_out.npz", "predictions.npz", "confidence.npz"):
    assert (first / name).read_bytes() == (second / name).read_bytes(), name
  for one, two in zip(networks(first), networks(second), strict=True):
    jax.tree.map(np.testing.assert_array_equal, one, two)
  assert (first / "metrics.json").read_bytes() != (second / "metrics.json").read_bytes()

"""Smoke tests of the benchmark, and of the peers' networks where their libraries are installed."""

import dataclasses
import importlib
import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import job as jobs
from benchmarks import rows, same_job, scaling
from benchmarks.job import Job
from benchmarks.timing import Contender, interleave
from mtl_hsi.errors import RequestError
from tests.launching import ROOT


def contender(what: str, who: str, *seconds: float) -> Contender:
  return Contender(what, who, f"{who}'s way", run=lambda: 0.0, first=9.0, seconds=np.array(seconds))


def test_contenders_are_called_in_turns_and_the_first_round_does_not_count():
  calls = []

  def runner(name, seconds):
    remaining = iter(seconds)
    return lambda: calls.append(name) or next(remaining)

  one = Contender("job", "ours", "", runner("one", [5.0, 1.0, 2.0]))
  other = Contender("job", "keras", "", runner("other", [6.0, 3.0, 4.0]))
  interleave([one, other], 2, title="")
  assert calls == ["one", "other"] * 3
  assert one.first == 5.0
  np.testing.assert_array_equal(other.seconds, [3.0, 4.0])


def test_a_comparison_has_the_best_of_every_side_and_ratios_round_by_round():
  rivals = [
    contender("job", "ours", 1.0, 2.0, 4.0),
    contender("job", "keras", 9.0, 9.0, 9.0),
    contender("job", "keras", 3.0, 2.0, 8.0),
  ]
  made = rows.comparison(rivals, "job")
  assert [(row["what"], row["who"]) for row in made] == [
    ("job", "ours"),
    ("job", "keras"),
    ("job/ratio", "keras"),
  ]
  ours, keras, ratio = made
  assert ours == {
    "what": "job",
    "who": "ours",
    "variant": "ours's way",
    "median": 2.0,
    "min": 1.0,
    "max": 4.0,
    "unit": "s",
    "repeats": 3,
    "first_call": 9.0,
  }
  assert keras["median"] == 3.0
  assert (ratio["min"], ratio["median"], ratio["max"]) == (1.0, 2.0, 3.0)


def tiny_job(network: str, scenes: int) -> Job:
  generator = np.random.default_rng(0)
  patch, bands = {"hresnet": 9, "ccnn": 5}[network], 3
  shapes = [(10 + scene, 12, bands) for scene in range(scenes)]
  return Job(
    network=network,
    patch=patch,
    batch_size=4,
    class_counts=tuple(range(3, 3 + scenes)),
    learning_rates=(1.0, 0.1),
    epochs=(2, 1),
    snapshot_epochs=2,
    snapshots=2,
    rho=0.95,
    epsilon=1e-7,
    flop_per_epoch=1,
    padded=[generator.random((h + patch - 1, w + patch - 1, b), np.float32) for h, w, b in shapes],
    centres=[generator.integers(0, 10, (2, 3 + scene, 2)) for scene in range(scenes)],
    classes=[generator.integers(0, 3, (2, 3 + scene)) for scene in range(scenes)],
  )


def test_a_saved_job_is_loaded_unchanged(tmp_path):
  job = tiny_job("hresnet", 2)
  jobs.save(job, tmp_path / "job.npz")
  loaded = jobs.load(tmp_path / "job.npz")
  for field in dataclasses.fields(job):
    np.testing.assert_equal(getattr(loaded, field.name), getattr(job, field.name))


def test_labels_may_differ_in_one_pixel_of_a_thousand():
  ours = np.zeros((40, 50), int)
  peer = ours.copy()
  peer[0, :2] = 1
  assert same_job.check_labels(ours, peer, "keras") == "keras: 2 of 2000 labels differ from ours"
  peer[0, 2] = 1
  with pytest.raises(RequestError, match="keras: 3 of 2000"):
    same_job.check_labels(ours, peer, "keras")


@pytest.mark.parametrize("library", ["pytorch", "keras"])
@pytest.mark.parametrize("network", jobs.NETWORKS)
def test_a_peer_trains_several_scenes_and_gives_its_weights_back(library, network):
  pytest.importorskip({"pytorch": "torch", "keras": "tensorflow"}[library])
  peer = importlib.import_module(f"benchmarks.{library}_peer")
  layout = {"layout": peer.LAYOUTS["channels last"]} if library == "pytorch" else {}
  job = tiny_job(network, 2)
  model = peer.Model(job, None, **layout)
  started = model.weights()
  copied = peer.Model(job, started, **layout).weights()
  for name, weights in started.items():
    np.testing.assert_array_equal(copied[name], weights, err_msg=name)
  assert np.isfinite(peer.Training(model, job.samples(0), job.batch_size).epochs(1))
  assert all(np.any(model.weights()[name] != weights) for name, weights in started.items() if "heads" in name)


def test_the_exponent_of_a_linear_cost_is_one():
  linear = [{"size": size, "median": 0.5 * size} for size in (8, 2, 4)]
  constant = [{"size": size, "median": 3.0} for size in (2, 8)]
  assert scaling.exponent(linear) == pytest.approx(1)
  assert scaling.exponent(constant) == 0


@pytest.mark.slow
@pytest.mark.parametrize("job", ["train", "classify"])
def test_a_profiler_sees_one_job(job):
  command = [sys.executable, "-m", "benchmarks.profiled", job, "--networks=2", "--seconds=0"]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
  assert float(re.search(r"([\d.]+) s per network", done.stdout)[1]) > 0

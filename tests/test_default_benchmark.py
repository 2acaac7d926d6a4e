"""Tests of the benchmark's rows of the default, with tiny sizes."""

import dataclasses

import jax
import numpy as np
import pytest

from benchmarks import (
  core_job,
  default_job,
  default_rows,
  default_scene,
  default_whole,
  our_default,
  our_side,
  peak_memory,
  scipy_smoothing,
)
from benchmarks.default_job import SmoothingJob
from benchmarks.job import Work
from benchmarks.timing import Contender
from mtl_hsi.errors import RequestError
from mtl_hsi.training.recipe import LETTER_RECIPE

# A small network that trains for two steps.
_QUICK = (
  *("model.blocks=1", "model.patch=3", "model.width=4", "mixture.local_patch=0", "mixture.regression=()"),
  *("phases.phase1.epochs=1", "steps_per_epoch=2", "replicas=1", "folds=2", "mnf_components=2"),
)


def context_job():
  return core_job.context_job(core_job.SMALL, core_job.data(core_job.TINY, 5, 2))


def smoothing_job():
  generator = np.random.default_rng(0)
  probabilities = generator.dirichlet(np.ones(3), (7, 9)).astype(np.float32)
  return SmoothingJob(generator.random((7, 9, 4), np.float32), probabilities, 0.02, steps=12, restart=0.1)


def test_rows_of_the_default_have_their_names():
  assert Work("default_train", replicas=10).what == "default/train/networks=10"
  assert Work("default_classify_smoothed").what == "default/classify/smoothed"


def test_a_saved_job_is_loaded_unchanged(tmp_path):
  job = context_job()
  default_job.save(job, tmp_path / "job.npz")
  for field in dataclasses.fields(job):
    np.testing.assert_equal(
      getattr(default_job.load(tmp_path / "job.npz"), field.name), getattr(job, field.name)
    )


def test_the_learning_rate_is_that_of_the_recipe():
  job = dataclasses.replace(context_job(), steps=40)
  recipe = dataclasses.replace(LETTER_RECIPE, warmup=job.warmup, decay="cosine")
  for step in (0, 2, 3, 4, 5, 20, 39):
    assert job.rate(step) == pytest.approx(float(recipe.learning_rate(job.learning_rate, step, 40)), rel=1e-5)
  assert job.rate(41) == job.rate(1)


def test_scipy_smooths_as_we_do():
  job = smoothing_job()
  np.testing.assert_allclose(scipy_smoothing.smooth(job), our_default.smoother(job)(), atol=2e-6)


def test_other_results_are_another_job():
  def contender(what, who, result):
    return Contender(what, who, "", run=lambda: 0.0, result=lambda: result)

  maps = np.zeros((1, 30, 40), int), np.zeros((30, 40), int)
  same = [contender("default/classify", who, one) for who, one in zip(("ours", "pytorch"), maps, strict=True)]
  default_rows.check_results(same)
  smooth = [contender("default/smooth", "ours", 0.5), contender("default/smooth", "scipy", 0.6)]
  with pytest.raises(RequestError, match=r"scipy: probabilities differ from ours by up to 0\.1"):
    default_rows.check_results([*same, *smooth])


def test_the_peak_of_memory_is_reset():
  if peak_memory.peak() is None:
    pytest.skip("this system does not tell the peak")
  block = np.ones(1 << 25, np.uint8)
  del block
  high = peak_memory.peak()
  peak_memory.reset()
  assert 0 < peak_memory.peak() <= high


def test_pytorch_has_our_logits_and_learns():
  pytest.importorskip("torch")
  from benchmarks import pytorch_default

  size = core_job.TINY
  network = core_job.network(core_job.SMALL, size)
  given, weights = core_job.data(size, network.patch, 1), core_job.initial_weights(network, 1)
  first = jax.tree.map(lambda x: x[0], weights)
  named = our_side.flat(first["params"], first["stats"], network.class_counts)
  training = pytorch_default.Training(core_job.context_job(core_job.SMALL, given), 0, weights=named)
  expected = core_job.scene_logits(network, weights, given, "dense", "float32")
  assert np.mean(training.classify() != expected.argmax(-1)) <= 0.01
  patches = np.lib.stride_tricks.sliding_window_view(given.padded, (5, 5), axis=(0, 1))
  patches = np.ascontiguousarray(patches.transpose(0, 1, 3, 4, 2).reshape(-1, 5, 5, size.channels))
  np.testing.assert_allclose(training.logits(patches), expected.reshape(-1, size.classes), atol=1e-4)
  losses = [training.steps(40) for _ in range(3)]
  assert losses[-1] < losses[0]


@pytest.mark.slow
def test_image_and_polygons_become_maps():
  rows = default_whole.end_to_end(
    ("ours", "scikit-learn"),
    1,
    side=96,
    bands=24,
    polygons=16,
    changes=[f"--config.{change}" for change in _QUICK],
  )
  assert [(row["what"], row["who"]) for row in rows] == [
    ("default/end_to_end", "ours"),
    ("default/end_to_end/memory", "ours"),
    ("default/end_to_end", "scikit-learn"),
    ("default/end_to_end/memory", "scikit-learn"),
  ]
  assert all(row["median"] > 0 for row in rows)


def test_polygons_of_many_classes_lie_apart(tmp_path):
  geopandas = pytest.importorskip("geopandas")
  default_scene.write(tmp_path, side=96, bands=24, polygons=16)
  features = geopandas.read_file(tmp_path / default_scene.POLYGONS)
  assert len(features) == 16
  assert features[default_scene.COLUMN].nunique() >= 6
  assert features.union_all().area == pytest.approx(features.area.sum())

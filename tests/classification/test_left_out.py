"""Candidate mixtures for left-out pixels, against the classification of whole scenes."""

import functools

import jax
import numpy as np
import pytest

from mtl_hsi.classification import choice, classify, left_out, mixture
from mtl_hsi.classification.smoothing import Smoothing
from tests import tiny

NET = tiny.SMALL
NETWORKS = NET, tiny.network("vresnet", patch=3, width=6, blocks=1)
GENERATOR = np.random.default_rng(0)
REGRESSION = {
  "kernel": GENERATOR.normal(0, 0.5, (tiny.BANDS, max(tiny.CLASSES))).astype(np.float32),
  "bias": GENERATOR.normal(0, 0.5, max(tiny.CLASSES)).astype(np.float32),
}
KINDS = (Smoothing(0, 0.5, 2.0), Smoothing(1, 0.5, 2.0), Smoothing(3, 0.1, 1.0))
CANDIDATES = left_out.Candidates(choice.weight_grid(3)[[0, 4, 7]], KINDS)
PIXELS = [np.argwhere(GENERATOR.random(shape) < 0.5).astype(np.int32) for shape in tiny.SHAPES]


@functools.cache
def region_of(scene, nodata=False):
  height, width = tiny.SHAPES[scene]
  shape = (height + NET.patch - 1, width + NET.patch - 1, tiny.BANDS)
  cube = np.random.default_rng(scene).normal(0, 1, shape).astype(np.float32)
  measured = np.random.default_rng(7).random((height, width)) < 0.7 if nodata else None
  return classify.SceneRegion(cube, scene, 1.5, measured)


def snapshots(seed=0):
  """One snapshot of both networks, leading axis 1."""
  network, local = (dict(zip(("params", "stats"), tiny.weights(one, seed), strict=True)) for one in NETWORKS)
  return jax.tree.map(lambda x: x[None], network | {"local": local})


@functools.cache
def evaluated(scene, method="dense", tile_pixels=4096, nodata=False):
  return left_out.evaluate(
    *(NETWORKS, snapshots(), REGRESSION, region_of(scene, nodata), PIXELS[scene], CANDIDATES),
    method=method,
    symmetric=False,
    tile_pixels=tile_pixels,
  )


def assert_equal(found, expected):
  for one, other in zip(found, expected, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scene", [0, 1])
@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_pixels_are_classified_as_in_the_whole_scene(scene, kind):
  options = classify.InferenceOptions(False, KINDS[kind])
  classifier = classify.Classifier(NETWORKS, jax.devices()[:1], "dense", 4096, options)
  found = evaluated(scene, nodata=True)
  places = tuple(PIXELS[scene].T)
  for row, weights in enumerate(CANDIDATES.weights):
    mixed = {key: values[None] for key, values in REGRESSION.items()}
    mixed |= {"weights": weights[None], "temperature": np.float32([1])}
    placed = classifier.place_snapshots([snapshots() | {"mixture": mixed}])
    votes = classifier.vote(placed, region_of(scene, nodata=True), lambda: None)
    log_p = found.candidates[row, kind]
    np.testing.assert_array_equal(log_p.argmax(axis=-1), votes.labels[0][places])
    np.testing.assert_allclose(np.exp(log_p.max(axis=-1)), votes.probability[0][places], atol=1e-3)


@pytest.mark.parametrize("scene", [0, 1])
def test_probabilities_have_sum_1_and_absent_classes_none(scene):
  found, count = evaluated(scene), tiny.CLASSES[scene]
  assert found.members.shape == (3, len(PIXELS[scene]), max(tiny.CLASSES))
  assert found.candidates.shape == (3, 3, len(PIXELS[scene]), max(tiny.CLASSES))
  for log_p in found:
    np.testing.assert_allclose(np.exp(log_p).sum(axis=-1), 1, atol=1e-4)
    assert (log_p[..., count:] == -np.inf).all()
    assert (log_p[..., :count] >= mixture.FLOOR - 1e-4).all()


@pytest.mark.parametrize("tile_pixels", [6, 25])
def test_tiles_change_nothing(tile_pixels):
  assert_equal(evaluated(0, tile_pixels=tile_pixels, nodata=True), evaluated(0, nodata=True))


def test_patchwise_and_dense_are_equal():
  assert_equal(evaluated(1, method="patches", tile_pixels=30), evaluated(1))


def test_pixels_without_measurement_smooth_nothing():
  unsmoothed = evaluated(0).candidates[:, 0], evaluated(0, nodata=True).candidates[:, 0]
  np.testing.assert_array_equal(*unsmoothed)
  assert not np.allclose(evaluated(0).candidates[:, 2], evaluated(0, nodata=True).candidates[:, 2])


def test_probabilities_of_several_snapshots_are_averaged():
  both = jax.tree.map(lambda *leaves: np.concatenate(leaves), snapshots(0), snapshots(1))
  both, second = (
    left_out.evaluate(
      *(NETWORKS, weights, REGRESSION, region_of(0), PIXELS[0], CANDIDATES),
      method="dense",
      symmetric=False,
      tile_pixels=4096,
    )
    for weights in (both, snapshots(1))
  )
  for member in range(2):
    mean = (np.exp(evaluated(0).members[member]) + np.exp(second.members[member])) / 2
    np.testing.assert_allclose(np.exp(both.members[member]), mean, atol=1e-5)


def test_no_pixels_give_empty_results():
  nothing = np.zeros((0, 2), np.int32)
  found = left_out.evaluate(
    *(NETWORKS, snapshots(), REGRESSION, region_of(0), nothing, CANDIDATES),
    method="dense",
    symmetric=False,
    tile_pixels=4096,
  )
  assert found.members.shape == (3, 0, 4)


def test_members_alone_are_evaluated_without_candidates():
  nothing = left_out.Candidates(np.zeros((0, 3), np.float32), ())
  found = left_out.evaluate(
    *(NETWORKS, snapshots(), REGRESSION, region_of(0), PIXELS[0], nothing),
    method="dense",
    symmetric=False,
    tile_pixels=4096,
  )
  np.testing.assert_allclose(found.members, evaluated(0).members, rtol=1e-4, atol=1e-4)
  assert found.candidates.shape == (0, 0, len(PIXELS[0]), max(tiny.CLASSES))

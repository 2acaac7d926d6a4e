"""Mixtures of the network and spectral experts."""

import jax
import numpy as np
import pytest
from scipy import special

from mtl_hsi.classification import classify, mixture
from mtl_hsi.classification.smoothing import Smoothing
from tests import tiny

GENERATOR = np.random.default_rng(0)
PRESENT = np.array([True, True, False, True])
CHANNELS = GENERATOR.normal(0, 1, (3, 2, 5)).astype(np.float32)
LOGITS = np.where(PRESENT, GENERATOR.normal(0, 2, (3, 2, 4)), -np.inf).astype(np.float32)
LOCAL = np.where(PRESENT, GENERATOR.normal(0, 2, (3, 2, 4)), -np.inf).astype(np.float32)
REGRESSION = {
  "kernel": GENERATOR.normal(0, 1, (5, 4)).astype(np.float32),
  "bias": GENERATOR.normal(0, 1, 4).astype(np.float32),
}


def log_p(network=LOGITS):
  """Log-probabilities of three members."""
  regression = mixture.regression_logits(REGRESSION, CHANNELS)
  return np.asarray(mixture.log_probabilities([network, LOCAL, regression], PRESENT))


def test_members_have_the_probabilities_of_their_logits():
  found = log_p()
  assert found.shape == (3, 3, 2, 4)
  scores = LOGITS, LOCAL, CHANNELS @ REGRESSION["kernel"] + REGRESSION["bias"]
  for one, score in zip(found, scores, strict=True):
    expected = special.log_softmax(np.where(PRESENT, score, -np.inf), axis=-1)
    np.testing.assert_allclose(one[..., PRESENT], expected[..., PRESENT], rtol=1e-5, atol=1e-5)


def test_no_member_excludes_a_class():
  sure = np.where(np.arange(4) == 0, 200, LOGITS).astype(np.float32)
  np.testing.assert_allclose(log_p(sure)[0, ..., 1], np.log(1e-6), rtol=1e-6)


@pytest.mark.parametrize("weights", [[1, 0, 0], [0.25, 0.5, 0.25], [0.3, 1.5, 0.1]])
def test_the_mixture_is_a_geometric_mean(weights):
  found = np.asarray(mixture.mix(log_p(), np.float32(weights), PRESENT))
  powers = np.prod(np.exp(log_p()) ** np.reshape(weights, (3, 1, 1, 1)), axis=0) * PRESENT
  np.testing.assert_allclose(found, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-4, atol=1e-6)
  assert (found[..., ~PRESENT] == 0).all()


def test_the_whole_weight_on_the_network_gives_its_probabilities():
  found = mixture.mix(log_p(), np.float32([1, 0, 0]), PRESENT)
  np.testing.assert_allclose(found, jax.nn.softmax(LOGITS), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("temperature", [0.5, 1, 3])
def test_a_temperature_changes_no_class_and_gives_nothing_to_absent_ones(temperature):
  p = np.asarray(mixture.mix(log_p(), np.float32([0.5, 0.25, 0.25]), PRESENT))
  found = np.asarray(mixture.temper(p, np.float32(temperature)))
  powers = p ** (1 / temperature)
  np.testing.assert_allclose(found, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-4)
  np.testing.assert_array_equal(found.argmax(axis=-1), p.argmax(axis=-1))
  assert (found[..., ~PRESENT] == 0).all()


def test_probabilities_that_are_not_finite_stay_so():
  assert np.isnan(mixture.temper(np.float32([np.nan, 0.5]), np.float32(2))).any()


@pytest.mark.parametrize("smoothing", [Smoothing(0, 0.5, 1.0), Smoothing(2, 0.1, 1.0)])
def test_a_map_by_the_network_alone_is_that_of_a_plain_run(smoothing):
  net, options = tiny.SMALL, classify.InferenceOptions(False, smoothing)
  small = tiny.network("vresnet", patch=3, width=6, blocks=1)
  plain, local = (
    jax.tree.map(lambda x: x[None], dict(zip(("params", "stats"), tiny.weights(one, seed), strict=True)))
    for seed, one in enumerate((net, small))
  )
  parts = {"weights": np.float32([[1, 0, 0]]), "temperature": np.float32([1]), **_random_regression(net)}
  for scene, (height, width) in enumerate(tiny.SHAPES):
    shape = (height + net.patch - 1, width + net.patch - 1, tiny.BANDS)
    cube = np.random.default_rng(scene).normal(0, 1, shape).astype(np.float32)
    region = classify.SceneRegion(cube, scene, 1.0)
    alone, mixed = (
      _vote(networks, weights, region, options)
      for networks, weights in (((net,), plain), ((net, small), plain | {"local": local, "mixture": parts}))
    )
    np.testing.assert_array_equal(mixed.labels, alone.labels)
    np.testing.assert_allclose(mixed.probability, alone.probability, atol=1e-3)
    assert mixed.labels.max() < tiny.CLASSES[scene]


def _vote(networks, weights, region, options):
  classifier = classify.Classifier(networks, jax.devices()[:1], "dense", 64, options)
  return classifier.vote(classifier.place_snapshots([weights]), region, lambda: None)


def _random_regression(net):
  generator, classes = np.random.default_rng(9), max(net.class_counts)
  return {
    "kernel": generator.normal(0, 1, (1, tiny.BANDS, classes)).astype(np.float32),
    "bias": generator.normal(0, 1, (1, classes)).astype(np.float32),
  }

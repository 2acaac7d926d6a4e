"""Batch normalisation and initialisation, by hand."""

import functools

import jax
import numpy as np
import pytest

from mtl_hsi.models.convolution import valid
from mtl_hsi.models.layers import BatchNorm, Convolution

# Two scenes of different levels, three samples of 2 x 2 positions, five channels.
LEVELS = np.array([1, 7]).reshape(2, 1, 1, 1, 1)
X = np.random.default_rng(0).normal(LEVELS, size=(2, 3, 2, 2, 5)).astype(np.float32)
ALL = np.ones((2, 3), bool)
SCALE = np.linspace(0.5, 1.5, 5, dtype=np.float32)
BIAS = np.linspace(-1, 1, 5, dtype=np.float32)

assert_close = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)


def moving(per_scene: bool) -> dict:
  rows = 2 if per_scene else 1
  means = np.arange(rows * 5, dtype=np.float32).reshape(rows, 5)
  return {"mean": means, "var": means + 2}


def normalise(x, valid, per_scene, train=True, stats=None):
  """The layer's output and its moving statistics afterwards."""
  variables = {"params": {"scale": SCALE, "bias": BIAS}, "batch_stats": stats or moving(per_scene)}
  layer = BatchNorm(5, 2, per_scene)
  output, changed = layer.apply(variables, x, valid, train, mutable=["batch_stats"])
  return np.asarray(output), jax.tree.map(np.asarray, changed["batch_stats"])


def by_hand(x, mean, var):
  """Keras's formula with epsilon 0.001."""
  return (x - mean) / np.sqrt(var + 1e-3) * SCALE + BIAS


def test_every_scene_is_normalised_by_its_own_batch():
  output, stats = normalise(X, ALL, per_scene=True)
  for scene in range(2):
    rows = X[scene].reshape(-1, 5)
    assert_close(output[scene], by_hand(X[scene], rows.mean(0), rows.var(0)))
    for name, batch in (("mean", rows.mean(0)), ("var", rows.var(0))):
      moved = 0.9 * moving(True)[name][scene] + 0.1 * batch
      assert_close(stats[name][scene], moved)


def test_joint_statistics_are_those_of_the_whole_step():
  output, stats = normalise(X, ALL, per_scene=False)
  rows = X.reshape(-1, 5)
  assert_close(output, by_hand(X, rows.mean(0), rows.var(0)))
  assert_close(stats["mean"], 0.9 * moving(False)["mean"] + 0.1 * rows.mean(0, keepdims=True))
  assert_close(stats["var"], 0.9 * moving(False)["var"] + 0.1 * rows.var(0, keepdims=True))


@pytest.mark.parametrize("per_scene", [True, False])
def test_masked_samples_do_not_count(per_scene):
  valid = np.array([[True, False, True], [False, True, True]])
  garbage = np.where(valid.reshape(2, 3, 1, 1, 1), X, 1000)
  output, stats = normalise(X, valid, per_scene)
  other_output, other_stats = normalise(garbage, valid, per_scene)
  np.testing.assert_array_equal(output[valid], other_output[valid])
  np.testing.assert_array_equal(stats["mean"], other_stats["mean"])
  np.testing.assert_array_equal(stats["var"], other_stats["var"])
  rows = X[0][valid[0]].reshape(-1, 5) if per_scene else X[valid].reshape(-1, 5)
  assert_close(output[0][valid[0]], by_hand(X[0][valid[0]], rows.mean(0), rows.var(0)))


def test_a_scene_without_samples_keeps_its_moving_statistics():
  valid = np.array([[True, True, True], [False, False, False]])
  output, stats = normalise(X, valid, per_scene=True)
  assert np.isfinite(output).all()
  for name in ("mean", "var"):
    np.testing.assert_array_equal(stats[name][1], moving(True)[name][1])
    assert (stats[name][0] != moving(True)[name][0]).all()


@pytest.mark.parametrize("per_scene", [True, False])
def test_in_use_the_moving_statistics_normalise_and_stay(per_scene):
  output, stats = normalise(X, ALL, per_scene, train=False)
  known = moving(per_scene)
  for scene in range(2):
    row = scene if per_scene else 0
    expected = by_hand(X[scene], known["mean"][row], known["var"][row])
    assert_close(output[scene], expected)
    variables = {"params": {"scale": SCALE, "bias": BIAS}, "batch_stats": known}
    alone = BatchNorm(5, 2, per_scene).apply(variables, X[scene], np.int32(scene), method="scene")
    assert_close(alone, expected)
  np.testing.assert_array_equal(stats["mean"], known["mean"])
  np.testing.assert_array_equal(stats["var"], known["var"])


@pytest.mark.parametrize(("per_scene", "rows"), [(True, 2), (False, 1)])
def test_statistics_start_at_zero_and_one_and_initialising_does_not_move_them(per_scene, rows):
  variables = BatchNorm(5, 2, per_scene).init(jax.random.key(0), X, ALL, True)
  np.testing.assert_array_equal(variables["batch_stats"]["mean"], np.zeros((rows, 5)))
  np.testing.assert_array_equal(variables["batch_stats"]["var"], np.ones((rows, 5)))
  np.testing.assert_array_equal(variables["params"]["scale"], np.ones(5))
  np.testing.assert_array_equal(variables["params"]["bias"], np.zeros(5))


def test_kernels_start_small_and_normal_and_biases_at_zero():
  params = Convolution(64, 3, 50, valid).init(jax.random.key(0), np.zeros((3, 3, 50), np.float32))["params"]
  assert params["kernel"].shape == (64, 3, 3, 50)
  assert abs(np.mean(params["kernel"])) < 2e-4
  assert np.std(params["kernel"]) == pytest.approx(0.01, rel=0.02)
  assert np.max(np.abs(params["kernel"])) > 0.03, "a truncated normal has no tail"
  np.testing.assert_array_equal(params["bias"], np.zeros(64))


def test_a_convolution_adds_its_bias():
  params = {"kernel": np.zeros((2, 1, 1, 5), np.float32), "bias": np.array([3, -4], np.float32)}
  output = Convolution(2, 1, 5, valid).apply({"params": params}, X[0])
  np.testing.assert_array_equal(output, np.broadcast_to([3, -4], (3, 2, 2, 2)))

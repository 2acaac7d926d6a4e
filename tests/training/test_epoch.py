"""Whole epochs, by hand where possible."""

import dataclasses

import chex
import jax
import numpy as np
import pytest

from mtl_hsi.runtime.compile_clock import compile_clock
from mtl_hsi.training import batches, optim, patches, train_step
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe
from tests import tiny

SGD = optim.optimizer("sgd", {})


def epoch(net, make_optimizer, frozen=(), *, batch_size=5, mixed=False, watch=lambda function: function):
  """A jitted epoch of the tiny problem of one replica: `run(state, epoch, learning_rate)`."""
  samples = tiny.training_set(replicas=1)
  steps = np.int32(batches.steps_per_epoch(samples.counts, batch_size, mixed=mixed, drop_last=False))
  one_replica = jax.device_put(jax.tree.map(lambda x: x[0], samples))
  pixels, _ = patches.lay_out(tiny.layers(), net.patch)
  pixels = jax.device_put(pixels)
  key = jax.random.key(0)
  made = train_step.make_epoch(net, make_optimizer, frozen, batch_size=batch_size, mixed=mixed)
  run = jax.jit(watch(made))
  return lambda state, index, rate: run(
    state, one_replica, key, pixels, np.int32(index), np.float32(rate), steps
  )


@pytest.mark.parametrize("mixed", [False, True])
def test_epochs_are_one_program_traced_once(mixed):
  chex.clear_trace_counter()
  net = tiny.network()
  run = epoch(net, tiny.ADADELTA, mixed=mixed, watch=chex.assert_max_traces(n=1))
  state = jax.device_put(tiny.phase_start(net))
  with compile_clock() as clock:
    for index, rate in enumerate([1.0, 1.0, 0.1]):
      state = run(state, index, rate)
  assert clock.compilations == 1
  assert np.isfinite(state["losses"]).all()
  assert len(np.unique(state["losses"])) == 6


def test_training_sets_of_several_sizes_share_a_program():
  net = tiny.network()
  run = jax.jit(train_step.make_epoch(net, tiny.ADADELTA, (), batch_size=5, mixed=False))
  pixels = jax.device_put(patches.lay_out(tiny.layers(), net.patch)[0])
  state, key, losses = jax.device_put(tiny.phase_start(net)), jax.random.key(0), []
  with compile_clock() as clock:
    for size in (1, 2, 4):
      samples = tiny.training_set(replicas=1, samples_per_class=size)
      steps = np.int32(batches.steps_per_epoch(samples.counts, 5, mixed=False, drop_last=False))
      one_replica = jax.device_put(jax.tree.map(lambda x: x[0], samples))
      after = run(state, one_replica, key, pixels, np.int32(0), np.float32(1), steps)
      losses.append(np.asarray(after["losses"])[0])
  assert clock.compilations == 1
  assert len(np.unique(losses)) == 6


def samples_by_hand(net):
  """Per scene every mirrored patch of the training pixels, cut and flipped by NumPy, and its class."""
  samples = tiny.training_set(replicas=1)
  _, padded = patches.lay_out(tiny.layers(), net.patch)
  for scene, cube in enumerate(padded):
    cut, classes = [], []
    for index in range(samples.counts[0, scene]):
      row, column = samples.centres[0, scene, index]
      patch = cube[row : row + net.patch, column : column + net.patch]
      cut += [np.flip(patch, axes) for axes in ((0,), (1,), (0, 1), ())]
      classes += [tiny.labels()[scene][row, column] - 1] * 4
    yield np.stack(cut), np.array(classes)


def probabilities_by_hand(net, state):
  """Per scene the softmax of every mirrored sample, and one-hot classes."""
  for scene, (cut, classes) in enumerate(samples_by_hand(net)):
    logits = tiny.patch_logits(net, state["params"], state["stats"], cut, np.int32(scene))
    yield np.asarray(jax.nn.softmax(logits)), np.eye(max(tiny.CLASSES))[classes]


@pytest.mark.parametrize("mixed", [False, True])
def test_an_epochs_loss_is_the_mean_over_every_mirrored_sample(mixed):
  # Nothing moves, so the losses do not depend on the order. The 16 samples of the shorter scene wrap around.
  net, frozen = tiny.network(), ("backbone",)
  state = tiny.phase_start(net, SGD, frozen)
  after = epoch(net, SGD, frozen, mixed=mixed)(state, 1, 0.0)
  expected = [-np.log((odds * truth).sum(axis=1)).mean() for odds, truth in probabilities_by_hand(net, state)]
  np.testing.assert_allclose(after["losses"][1], expected, rtol=1e-4)
  assert np.isnan(np.delete(after["losses"], 1, axis=0)).all()
  correct = [
    (odds.argmax(axis=1) == truth.argmax(axis=1)).mean() for odds, truth in probabilities_by_hand(net, state)
  ]
  np.testing.assert_allclose(after["accuracies"][1], correct, rtol=1e-6)


@pytest.mark.parametrize("mixed", [False, True])
def test_scenes_have_equal_weight_in_a_step_unless_their_samples_are_pooled(mixed):
  # One step holds all samples: 32 of the first scene and 16 (or 16 and their copies) of the second.
  net, frozen = tiny.network(), ("stem", "backbone")
  state = tiny.phase_start(net, SGD, frozen)
  after = epoch(net, SGD, frozen, batch_size=48 if mixed else 32, mixed=mixed)(state, 0, 1.0)
  for scene, (odds, truth) in enumerate(probabilities_by_hand(net, state)):
    gradient = (odds - truth).sum(axis=0) / (48 if mixed else len(odds))
    moved = np.asarray(after["params"]["heads"]["bias"][scene]) - state["params"]["heads"]["bias"][scene]
    np.testing.assert_allclose(moved, -gradient, rtol=1e-3, atol=1e-5)


def test_every_epoch_draws_another_order():
  net, frozen = tiny.network(), ("backbone",)
  run = epoch(net, SGD, frozen)
  state = jax.device_put(tiny.phase_start(net, SGD, frozen))
  first, same, other = (run(state, index, 0.01)["params"] for index in (0, 0, 1))
  assert tiny.equal(first, same)
  assert not tiny.equal(first, other)


def test_drawn_steps_share_a_program_whatever_their_number_and_the_samples():
  net = tiny.SMALL
  recipe = Recipe(2, "symmetries", 1, True, 0.1, 0.2, "cosine", 0.0, 0.1, 0.2)
  run = jax.jit(train_step.make_epoch(net, tiny.ADADELTA, (), batch_size=5, mixed=False, recipe=recipe))
  pixels = jax.device_put(patches.lay_out(tiny.layers(), net.patch)[0])
  state, key, losses = jax.device_put(tiny.phase_start(net)), jax.random.key(0), []
  with compile_clock() as clock:
    for size, steps in ((1, 2), (2, 2), (4, 3)):
      samples = tiny.training_set(replicas=1, samples_per_class=size)
      one_replica = jax.device_put(jax.tree.map(lambda x: x[0], samples))
      span = np.int32(0), np.int32(3)
      after = run(state, one_replica, key, pixels, np.int32(0), np.float32(1), np.int32(steps), span)
      losses.append(np.asarray(after["losses"])[0])
  assert clock.compilations == 1
  assert len(np.unique(losses)) == 6
  assert np.isfinite(losses).all()


def test_a_step_trains_on_shifted_patches():
  net = tiny.SMALL
  samples = jax.device_put(jax.tree.map(lambda x: x[0], tiny.training_set(replicas=1)))
  pixels = jax.device_put(patches.lay_out(tiny.layers(), net.patch)[0])
  # One step of all samples, upright, so that only the shift is random.
  recipe = dataclasses.replace(LETTER_RECIPE, steps=1, augmentation="none")

  def losses(shift):
    shifted = dataclasses.replace(recipe, shift=shift)
    run = jax.jit(train_step.make_epoch(net, tiny.ADADELTA, (), batch_size=64, mixed=False, recipe=shifted))
    state = jax.device_put(tiny.phase_start(net))
    return np.asarray(
      run(state, samples, jax.random.key(1), pixels, np.int32(0), np.float32(1), np.int32(1))["losses"]
    )[0]

  assert np.isfinite(losses(1)).all()
  assert (losses(1) != losses(0)).all()

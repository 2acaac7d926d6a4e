"""Loss, gradients, steps and epochs, by hand where a hand can do it."""

import dataclasses
import functools

import chex
import jax
import numpy as np
import pytest

from mtl_hsi.runtime.compile_clock import compile_clock
from mtl_hsi.training import batches, optim, patches, train_step
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe
from tests import tiny

SGD = optim.optimizer("sgd", {})


loss_and_gradients = jax.jit(
  jax.value_and_grad(train_step.loss, has_aux=True), static_argnames=("network", "frozen")
)


def gradients(net, params, stats, batch):
  _, grads = loss_and_gradients(params, stats, batch, jax.random.key(0), network=net, frozen=())
  return jax.tree.map(np.asarray, grads)


def start(net, make_optimizer=tiny.ADADELTA, frozen=(), epochs=3) -> dict:
  """A state with random weights at the beginning of a phase."""
  params, stats = tiny.weights(net)
  state = {"params": params, "stats": stats, "losses": np.full((epochs, net.scenes), np.nan, np.float32)}
  return train_step.start_phase(state, make_optimizer, 1.0, frozen)


def step(net, state, batch, frozen=(), learning_rate=1.0):
  """The state after a step of Adadelta, and the samples' cross-entropies."""
  run = jax.jit(train_step.make_train_step(net, tiny.ADADELTA, frozen))
  state, entropies = run(state, batch, np.float32(learning_rate), jax.random.key(0))
  return jax.tree.map(np.asarray, state), entropies


def test_the_loss_is_the_weighted_cross_entropy_summed_over_scenes():
  net = tiny.network()
  params, stats = tiny.weights(net)
  valid = np.array([[True, True, False], [True, False, False]])
  batch = tiny.batch(net)._replace(valid=valid, weight=np.array([[0.5, 0.25, 0], [2, 0, 0]], np.float32))
  # With the backbone frozen a scene's samples do not depend on each other.
  (value, (_, entropies)), _ = loss_and_gradients(
    params, stats, batch, jax.random.key(0), network=net, frozen=("backbone",)
  )
  expected = np.zeros((2, 3))
  for scene, count in enumerate(tiny.CLASSES):
    logits = np.asarray(
      tiny.patch_logits(net, params, stats, batch.patches[scene], np.int32(scene)), np.float64
    )
    logits = logits[:, :count]
    odds = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(3), batch.classes[scene]]
    expected[scene] = np.where(valid[scene], odds, 0)
  np.testing.assert_allclose(entropies, expected, rtol=1e-4, atol=1e-6)
  assert value == pytest.approx(np.sum(expected * batch.weight), rel=1e-4)


@pytest.mark.parametrize("changes", [{}, {"name": "ccnn", "norm_per_scene": False}], ids=["hresnet", "ccnn"])
def test_padded_classes_get_no_gradient(changes):
  net = tiny.network(**changes)
  grads = gradients(net, *tiny.weights(net), tiny.batch(net))["heads"]
  np.testing.assert_array_equal(grads["kernel"][1, :, 2:], 0)
  np.testing.assert_array_equal(grads["bias"][1, 2:], 0)
  assert (grads["bias"][1, :2] != 0).all()
  assert (grads["bias"][0] != 0).all()


@pytest.mark.parametrize(
  "changes", [{}, {"name": "ccnn", "spectral_knowledge": False}], ids=["hresnet", "ccnn"]
)
def test_both_forms_of_convolution_take_the_same_step(changes):
  nets = [tiny.network(**changes, convolution=form) for form in ("products", "xla")]
  params, stats = tiny.weights(nets[0])
  products, xla = (gradients(net, params, stats, tiny.batch(net)) for net in nets)
  chex.assert_trees_all_close(products, xla, rtol=1e-3, atol=2e-5)
  programs = [
    loss_and_gradients.lower(params, stats, tiny.batch(net), jax.random.key(0), network=net, frozen=())
    for net in nets
  ]
  assert ["stablehlo.convolution" in program.as_text() for program in programs] == [False, True]


@pytest.mark.parametrize("norm_per_scene", [True, False])
@pytest.mark.parametrize("scene", [0, 1])
def test_a_step_of_one_scene_leaves_what_belongs_to_the_others(scene, norm_per_scene):
  net = tiny.network(spectral_knowledge=False, norm_per_scene=norm_per_scene)
  own = np.arange(2).reshape(2, 1) == scene
  batch = tiny.batch(net)
  batch = batch._replace(valid=batch.valid & own, weight=np.where(own, batch.weight, 0))
  grads = gradients(net, *tiny.weights(net), batch)
  for name, leaf in [*grads["heads"].items(), *grads["stem"]["conv"].items()]:
    np.testing.assert_array_equal(leaf[1 - scene], 0, err_msg=name)
    assert np.abs(leaf[scene]).max() > 0
  assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(grads["backbone"]))


@pytest.mark.parametrize("norm_per_scene", [True, False])
def test_what_stands_in_empty_slots_changes_nothing(norm_per_scene):
  net = tiny.network(norm_per_scene=norm_per_scene)
  params, stats = tiny.weights(net)
  batch = tiny.batch(net)
  valid = np.array([[True, True, False], [False, True, True]])
  batch = batch._replace(valid=valid, weight=valid / np.float32(2))
  garbage = batch._replace(
    patches=np.where(valid.reshape(2, 3, 1, 1, 1), batch.patches, 50),
    classes=np.where(valid, batch.classes, 1),
  )
  jax.tree.map(
    np.testing.assert_array_equal,
    gradients(net, params, stats, batch),
    gradients(net, params, stats, garbage),
  )


def test_smoothed_labels_are_spread_over_the_scenes_own_classes():
  net = tiny.network()
  params, stats = tiny.weights(net)
  batch = tiny.batch(net)
  smoothed = functools.partial(train_step.loss, network=net, frozen=("backbone",), smoothing=0.1)
  run = jax.jit(jax.value_and_grad(smoothed, has_aux=True))
  (_, (_, entropies)), grads = run(params, stats, batch, jax.random.key(0))
  for scene, count in enumerate(tiny.CLASSES):
    logits = tiny.patch_logits(net, params, stats, batch.patches[scene], np.int32(scene))[:, :count]
    odds = -np.asarray(jax.nn.log_softmax(logits))
    expected = 0.9 * odds[np.arange(3), batch.classes[scene]] + 0.1 * odds.mean(axis=1)
    np.testing.assert_allclose(entropies[scene], expected, rtol=1e-4)
  np.testing.assert_array_equal(grads["heads"]["kernel"][1, :, 2:], 0)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grads))


def test_a_first_step_of_adadelta_by_hand():
  net = tiny.network()
  state, batch = start(net), tiny.batch(net)
  grads = gradients(net, state["params"], state["stats"], batch)
  after, _ = step(net, state, batch, learning_rate=0.5)

  def check(before, moved, grad):
    grad = grad.astype(np.float64)
    expected = -0.5 * grad * np.sqrt(1e-7) / np.sqrt(0.05 * grad**2 + 1e-7)
    np.testing.assert_allclose(moved - before, expected, rtol=1e-2, atol=1e-6)

  jax.tree.map(check, state["params"], after["params"], grads)
  assert not tiny.equal(state["stats"], after["stats"])


@pytest.mark.parametrize("frozen", [("stem",), ("backbone",), ("heads",), ("stem", "backbone")], ids="+".join)
def test_frozen_groups_do_not_move(frozen):
  net = tiny.network()
  state = start(net, frozen=frozen)
  after, _ = step(net, state, tiny.batch(net), frozen=frozen)
  for group, params in state["params"].items():
    assert tiny.equal(params, after["params"][group]) == (group in frozen)
  assert tiny.equal(state["stats"], after["stats"]) == ("backbone" in frozen)
  # Adadelta carries two accumulators of every parameter that trains and of no other.
  trained = [
    leaf.shape
    for group in state["params"]
    if group not in frozen
    for leaf in jax.tree.leaves(state["params"][group])
  ]
  accumulators = [leaf.shape for leaf in jax.tree.leaves(after["opt"]) if leaf.ndim]
  assert sorted(accumulators) == sorted(2 * trained)


def test_a_new_phase_starts_with_fresh_accumulators():
  net = tiny.network()
  first = start(net)
  state, _ = step(net, first, tiny.batch(net))
  assert not tiny.equal(first["opt"], state["opt"])
  fresh = train_step.start_phase(state, tiny.ADADELTA, 0.1, ())
  assert tiny.equal(first["opt"], fresh["opt"])
  assert tiny.equal(state["params"], fresh["params"])
  assert tiny.equal(state["stats"], fresh["stats"])


def test_an_optimiser_that_starts_from_the_learning_rate_gets_the_phases():
  rprop = optim.optimizer("rprop", {})
  net = tiny.network()
  state = train_step.start_phase(start(net), rprop, 0.125, ())
  kernel = state["params"]["heads"]["kernel"]
  assert any(np.array_equal(leaf, np.full_like(kernel, 0.125)) for leaf in jax.tree.leaves(state["opt"]))


def test_a_state_that_was_saved_is_of_the_types_of_a_fresh_one():
  """Else a resumed run compiles all its programs anew."""
  fresh = jax.eval_shape(lambda key: train_step.init_state(tiny.network(), key, 3), jax.random.key(0))
  assert not any(leaf.weak_type for leaf in jax.tree.leaves(fresh))


def test_a_step_is_one_program_traced_once():
  chex.clear_trace_counter()
  net = tiny.network()
  run = jax.jit(chex.assert_max_traces(train_step.make_train_step(net, tiny.ADADELTA, ()), n=1))
  key = jax.random.key(0)
  state = jax.device_put(start(net))
  with compile_clock() as clock:
    for seed, rate in enumerate([1.0, 1.0, 0.1]):
      state, _ = run(state, tiny.batch(net, seed=seed), np.float32(rate), key)
  assert clock.compilations == 1


def epoch(net, make_optimizer, frozen=(), *, batch_size=5, mixed=False, watch=lambda function: function):
  """A jitted epoch of the tiny problem of one replica: `run(state, epoch, learning_rate)`."""
  samples = tiny.training_set(replicas=1)
  steps = np.int32(batches.steps_per_epoch(samples.counts, batch_size, mixed=mixed, drop_last=False))
  own = jax.device_put(jax.tree.map(lambda x: x[0], samples))
  pixels, _ = patches.lay_out(tiny.layers(), net.patch)
  pixels = jax.device_put(pixels)
  key = jax.random.key(0)
  made = train_step.make_epoch(net, make_optimizer, frozen, batch_size=batch_size, mixed=mixed)
  run = jax.jit(watch(made))
  return lambda state, index, rate: run(state, own, key, pixels, np.int32(index), np.float32(rate), steps)


@pytest.mark.parametrize("mixed", [False, True])
def test_epochs_are_one_program_traced_once(mixed):
  chex.clear_trace_counter()
  net = tiny.network()
  run = epoch(net, tiny.ADADELTA, mixed=mixed, watch=chex.assert_max_traces(n=1))
  state = jax.device_put(start(net))
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
  state, key, losses = jax.device_put(start(net)), jax.random.key(0), []
  with compile_clock() as clock:
    for size in (1, 2, 4):
      samples = tiny.training_set(replicas=1, samples_per_class=size)
      steps = np.int32(batches.steps_per_epoch(samples.counts, 5, mixed=False, drop_last=False))
      own = jax.device_put(jax.tree.map(lambda x: x[0], samples))
      after = run(state, own, key, pixels, np.int32(0), np.float32(1), steps)
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
  # Nothing moves, so that every sample's loss is its own; the shorter scene's 16 samples wrap around to 32.
  net, frozen = tiny.network(), ("backbone",)
  state = start(net, SGD, frozen)
  after = epoch(net, SGD, frozen, mixed=mixed)(state, 1, 0.0)
  expected = [-np.log((odds * truth).sum(axis=1)).mean() for odds, truth in probabilities_by_hand(net, state)]
  np.testing.assert_allclose(after["losses"][1], expected, rtol=1e-4)
  assert np.isnan(np.delete(after["losses"], 1, axis=0)).all()


@pytest.mark.parametrize("mixed", [False, True])
def test_scenes_weigh_the_same_in_a_step_unless_their_samples_are_pooled(mixed):
  # One step holds all samples: 32 of the first scene and 16 (or 16 and their copies) of the second.
  net, frozen = tiny.network(), ("stem", "backbone")
  state = start(net, SGD, frozen)
  after = epoch(net, SGD, frozen, batch_size=48 if mixed else 32, mixed=mixed)(state, 0, 1.0)
  for scene, (odds, truth) in enumerate(probabilities_by_hand(net, state)):
    gradient = (odds - truth).sum(axis=0) / (48 if mixed else len(odds))
    moved = np.asarray(after["params"]["heads"]["bias"][scene]) - state["params"]["heads"]["bias"][scene]
    np.testing.assert_allclose(moved, -gradient, rtol=1e-3, atol=1e-5)


def test_epochs_draw_their_own_order():
  net, frozen = tiny.network(), ("backbone",)
  run = epoch(net, SGD, frozen)
  state = jax.device_put(start(net, SGD, frozen))
  first, same, other = (run(state, index, 0.01)["params"] for index in (0, 0, 1))
  assert tiny.equal(first, same)
  assert not tiny.equal(first, other)


def test_drawn_steps_are_one_program_whatever_their_number_and_the_samples():
  net = tiny.network("vresnet", patch=5, width=6, blocks=1)
  recipe = Recipe(2, "symmetries", 1, True, 0.1, 0.2, "cosine", 0.0, 0.1, 0.2)
  run = jax.jit(train_step.make_epoch(net, tiny.ADADELTA, (), batch_size=5, mixed=False, recipe=recipe))
  pixels = jax.device_put(patches.lay_out(tiny.layers(), net.patch)[0])
  state, key, losses = jax.device_put(start(net)), jax.random.key(0), []
  with compile_clock() as clock:
    for size, steps in ((1, 2), (2, 2), (4, 3)):
      samples = tiny.training_set(replicas=1, samples_per_class=size)
      own, stretch = jax.device_put(jax.tree.map(lambda x: x[0], samples)), (np.int32(0), np.int32(3))
      after = run(state, own, key, pixels, np.int32(0), np.float32(1), np.int32(steps), stretch)
      losses.append(np.asarray(after["losses"])[0])
  assert clock.compilations == 1
  assert len(np.unique(losses)) == 6
  assert np.isfinite(losses).all()


def test_a_step_sees_patches_that_are_shifted():
  net = tiny.network("vresnet", patch=5, width=6, blocks=1)
  samples = jax.device_put(jax.tree.map(lambda x: x[0], tiny.training_set(replicas=1)))
  pixels = jax.device_put(patches.lay_out(tiny.layers(), net.patch)[0])
  # One step of all samples as they are, so that nothing but the shift is drawn.
  recipe = dataclasses.replace(LETTER_RECIPE, steps=1, augmentation="none")

  def losses(shift):
    own = dataclasses.replace(recipe, shift=shift)
    run = jax.jit(train_step.make_epoch(net, tiny.ADADELTA, (), batch_size=64, mixed=False, recipe=own))
    state = jax.device_put(start(net))
    return np.asarray(
      run(state, samples, jax.random.key(1), pixels, np.int32(0), np.float32(1), np.int32(1))["losses"]
    )[0]

  assert np.isfinite(losses(1)).all()
  assert (losses(1) != losses(0)).all()


# What one step of Adadelta from the fresh network of seed 0 gave when it was written down:
# the loss, and the Euclidean length of each group's change.
GOLDEN = {
  "loss": 2.079352,
  "stem": 0.05862851,
  "backbone": 0.2932143,
  "heads": 0.1803288,
  "statistics": 1.128591,
}


def test_one_step_is_what_it_was():
  net = tiny.network()
  fresh = jax.jit(train_step.init_state, static_argnums=(0, 2))(net, jax.random.key(0), 1)
  before = train_step.start_phase(fresh, tiny.ADADELTA, 1.0, ())
  after, entropies = step(net, before, tiny.batch(net))

  def change(one, other):
    squares = jax.tree.map(lambda x, y: np.sum(np.square(x - y, dtype=np.float64)), one, other)
    return float(np.sqrt(sum(jax.tree.leaves(squares))))

  figures = {"loss": float(np.asarray(entropies).mean(axis=1).sum())}
  figures |= {group: change(params, after["params"][group]) for group, params in before["params"].items()}
  figures |= {"statistics": change(before["stats"], after["stats"])}
  assert figures == pytest.approx(GOLDEN, rel=1e-3), (
    "One training step gives other figures than it used to. If initialisation, network, loss or optimiser "
    "were changed on purpose, measure the results in docs/ anew and let GOLDEN be "
    f"{figures}; if not, training is broken."
  )

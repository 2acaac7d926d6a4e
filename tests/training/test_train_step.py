"""Loss, gradients and single steps, by hand where possible."""

import functools

import chex
import jax
import numpy as np
import pytest

from mtl_hsi.runtime.compile_clock import compile_clock
from mtl_hsi.training import optim, train_step
from tests import tiny

loss_and_gradients = jax.jit(
  jax.value_and_grad(train_step.loss, has_aux=True), static_argnames=("network", "frozen")
)


def gradients(net, params, stats, batch):
  _, grads = loss_and_gradients(params, stats, batch, jax.random.key(0), network=net, frozen=())
  return jax.tree.map(np.asarray, grads)


@functools.cache
def step_program(net, frozen):
  return jax.jit(train_step.make_train_step(net, tiny.ADADELTA, frozen))


def step(net, state, batch, frozen=(), learning_rate=1.0):
  """Returns the state after a step of Adadelta and the cross-entropies of the samples."""
  state, outcome = step_program(net, frozen)(state, batch, np.float32(learning_rate), jax.random.key(0))
  return jax.tree.map(np.asarray, state), outcome.entropies


def test_the_loss_is_the_weighted_cross_entropy_summed_over_scenes():
  net = tiny.SMALL
  params, stats = tiny.weights(net)
  valid = np.array([[True, True, False], [True, False, False]])
  batch = tiny.batch(net)._replace(valid=valid, weight=np.array([[0.5, 0.25, 0], [2, 0, 0]], np.float32))
  # With the backbone frozen a scene's samples do not depend on each other.
  (value, (_, outcome)), _ = loss_and_gradients(
    params, stats, batch, jax.random.key(0), network=net, frozen=("backbone",)
  )
  expected, correct = np.zeros((2, 3)), np.zeros((2, 3), bool)
  for scene, count in enumerate(tiny.CLASSES):
    logits = np.asarray(
      tiny.patch_logits(net, params, stats, batch.patches[scene], np.int32(scene)), np.float64
    )
    logits = logits[:, :count]
    odds = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(3), batch.classes[scene]]
    expected[scene] = np.where(valid[scene], odds, 0)
    correct[scene] = valid[scene] & (logits.argmax(axis=1) == batch.classes[scene])
  np.testing.assert_array_equal(outcome.correct, correct)
  np.testing.assert_allclose(outcome.entropies, expected, rtol=1e-4, atol=1e-6)
  assert value == pytest.approx(np.sum(expected * batch.weight), rel=1e-4)


def test_padded_classes_get_no_gradient():
  net = tiny.network()
  grads = gradients(net, *tiny.weights(net), tiny.batch(net))["heads"]
  np.testing.assert_array_equal(grads["kernel"][1, :, 2:], 0)
  np.testing.assert_array_equal(grads["bias"][1, 2:], 0)
  assert (grads["bias"][1, :2] != 0).all()
  assert (grads["bias"][0] != 0).all()


def test_both_forms_of_convolution_give_the_same_step():
  nets = [tiny.network(convolution=form) for form in ("products", "xla")]
  params, stats = tiny.weights(nets[0])
  products, xla = (gradients(net, params, stats, tiny.batch(net)) for net in nets)
  chex.assert_trees_all_close(products, xla, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
  "changes",
  [
    {},
    {"name": "ccnn", "spectral_knowledge": False},
    {"name": "vresnet", "patch": 5, "width": 6, "blocks": 1},
  ],
  ids=["hresnet", "ccnn", "vresnet"],
)
def test_every_model_trains_with_the_chosen_form_of_convolution(changes):
  nets = [tiny.network(**changes, convolution=form) for form in ("products", "xla")]
  params, stats = tiny.weights(nets[0])
  programs = [
    loss_and_gradients.lower(params, stats, tiny.batch(net), jax.random.key(0), network=net, frozen=())
    for net in nets
  ]
  assert ["stablehlo.convolution" in program.as_text() for program in programs] == [False, True]


@pytest.mark.parametrize("norm_per_scene", [True, False])
@pytest.mark.parametrize("scene", [0, 1])
def test_a_step_of_one_scene_leaves_the_other_scenes_parameters(scene, norm_per_scene):
  net = tiny.network(spectral_knowledge=False, norm_per_scene=norm_per_scene)
  in_scene = np.arange(2).reshape(2, 1) == scene
  batch = tiny.batch(net)
  batch = batch._replace(valid=batch.valid & in_scene, weight=np.where(in_scene, batch.weight, 0))
  grads = gradients(net, *tiny.weights(net), batch)
  for name, leaf in [*grads["heads"].items(), *grads["stem"]["conv"].items()]:
    np.testing.assert_array_equal(leaf[1 - scene], 0, err_msg=name)
    assert np.abs(leaf[scene]).max() > 0
  assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(grads["backbone"]))


@pytest.mark.parametrize("norm_per_scene", [True, False])
def test_values_in_empty_slots_have_no_effect(norm_per_scene):
  net = tiny.network("vresnet", patch=5, width=6, blocks=1, norm_per_scene=norm_per_scene)
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


def test_smoothed_labels_are_spread_over_the_classes_of_the_scene():
  net = tiny.SMALL
  params, stats = tiny.weights(net)
  batch = tiny.batch(net)
  smoothed = functools.partial(train_step.loss, network=net, frozen=("backbone",), smoothing=0.1)
  run = jax.jit(jax.value_and_grad(smoothed, has_aux=True))
  (_, (_, outcome)), grads = run(params, stats, batch, jax.random.key(0))
  for scene, count in enumerate(tiny.CLASSES):
    logits = tiny.patch_logits(net, params, stats, batch.patches[scene], np.int32(scene))[:, :count]
    odds = -np.asarray(jax.nn.log_softmax(logits))
    expected = 0.9 * odds[np.arange(3), batch.classes[scene]] + 0.1 * odds.mean(axis=1)
    np.testing.assert_allclose(outcome.entropies[scene], expected, rtol=1e-4)
  np.testing.assert_array_equal(grads["heads"]["kernel"][1, :, 2:], 0)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grads))


def test_a_first_step_of_adadelta_by_hand():
  net = tiny.network()
  state, batch = tiny.phase_start(net), tiny.batch(net)
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
  net = tiny.SMALL
  state = tiny.phase_start(net, frozen=frozen)
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
  first = tiny.phase_start(net)
  state, _ = step(net, first, tiny.batch(net))
  assert not tiny.equal(first["opt"], state["opt"])
  fresh = train_step.start_phase(state, tiny.ADADELTA, 0.1, ())
  assert tiny.equal(first["opt"], fresh["opt"])
  assert tiny.equal(state["params"], fresh["params"])
  assert tiny.equal(state["stats"], fresh["stats"])


def test_an_optimiser_that_starts_from_the_learning_rate_gets_the_phases():
  rprop = optim.optimizer("rprop", {})
  net = tiny.network()
  state = train_step.start_phase(tiny.phase_start(net), rprop, 0.125, ())
  kernel = state["params"]["heads"]["kernel"]
  assert any(np.array_equal(leaf, np.full_like(kernel, 0.125)) for leaf in jax.tree.leaves(state["opt"]))


def test_a_fresh_state_has_no_weak_types():
  """A restored state has none, and a resumed run would compile all its programs again."""
  fresh = jax.eval_shape(lambda key: train_step.init_state(tiny.network(), key, 3), jax.random.key(0))
  assert not any(leaf.weak_type for leaf in jax.tree.leaves(fresh))


def test_a_step_is_one_program_traced_once():
  chex.clear_trace_counter()
  net = tiny.network()
  run = jax.jit(chex.assert_max_traces(train_step.make_train_step(net, tiny.ADADELTA, ()), n=1))
  key = jax.random.key(0)
  state = jax.device_put(tiny.phase_start(net))
  with compile_clock() as clock:
    for seed, rate in enumerate([1.0, 1.0, 0.1]):
      state, _ = run(state, tiny.batch(net, seed=seed), np.float32(rate), key)
  assert clock.compilations == 1


# One step of Adadelta from the fresh network of seed 0, as recorded: the loss, and the Euclidean norm of the
# change of every parameter group.
GOLDEN = {
  "loss": 2.079352,
  "stem": 0.05862851,
  "backbone": 0.2932143,
  "heads": 0.1803288,
  "statistics": 1.128591,
}


def test_one_step_gives_the_recorded_figures():
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
    "One training step gives other figures than before. If initialisation, network, loss or optimiser "
    "were changed on purpose, measure the results in docs/ again and set GOLDEN to "
    f"{figures}; if not, training is broken."
  )

"""The training loop: snapshots, phases, resuming."""

import copy
import dataclasses
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training import optim, patches
from mtl_hsi.training.checkpoints import Checkpoints
from mtl_hsi.training.loop import Saving, TrainingData, TrainingPlan, fit, learning_rates
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe
from tests import tiny


class InMemory:
  """Replaces `Checkpoints` without files; keeps every state and snapshot."""

  def __init__(self):
    self.states, self.snapshots = {}, {}

  def save_state(self, epoch, tree):
    self.states[epoch] = copy.deepcopy(tree)

  def save_snapshot(self, epoch, tree):
    self.snapshots[epoch] = copy.deepcopy(tree)

  def restore_latest_state(self, abstract):
    if not self.states:
      return None
    epoch = max(self.states)
    chex.assert_trees_all_equal_shapes_and_dtypes(self.states[epoch], abstract(epoch))
    return epoch, copy.deepcopy(self.states[epoch])

  def restore_snapshot(self, epoch, abstract):
    return self.snapshots[epoch]


def run(
  schedule,
  checkpoints,
  *,
  net=tiny.SMALL,
  replicas=2,
  devices=1,
  make_optimizer=tiny.ADADELTA,
  seconds=0.0,
  progress=None,
  interrupted=None,
  recipe=LETTER_RECIPE,
):
  """Trains the tiny problem; saves a state after every epoch."""
  plan = TrainingPlan(
    net, make_optimizer, schedule, seed=3, batch_size=8, mixed=False, drop_last=False, recipe=recipe
  )
  pixels, _ = patches.lay_out(tiny.layers(), net.patch)
  return fit(
    plan,
    TrainingData(tiny.training_set(replicas), pixels, tiny.NAMES),
    Replicas(replicas, jax.devices()[:devices]),
    Saving(checkpoints, seconds),
    progress=progress or (lambda losses, accuracies: None),
    interrupted=interrupted,
  )


class Trained(NamedTuple):
  """A run of six epochs, and what it reported."""

  losses: np.ndarray
  checkpoints: InMemory
  progress: list
  traces: list


# HResNet learns the tiny problem within a few epochs.
LEARNING = tiny.network()


@pytest.fixture(scope="module")
def trained() -> Trained:
  checkpoints, calls, traces = InMemory(), [], []

  def counted(learning_rate):
    traces.append(len(calls))
    return tiny.ADADELTA(learning_rate)

  losses = run(
    tiny.schedule(6, snapshots=(-2, 0)),
    checkpoints,
    net=LEARNING,
    make_optimizer=counted,
    progress=lambda *means: calls.append(means),
  )
  return Trained(losses, checkpoints, calls, traces)


def test_it_learns(trained):
  assert trained.losses.shape == (6, 2, 2)
  assert (trained.losses[-1] < 0.7 * trained.losses[0]).all()


def test_it_reports_every_epoch_with_losses_and_accuracies(trained):
  assert [len(losses) for losses, _ in trained.progress] == [0, 1, 2, 3, 4, 5, 6]
  last = trained.progress[-1][1]
  for done, (losses, accuracies) in enumerate(trained.progress):
    np.testing.assert_array_equal(losses, trained.losses[:done])
    np.testing.assert_array_equal(accuracies, last[:done])
  assert last.shape == trained.losses.shape
  assert (last[-1] > last[0]).all()


def test_snapshots_are_the_networks_of_their_epochs(trained):
  states, snapshots = trained.checkpoints.states, trained.checkpoints.snapshots
  assert sorted(snapshots) == [4, 6]
  for epoch, snapshot in snapshots.items():
    assert snapshot.keys() == {"params", "stats"}
    assert all(tiny.equal(snapshot[part], states[epoch][part]) for part in snapshot)
  assert not tiny.equal(snapshots[4], snapshots[6])


def test_only_the_first_epoch_is_traced(trained):
  # Every trace makes the optimiser again: at the start, and in the first epoch.
  assert set(trained.traces) == {0, 1}


def test_the_learning_rate_of_an_epoch_is_that_of_its_last_step():
  recipe = dataclasses.replace(LETTER_RECIPE, steps=4, warmup=0.5, decay="cosine")
  plan = TrainingPlan(
    *(tiny.SMALL, tiny.ADADELTA, tiny.schedule(4, 2)), seed=0, batch_size=8, mixed=False, drop_last=False
  )
  data = TrainingData(tiny.training_set(), None, tiny.NAMES)
  np.testing.assert_array_equal(learning_rates(plan, data), np.float32([1, 1, 1, 1, 0.1, 0.1]))
  # A rise over 8 and 4 steps, then half a cosine over as many; an epoch ends with its fourth step.
  cosine = [(1 + np.cos(np.pi * share)) / 2 for share in (3 / 8, 7 / 8, 3 / 4)]
  expected = [0.5, 1, cosine[0], cosine[1], 0.1, 0.1 * cosine[2]]
  found = learning_rates(dataclasses.replace(plan, recipe=recipe), data)
  np.testing.assert_allclose(found, expected, rtol=1e-5)


# Two phases on two devices; three replicas do not divide among them. Tests share the compiled programs.
TWO_PHASES = tiny.schedule(2, 1, snapshots=(0, 1), frozen=("stem", "backbone"))
SPREAD = {"replicas": 3, "devices": 2}


def test_a_phase_starts_with_fresh_accumulators_and_freezes_its_groups():
  checkpoints = InMemory()
  run(TWO_PHASES, checkpoints, **SPREAD)
  before, start, end = (checkpoints.states[epoch] for epoch in (1, 2, 4))

  def accumulators(state):
    return [leaf for leaf in jax.tree.leaves(state["opt"]) if leaf.ndim > 1]

  assert any(leaf.any() for leaf in accumulators(before))
  assert not any(leaf.any() for leaf in accumulators(start))
  # Two accumulators of the heads' kernels and biases, each stacked over replicas.
  assert len(accumulators(start)) == 4
  assert tiny.equal(start["params"]["stem"], end["params"]["stem"])
  assert tiny.equal(start["params"]["backbone"], end["params"]["backbone"])
  assert tiny.equal(start["stats"], end["stats"])
  assert not tiny.equal(start["params"]["heads"], end["params"]["heads"])
  assert not tiny.equal(before["params"]["stem"], start["params"]["stem"])


def upwards(learning_rate):
  """Adds a thousandth of the learning rate to every parameter in every step, whatever the gradient."""
  return optax.stateless(
    lambda grads, _: jax.tree.map(lambda g: jnp.full_like(g, learning_rate / 1000), grads)
  )


def test_every_epoch_has_its_phases_learning_rate():
  checkpoints = InMemory()
  run(tiny.schedule(2, 1), checkpoints, make_optimizer=upwards)
  # The larger scene's 32 mirrored samples make four steps of eight.
  for epoch, expected in [(1, 0.004), (2, 0.008), (3, 0.0084)]:
    bias = checkpoints.states[epoch]["params"]["heads"]["bias"]
    np.testing.assert_allclose(bias, np.full(bias.shape, expected), rtol=1e-5)


# Two steps an epoch.
DRAWN = Recipe(
  steps=2,
  augmentation="symmetries",
  shift=1,
  balanced=True,
  smoothing=0.1,
  warmup=0.25,
  decay="cosine",
  averaging=0.9,
  jitter=0.1,
  band_dropout=0.2,
)


@pytest.fixture(scope="module")
def drawn() -> InMemory:
  """The checkpoints of a run in two phases that draws its steps and averages its weights."""
  checkpoints = InMemory()
  run(tiny.schedule(4, 2), checkpoints, make_optimizer=upwards, recipe=DRAWN)
  return checkpoints


def test_the_learning_rate_rises_and_falls_within_every_phase(drawn):
  # Learning rates of the steps. The warmup of the first phase has two steps. The second phase has a tenth of
  # the rate and a warmup of half a step.
  first = [0.5, 1, *(1 + np.cos(np.pi * np.arange(6) / 6)) / 2]
  second = 0.1 * np.array([1, *(1 + np.cos(np.pi * np.arange(3) / 3)) / 2])
  expected = np.cumsum([*first, *second])[1::2] / 1000
  for epoch, value in enumerate(expected, start=1):
    bias = drawn.states[epoch]["params"]["heads"]["bias"]
    np.testing.assert_allclose(bias, np.full(bias.shape, value), rtol=1e-5)


def test_the_averaged_network_votes(drawn):
  state, snapshot = drawn.states[6], drawn.snapshots[6]
  assert snapshot.keys() == {"params", "stats"}
  for replica in range(2):
    one_state, one_snapshot = jax.tree.map(lambda x, replica=replica: x[replica], (state, snapshot))
    expected = optim.averaged_network(one_state, DRAWN.averaging)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5), one_snapshot, expected)
  voting, last = (tree["params"]["heads"]["bias"] for tree in (snapshot, state))
  assert (voting < 0.9 * last).all()


class Interrupted(Exception):
  pass


def interrupt_after(epochs):
  def progress(losses, accuracies):
    if len(losses) == epochs:
      raise Interrupted

  return progress


def test_an_interrupted_run_saves_its_last_epoch_and_resumes_to_the_same_bits(trained):
  schedule, checkpoints, asked = tiny.schedule(6, snapshots=(-2, 0)), InMemory(), []

  def interrupted():
    asked.append(sorted(checkpoints.states))
    return len(asked) == 3

  with pytest.raises(KeyboardInterrupt):
    run(schedule, checkpoints, net=LEARNING, seconds=1e9, interrupted=interrupted)
  assert asked == [[], [], []]
  assert sorted(checkpoints.states) == [3]
  resumed = run(schedule, checkpoints, net=LEARNING, seconds=1e9)
  np.testing.assert_array_equal(resumed, trained.losses)


def test_a_killed_run_resumes_to_the_same_bits():
  resume_to_the_same_bits(tiny.SMALL, InMemory())


# CCNN draws dropout in every step.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["hresnet", "ccnn"])
def test_a_killed_run_of_the_letters_networks_resumes_to_the_same_bits(name):
  resume_to_the_same_bits(tiny.network(name), InMemory())


@pytest.mark.slow
def test_a_killed_run_of_drawn_steps_resumes_to_the_same_bits():
  resume_to_the_same_bits(tiny.SMALL, InMemory(), DRAWN)


@pytest.mark.slow
def test_a_killed_run_resumes_from_its_files_to_the_same_bits(tmp_path):
  resume_to_the_same_bits(tiny.network(), Checkpoints(tmp_path))


@pytest.mark.slow
def test_a_killed_run_of_drawn_steps_resumes_from_its_files_to_the_same_bits(tmp_path):
  resume_to_the_same_bits(tiny.SMALL, Checkpoints(tmp_path), DRAWN)


def resume_to_the_same_bits(net, checkpoints, recipe=LETTER_RECIPE):
  options = {"net": net, "recipe": recipe, **SPREAD}
  whole = InMemory()
  losses = run(TWO_PHASES, whole, **options, seconds=1e9)
  # Killed before a save, once within the first phase and once in the second one's first epoch.
  for epochs in (2, 3):
    with pytest.raises(Interrupted):
      run(TWO_PHASES, checkpoints, **options, progress=interrupt_after(epochs))
  np.testing.assert_array_equal(run(TWO_PHASES, checkpoints, **options), losses)
  calls = []
  run(TWO_PHASES, checkpoints, **options, progress=lambda losses, accuracies: calls.append(losses))
  np.testing.assert_array_equal(calls, [losses], "a finished run trains no more")
  params, stats = jax.eval_shape(net.init, jax.random.key(0))
  shapes = Replicas(SPREAD["replicas"], jax.devices()).shapes({"params": params, "stats": stats})
  for epoch in TWO_PHASES.snapshot_epochs:
    assert tiny.equal(checkpoints.restore_snapshot(epoch, shapes), whole.snapshots[epoch])

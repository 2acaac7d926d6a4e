"""The training loop: snapshots, phases, resuming, losses that are not finite."""

import copy

import jax
import numpy as np
import optax
import pytest

from mtl_hsi import patches
from mtl_hsi.errors import RequestError
from mtl_hsi.fit import fit
from mtl_hsi.replicas import Replicas
from mtl_hsi.schedule import Phase, Schedule
from mtl_hsi.snapshots import Checkpoints
from tests import tiny


class InMemory:
  """Stands in for `Checkpoints`: keeps every state and snapshot."""

  def __init__(self):
    self.states, self.snapshots = {}, {}

  def save_state(self, epoch, tree):
    self.states[epoch] = copy.deepcopy(tree)

  def save_snapshot(self, epoch, tree):
    self.snapshots[epoch] = copy.deepcopy(tree)

  def restore_latest_state(self, abstract):
    return None


def run(schedule, checkpoints, *, net=None, replicas=2, make_optimizer=tiny.ADADELTA, seconds=0.0, progress=None):
  """Trains the tiny problem; saves a state after every epoch."""
  net = net or tiny.network()
  pixels, _ = patches.lay_out(tiny.layers(), net.patch)
  return fit(
    net,
    make_optimizer,
    schedule,
    Replicas(replicas, jax.devices()),
    tiny.training_set(replicas),
    pixels,
    seed=3,
    batch_size=8,
    mixed=False,
    checkpoints=checkpoints,
    checkpoint_seconds=seconds,
    scene_names=tiny.NAMES,
    progress=progress or (lambda done, losses: None),
  )


def test_it_learns_reports_and_keeps_what_votes():
  schedule = tiny.schedule(6, snapshots=(-2, 0))
  checkpoints, calls = InMemory(), []
  losses = run(schedule, checkpoints, progress=lambda done, losses: calls.append((done, losses)))
  assert losses.shape == (6, 2, 2)
  assert (losses[-1] < 0.7 * losses[0]).all()
  assert [done for done, _ in calls] == [0, 1, 2, 3, 4, 5, 6]
  assert calls[0][1] is None
  np.testing.assert_array_equal([losses for _, losses in calls[1:]], losses)
  assert sorted(checkpoints.snapshots) == [4, 6]
  for epoch, snapshot in checkpoints.snapshots.items():
    assert snapshot.keys() == {"params", "stats"}
    assert all(tiny.equal(snapshot[part], checkpoints.states[epoch][part]) for part in snapshot)
  assert not tiny.equal(*checkpoints.snapshots.values())


def test_a_phase_starts_with_fresh_accumulators_and_freezes_its_groups():
  checkpoints = InMemory()
  run(tiny.schedule(2, 2, frozen=("stem", "backbone")), checkpoints)
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


def test_the_first_epoch_of_a_phase_has_its_learning_rate():
  def gentle(learning_rate):
    return optax.sgd(0.01 * learning_rate)

  def moved(schedule):
    checkpoints = InMemory()
    run(schedule, checkpoints, make_optimizer=gentle)
    first, second = (checkpoints.states[epoch]["params"]["heads"]["bias"] for epoch in (1, 2))
    return np.linalg.norm(second - first, axis=(1, 2))

  ratio = moved(tiny.schedule(1, 1)) / moved(tiny.schedule(2))
  assert (ratio > 0.05).all()
  assert (ratio < 0.2).all()


def test_more_epochs_are_traced_no_more_often():
  def traces(epochs):
    count = 0

    def counted(learning_rate):
      nonlocal count
      count += 1
      return tiny.ADADELTA(learning_rate)

    run(tiny.schedule(epochs), InMemory(), make_optimizer=counted)
    return count

  assert traces(1) == traces(4)


class Interrupted(Exception):
  pass


def interrupt_after(epochs):
  def progress(done, losses):
    if done == epochs:
      raise Interrupted

  return progress


def kept(directory, schedule, net):
  """Every snapshot in a directory, as NumPy arrays."""
  shapes = Replicas(3, jax.devices()).shapes(
    dict(zip(("params", "stats"), jax.eval_shape(net.init, jax.random.key(0)), strict=True))
  )
  return [
    jax.tree.map(np.asarray, Checkpoints(directory).restore_snapshot(epoch, shapes))
    for epoch in schedule.snapshot_epochs
  ]


def test_a_killed_run_resumes_to_the_same_bits(tmp_path):
  # CCNN draws dropout in every step; three replicas do not divide among two devices.
  net, schedule = tiny.network("ccnn"), tiny.schedule(2, 1, snapshots=(0, 1), frozen=("stem",))
  losses = run(schedule, Checkpoints(tmp_path / "whole"), net=net, replicas=3, seconds=1e9)
  checkpoints = Checkpoints(tmp_path / "killed")
  # Killed before a save, once within the first phase and once in the second one's first epoch.
  for epochs in (2, 3):
    with pytest.raises(Interrupted):
      run(schedule, checkpoints, net=net, replicas=3, progress=interrupt_after(epochs))
  resumed = run(schedule, checkpoints, net=net, replicas=3)
  np.testing.assert_array_equal(resumed, losses)
  whole, killed = kept(tmp_path / "whole", schedule, net), kept(tmp_path / "killed", schedule, net)
  jax.tree.map(np.testing.assert_array_equal, killed, whole)


def test_a_finished_run_trains_no_more(tmp_path):
  schedule, checkpoints = tiny.schedule(2), Checkpoints(tmp_path)
  losses = run(schedule, checkpoints, seconds=1e9)
  calls = []
  again = run(schedule, checkpoints, progress=lambda done, losses: calls.append((done, losses)))
  np.testing.assert_array_equal(again, losses)
  assert calls == [(2, None)]


def test_a_loss_that_is_not_finite_is_refused_with_its_place():
  checkpoints = InMemory()
  message = (
    r"the loss of scene 'fields' is nan in replica 0 \(seed 3\) after epoch 2 \(phases\.phase2, learning rate 1e\+30\); "
    "lower the learning rate"
  )
  schedule = Schedule((Phase("phase1", 1, 0.01, ()), Phase("phase2", 2, 1e30, ())), snapshots=(0,))
  with pytest.raises(RequestError, match=message):
    run(schedule, checkpoints, make_optimizer=optax.sgd)
  assert sorted(checkpoints.states) == [1], "a broken state must not be what a run resumes from"

"""Values that are not finite stop a run in the epoch in which they appear, and damage nothing."""

import copy
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training import batches, health, patches, train_step
from mtl_hsi.training.loop import Saving, TrainingData, TrainingPlan, fit
from mtl_hsi.training.schedule import Phase, Schedule
from tests import launching, tiny
from tests.training.test_loop import InMemory

REPLICAS = 3
EPOCH = health.Epoch(7, Phase("phase2", 2, 0.1, ()), 3, tiny.NAMES, 5)


def run(checkpoints, schedule, *, make_optimizer=optax.sgd, samples=None, pixels=None):
  """Trains three replicas of the tiny problem with seeds from 3 on; saves a state after every epoch."""
  net = tiny.SMALL
  pixels = pixels or patches.lay_out(tiny.layers(), net.patch)[0]
  return fit(
    TrainingPlan(net, make_optimizer, schedule, seed=3, batch_size=8, mixed=False, drop_last=False),
    TrainingData(samples or tiny.training_set(REPLICAS), pixels, tiny.NAMES),
    Replicas(REPLICAS, jax.devices()[:1]),
    Saving(checkpoints, 0.0),
    progress=lambda losses, accuracies: None,
  )


def poisoned():
  """Training sets and pixels that give replica 1 one patch of NaN, in the second scene."""
  samples, (pixels, _) = tiny.training_set(REPLICAS), patches.lay_out(tiny.layers(), tiny.SMALL.patch)
  centres = samples.centres.copy()
  # Beyond the last row of the pixels: indices are clipped to it.
  centres[1, 1, 0] = 10_000, 0
  values = np.concatenate([pixels.values, np.full((1, tiny.BANDS), np.nan, np.float32)])
  return samples._replace(centres=centres), pixels._replace(values=values)


def test_a_learning_rate_that_is_too_high_is_named_every_time_and_checkpoints_are_kept():
  checkpoints = InMemory()
  schedule = Schedule((Phase("phase1", 1, 0.01, ()), Phase("phase2", 2, 1e30, ())), snapshots=(0,))
  message = (
    r"the loss of scene 'fields'.* is nan in replicas 0 \(seed 3\), 1 \(seed 4\), 2 \(seed 5\) after epoch 2 "
    r"\(phases\.phase2, learning rate 1e\+30\); lower --config\.phases\.phase2\.learning_rate, in a new work"
  )
  with pytest.raises(RequestError, match=message) as first:
    run(checkpoints, schedule)
  assert str(first.value).endswith("; the state saved after epoch 1 is kept")
  assert sorted(checkpoints.states) == [1], "a broken state must not be what a run resumes from"
  kept = copy.deepcopy(checkpoints.states)
  with pytest.raises(RequestError) as again:
    run(checkpoints, schedule)
  assert str(again.value) == str(first.value)
  assert tiny.equal(checkpoints.states, kept)
  assert not checkpoints.snapshots


def test_only_the_replica_that_diverged_and_the_scene_where_it_began_are_named():
  samples, pixels = poisoned()
  with pytest.raises(RequestError) as refused:
    run(InMemory(), tiny.schedule(2), samples=samples, pixels=pixels)
  assert str(refused.value).startswith("the loss of scene 'town' is nan in replica 1 (seed 4) after epoch 1")
  assert "the other replicas are finite: train them alone" in str(refused.value)
  assert str(refused.value).endswith("; no state had been saved")


def test_the_other_replicas_do_not_change_when_one_diverges():
  net, replicas = tiny.SMALL, Replicas(REPLICAS, jax.devices()[:1])
  make = health.with_finite_flags(train_step.make_epoch(net, optax.sgd, (), batch_size=8, mixed=False))
  epoch = replicas.spread(make, 3, donate=True)
  samples, pixels = poisoned()
  steps = np.int32(batches.steps_per_epoch(samples.counts, 8, mixed=False, drop_last=False))

  def fresh(key):
    return train_step.start_phase(train_step.init_state(net, key, 2), optax.sgd, 1.0, ())

  def trained(samples):
    keys = replicas.keys(3)
    state = replicas.spread(fresh, 1)(keys)
    inputs = replicas.put(samples), keys, replicas.share(pixels)
    return replicas.get(epoch(state, *inputs, np.int32(0), np.float32(1), steps))

  (state, finite), (clean, all_finite) = trained(samples), trained(tiny.training_set(REPLICAS))
  assert all(flags.all() for flags in all_finite.values())
  assert all(flags.tolist() == [True, False, True] for part, flags in finite.items() if part != "opt")
  others = np.array([0, 2])
  assert tiny.equal(*(jax.tree.map(lambda x: x[others], tree) for tree in (state, clean)))


def test_accumulators_that_overflow_under_a_finite_loss_are_not_kept():
  def overflowing(_):
    return optax.GradientTransformation(
      lambda params: jnp.ones(()), lambda grads, _, params: (grads, jnp.full((), jnp.inf))
    )

  checkpoints = InMemory()
  with pytest.raises(RequestError, match="the optimiser's state of the network of scene 'fields' and 'town'"):
    run(checkpoints, tiny.schedule(1), make_optimizer=overflowing)
  assert not checkpoints.states
  assert not checkpoints.snapshots


@pytest.mark.parametrize(
  ("part", "words"),
  [
    ("params", "a parameter"),
    ("stats", "a statistic of batch normalisation"),
    ("opt", "the optimiser's state"),
  ],
)
def test_every_part_of_the_state_is_checked_in_every_replica(part, words):
  state = {name: {"a": np.ones((3, 2), np.float32), "step": np.ones(3, np.int32)} for name in health.PARTS}
  state[part]["a"][2, 1] = np.inf
  _, finite = jax.vmap(health.with_finite_flags(lambda state: state))(state)
  expected = f"{words} of the network of scene 'fields' and 'town' is not finite in replica 2 (seed 5) after"
  with pytest.raises(RequestError, match=re.escape(expected)):
    health.check_epoch(np.ones((3, 2)), jax.device_get(finite), EPOCH)


def test_finite_values_pass():
  finite = {part: np.ones(3, bool) for part in health.PARTS}
  health.check_epoch(np.ones((3, 2)), finite, EPOCH)


def test_networks_whose_outputs_overflow_are_refused():
  probabilities = np.full((3, 4, 5), 0.5, np.float16)
  health.check_probabilities(probabilities, "town", 3)
  probabilities[1, 2, 3] = np.nan
  with pytest.raises(RequestError, match=r"of scene 'town' are not finite in replica 1 \(seed 4\)"):
    health.check_probabilities(probabilities, "town", 3)


def test_a_run_that_diverges_ends_in_one_line_and_keeps_its_checkpoints(inputs, tmp_path):
  command = launching.arguments(inputs, tmp_path / "run", **{"phases.phase2.learning_rate": 1e30})
  outcome = launching.launch(*command)
  last = outcome.err.splitlines()[-1]
  assert outcome.status == 2
  assert last.startswith("error: the loss of scene 'fields'")
  assert "(phases.phase2, learning rate 1e+30); lower --config.phases.phase2.learning_rate" in last
  assert "Traceback" not in outcome.err
  kept = launching.contents(tmp_path / "run" / "checkpoints")
  assert any(name.startswith("state/3/") for name in kept), "nothing of the first phase was kept"
  assert launching.launch(*command).err.splitlines()[-1] == last
  assert launching.contents(tmp_path / "run" / "checkpoints") == kept
  assert not (tmp_path / "run" / "metrics.json").exists()

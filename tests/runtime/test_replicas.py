"""Replicas on two devices; each gives the same bits as it would alone."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax

from mtl_hsi.models.multitask import GROUPS
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training import batches, optim, patches, train_step
from mtl_hsi.training.recipe import LETTER_RECIPE
from tests import launching, tiny

COUNTS = pytest.mark.parametrize("count", [1, 2, 3])


def replicas_of(count: int) -> Replicas:
  return Replicas(count, jax.devices())


def per_replica(count: int) -> dict:
  return {
    "a": np.arange(count * 6, dtype=np.float32).reshape(count, 2, 3),
    "b": np.arange(count, dtype=np.int32),
  }


@COUNTS
def test_get_returns_what_was_put(count):
  replicas = replicas_of(count)
  back = replicas.get(replicas.put(per_replica(count)))
  jax.tree.map(np.testing.assert_array_equal, back, per_replica(count))
  assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(back))


@COUNTS
def test_replicas_are_distributed_over_the_devices(count):
  placed = replicas_of(count).put(per_replica(count))["a"]
  rows = [shard.data.shape[0] for shard in placed.addressable_shards]
  assert rows == {1: [1], 2: [1, 1], 3: [2, 2]}[count]


def test_shared_arrays_are_complete_on_every_device():
  shared = replicas_of(2).share(np.arange(5))
  assert [shard.data.shape for shard in shared.addressable_shards] == [(5,), (5,)]


@COUNTS
def test_every_replica_has_the_key_of_its_seed(count):
  keys = replicas_of(count).get(jax.jit(jax.random.key_data)(replicas_of(count).keys(7)))
  expected = [jax.random.key_data(jax.random.key(7 + replica)) for replica in range(count)]
  np.testing.assert_array_equal(keys, expected)


@COUNTS
def test_a_function_is_applied_to_every_replica(count):
  replicas = replicas_of(count)

  def function(tree, number, shared):
    return {"sum": jnp.sum(tree["a"]) * number, "shared": shared + tree["b"]}

  numbers = np.arange(1, count + 1, dtype=np.float32)
  spread = replicas.spread(function, 2)
  result = replicas.get(
    spread(replicas.put(per_replica(count)), replicas.put(numbers), replicas.share(np.arange(4)))
  )
  trees = per_replica(count)
  np.testing.assert_array_equal(result["sum"], trees["a"].sum(axis=(1, 2)) * numbers)
  np.testing.assert_array_equal(result["shared"], trees["b"][:, None] + np.arange(4))


@COUNTS
def test_shapes_are_those_of_what_get_returns(count):
  replicas = replicas_of(count)
  one = {"a": jax.ShapeDtypeStruct((2, 3), np.float32), "b": jax.ShapeDtypeStruct((), np.int32)}
  back = replicas.get(replicas.put(per_replica(count)))
  assert jax.tree.map(lambda x: (x.shape, x.dtype), replicas.shapes(one)) == jax.tree.map(
    lambda x: (x.shape, x.dtype), back
  )


@functools.cache
def train_epochs(net, count, devices, seed, first=0, epochs=2, recipe=LETTER_RECIPE):
  """Returns the states after some epochs of replicas `first`, ... with the keys of `seed`, ..."""
  replicas = Replicas(count, jax.devices()[:devices])
  samples = jax.tree.map(lambda x: x[first : first + count], tiny.training_set(replicas=3))
  steps = np.int32(batches.steps_per_epoch(samples.counts, 8, mixed=False, drop_last=False))
  keys, samples = replicas.keys(seed), replicas.put(samples)
  pixels = replicas.share(patches.lay_out(tiny.layers(), net.patch)[0])
  state, run = (
    replicas.spread(functools.partial(fresh, net), 1)(keys),
    replicas.spread(epoch(net, recipe), 3, donate=True),
  )
  for index in range(epochs):
    state = run(state, samples, keys, pixels, np.int32(index), np.float32(1), steps)
  return replicas.get(state)


def fresh(net, key):
  return train_step.start_phase(train_step.init_state(net, key, 2), tiny.ADADELTA, 1.0, ())


def epoch(net, recipe=LETTER_RECIPE):
  return train_step.make_epoch(net, tiny.ADADELTA, (), batch_size=8, mixed=False, recipe=recipe)


@pytest.mark.parametrize(
  "changes",
  [
    pytest.param({}, id="hresnet"),
    pytest.param({"name": "ccnn", "spectral_knowledge": False}, id="ccnn", marks=pytest.mark.slow),
  ],
)
def test_a_replica_alone_equals_the_replica_among_others_bit_for_bit(changes):
  alone_and_together(tiny.network(**changes))


@pytest.mark.slow
def test_a_replica_of_drawn_steps_equals_the_replica_among_others_bit_for_bit():
  recipe = dataclasses.replace(
    LETTER_RECIPE, steps=3, augmentation="symmetries", balanced=True, smoothing=0.1
  )
  alone_and_together(tiny.network("vresnet", patch=5, width=6, blocks=1), recipe)


def alone_and_together(net, recipe=LETTER_RECIPE):
  together = train_epochs(net, 3, devices=1, seed=4, recipe=recipe)
  alone = train_epochs(net, 1, devices=1, seed=6, first=2, recipe=recipe)
  jax.tree.map(np.testing.assert_array_equal, alone, jax.tree.map(lambda x: x[2:], together))
  assert len(np.unique(together["losses"][:, 0, 0])) == 3, (
    "if replicas were equal, the comparison would prove nothing"
  )


# Without the flag both devices compile a program of their own.
@pytest.mark.parametrize("flags", [launching.COMPILED_ONCE, pytest.param("", marks=pytest.mark.slow)])
def test_the_number_of_devices_changes_no_bit(flags, monkeypatch):
  one = train_epochs(tiny.network(), 3, devices=1, seed=4)
  monkeypatch.setenv("XLA_FLAGS", flags)
  # Three replicas on two devices are padded to four.
  two = train_epochs.__wrapped__(tiny.network(), 3, devices=2, seed=4)
  jax.tree.map(np.testing.assert_array_equal, one, two)


@pytest.mark.filterwarnings("ignore:.*optimistic_adam:DeprecationWarning")
@pytest.mark.parametrize("name", optim.known())
def test_every_known_optimiser_keeps_its_state_over_a_scan_on_several_devices(name):
  make, replicas = optim.optimizer(name, {}), Replicas(2, jax.devices())
  transformation = optim.phase_transformation(make, 0.1, ())
  params = {group: {"kernel": np.full((2, 4, 3), 0.5, np.float32)} for group in GROUPS}

  def train(params):
    def step(carry, _):
      moved, state = carry
      updates, state = transformation.update(jax.tree.map(jnp.ones_like, moved), state, moved)
      return (optax.apply_updates(moved, updates), state), None

    return lax.scan(step, (params, transformation.init(params)), length=2)[0][0]

  moved = replicas.get(replicas.spread(train, 1)(replicas.put(params)))
  for group in GROUPS:
    assert (moved[group]["kernel"] != 0.5).all()


@pytest.mark.slow
def test_replicas_in_a_loop_equal_replicas_under_vmap():
  net = tiny.network()
  keys = jax.vmap(jax.random.key)(np.arange(4, 7))
  state = jax.jit(jax.vmap(functools.partial(fresh, net)))(keys)
  run = jax.jit(jax.vmap(epoch(net), in_axes=(0, 0, 0, None, None, None, None)))
  pixels, _ = patches.lay_out(tiny.layers(), net.patch)
  samples = tiny.training_set(replicas=3)
  steps = np.int32(batches.steps_per_epoch(samples.counts, 8, mixed=False, drop_last=False))
  for index in range(2):
    state = run(state, samples, keys, pixels, np.int32(index), np.float32(1), steps)
  looped = train_epochs(net, 3, devices=1, seed=4)
  jax.tree.map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-2, atol=1e-4), jax.device_get(state), looped
  )

"""One function on two devices."""

import jax
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mtl_hsi.runtime.compile_clock import compile_clock
from mtl_hsi.runtime.per_device import per_device

MESH = Mesh(np.array(jax.devices()[:2]), ("halves",))


def halves(x):
  """Shards an array along its first axis."""
  return jax.device_put(x, NamedSharding(MESH, PartitionSpec("halves")))


def whole(x):
  """Replicates an array on both devices."""
  return jax.device_put(x, NamedSharding(MESH, PartitionSpec()))


@pytest.mark.parametrize("axis", [0, 1])
def test_results_of_both_devices_are_concatenated_along_an_axis(axis):
  double = per_device(lambda x, y: {"sum": x + y}, MESH, axis)
  given = np.arange(12.0, dtype=np.float32).reshape(4, 3)
  result = double(halves(given), whole(np.ones((1, 3), np.float32)))["sum"]
  expected = np.concatenate(np.split(given + 1, 2), axis=axis)
  np.testing.assert_array_equal(result, expected)
  assert len(result.addressable_shards) == 2


def test_numbers_are_passed_to_both_devices_without_recompilation():
  traces = []

  def scale(x, factor):
    traces.append(1)
    return x * factor

  run = per_device(scale, MESH, 0)
  for factor in (2, 3):
    np.testing.assert_array_equal(run(halves(np.ones(4, np.int32)), np.int32(factor)), np.full(4, factor))
  assert len(traces) == 1


@pytest.mark.parametrize(("flags", "programs"), [("--xla_cpu_multi_thread_eigen=false", 1), ("", 2)])
def test_host_devices_that_use_one_core_share_a_program(flags, programs, monkeypatch):
  monkeypatch.setenv("XLA_FLAGS", flags)
  step, given = per_device(lambda x, y: x * y - 1, MESH, 0), halves(np.ones((4, 3), np.float32))
  shared = whole(np.ones((1, 3), np.float32))
  with compile_clock() as clock:
    result = step(given, shared)
  np.testing.assert_array_equal(result, np.zeros((4, 3)))
  assert clock.compilations == programs


def test_the_memory_of_the_first_argument_can_be_reused():
  step = per_device(lambda x: x + 1, MESH, 0, donate=True)
  state = step(halves(np.zeros(4, np.int32)))
  following = step(state)
  np.testing.assert_array_equal(following, np.full(4, 2))
  with pytest.raises(RuntimeError, match="deleted"):
    np.asarray(state)


def test_keys_are_sharded_like_arrays():
  keys = jax.jit(jax.random.wrap_key_data)(halves(np.arange(8, dtype=np.uint32).reshape(4, 2)))
  drawn = per_device(jax.vmap(lambda key: jax.random.uniform(key)), MESH, 0)(keys)
  np.testing.assert_array_equal(drawn, jax.vmap(jax.random.uniform)(jax.device_put(keys, jax.devices()[0])))


def test_the_precision_of_the_caller_applies():
  found = []

  def product(x):
    found.append(jax.config.jax_default_matmul_precision)
    return x @ x

  with jax.default_matmul_precision("highest"):
    per_device(product, MESH, 0)(whole(np.eye(2, dtype=np.float32)))
  assert found == ["highest"]


def test_an_error_on_a_device_is_raised():
  def fail(_):
    raise ValueError("no more")

  def function(x):
    return jax.pure_callback(fail, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

  with pytest.raises(Exception, match="no more"):
    jax.block_until_ready(per_device(function, MESH, 0)(halves(np.ones(4, np.float32))))

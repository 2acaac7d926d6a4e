"""Monte-Carlo replicas as a leading axis that is distributed over the devices."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from mtl_hsi.runtime import processes
from mtl_hsi.runtime.per_device import per_device

_AXIS = "replicas"


class Replicas:
  """R independent networks that are trained together.

  Every device has the same number of replicas. If R is not divisible, the last
  replica is computed several times and the copies are dropped. On CPUs the bits
  of a replica depend neither on other replicas nor on the number of devices.

  Attributes:
    count: the number of replicas, R.
  """

  def __init__(self, count: int, devices: list[jax.Device]):
    self.count = count
    used = min(count, len(devices))
    self._rows = -(-count // used) * used
    self._mesh = Mesh(np.array(devices[:used]), (_AXIS,), axis_types=(AxisType.Auto,))
    self._loop = loop_over_replicas(devices[0].platform)

  def keys(self, seed: int, streams: np.ndarray | None = None) -> jax.Array:
    """Returns root keys `[R]`.

    Args:
      seed: seed of the first replica.
      streams: int32 `[R, 2]`: replica r and stream s of every key, which is that of `seed + r`, folded with s
        unless s is 0. None: stream 0 of replicas 0 to R - 1.
    """
    if streams is None:
      streams = np.stack([np.arange(self.count), np.zeros(self.count, int)], axis=1)
    streams = np.concatenate([streams, np.repeat(streams[-1:], self._rows - self.count, axis=0)])
    keys = jax.vmap(_key)(seed + streams[:, 0], streams[:, 1])
    data = np.asarray(jax.random.key_data(keys))
    wrap = jax.jit(jax.random.wrap_key_data, out_shardings=self._sharding(_AXIS))
    return wrap(processes.place(data, self._sharding(_AXIS)))

  def put(self, tree: Any) -> Any:
    """Places arrays `[R, ...]` so that every replica is on its device."""

    def pad(x):
      return np.concatenate([x, np.repeat(x[-1:], self._rows - self.count, axis=0)])

    return processes.place(jax.tree.map(pad, tree), self._sharding(_AXIS))

  def share(self, tree: Any) -> Any:
    """Places arrays that all replicas read on all devices."""
    return processes.place(tree, self._sharding())

  def get(self, tree: Any) -> Any:
    """Returns arrays of all replicas as numpy arrays `[R, ...]`."""
    return jax.tree.map(lambda x: x[: self.count], processes.fetch(tree))

  def shapes(self, one: Any) -> Any:
    """Returns the shapes `[R, ...]` of what `get` returns, given the shapes for one replica."""
    home = SingleDeviceSharding(jax.local_devices()[0])
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct((self.count, *x.shape), x.dtype, sharding=home), one)

  def spread(self, function: Callable, separate: int, donate: bool = False) -> Callable:
    """Compiles a function of one replica into one of all replicas.

    Args:
      function: function of `separate` arguments of one replica, followed by arguments
        that all replicas share; returns arrays of that replica.
      separate: number of arguments with the leading replica axis.
      donate: whether the memory of the first argument may be reused.
    """

    def local(*arguments):
      per_replica, shared = arguments[:separate], arguments[separate:]
      return self._loop(lambda of_replica: function(*of_replica, *shared))(per_replica)

    return per_device(local, self._mesh, axis=0, donate=donate)

  def _sharding(self, *axes):
    return NamedSharding(self._mesh, PartitionSpec(*axes))


def _key(seed, stream):
  key = jax.random.key(seed)
  folded = jax.random.key_data(jax.random.fold_in(key, stream))
  return jax.random.wrap_key_data(jnp.where(stream == 0, jax.random.key_data(key), folded))


def loop_over_replicas(platform: str) -> Callable:
  """Returns the transformation that applies a function to all replicas on a device of this platform."""
  return _one_by_one if platform == "cpu" else jax.vmap


def _one_by_one(function):
  """Does the same as `jax.vmap`, up to rounding; one network at a time fits into the cache of a core."""
  return lambda arguments: lax.map(function, arguments)

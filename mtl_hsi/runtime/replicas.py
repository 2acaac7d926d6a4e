"""Monte-Carlo replicas as a leading axis, spread over the devices."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from mtl_hsi.runtime import processes
from mtl_hsi.runtime.per_device import per_device

_AXIS = "replicas"


class Replicas:
  """R independent networks that are trained together.

  Every device holds an equal number of replicas; where R does not divide, the
  last replica is computed more than once and its copies are dropped. On CPUs a
  replica's bits depend neither on those beside it nor on the number of devices.

  Attributes:
    count: R.
  """

  def __init__(self, count: int, devices: list[jax.Device]):
    self.count = count
    used = min(count, len(devices))
    self._rows = -(-count // used) * used
    self._mesh = Mesh(np.array(devices[:used]), (_AXIS,), axis_types=(AxisType.Auto,))
    self._loop = loop_over_replicas(devices[0].platform)

  def keys(self, seed: int) -> jax.Array:
    """Root keys `[R]`: replica r has the key of `seed + r`."""
    seeds = seed + np.minimum(np.arange(self._rows), self.count - 1)
    data = np.asarray(jax.random.key_data(jax.vmap(jax.random.key)(seeds)))
    wrap = jax.jit(jax.random.wrap_key_data, out_shardings=self._sharding(_AXIS))
    return wrap(processes.place(data, self._sharding(_AXIS)))

  def put(self, tree: Any) -> Any:
    """Places arrays with a leading replica axis `[R, ...]`, each replica on its device."""

    def pad(x):
      return np.concatenate([x, np.repeat(x[-1:], self._rows - self.count, axis=0)])

    return processes.place(jax.tree.map(pad, tree), self._sharding(_AXIS))

  def share(self, tree: Any) -> Any:
    """Places arrays that all replicas read on every device."""
    return processes.place(tree, self._sharding())

  def get(self, tree: Any) -> Any:
    """Fetches arrays with a leading replica axis as numpy `[R, ...]`."""
    return jax.tree.map(lambda x: x[: self.count], processes.fetch(tree))

  def shapes(self, one: Any) -> Any:
    """Shapes of what `get` returns, `[R, ...]`, from the shapes of one replica's arrays."""
    home = SingleDeviceSharding(jax.local_devices()[0])
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct((self.count, *x.shape), x.dtype, sharding=home), one)

  def spread(self, function: Callable, separate: int, donate: bool = False) -> Callable:
    """Compiles a function of one replica into one of all replicas.

    Args:
      function: takes `separate` arguments of its replica, then arguments that
        all replicas share; returns arrays of its replica.
      separate: how many arguments have the leading replica axis.
      donate: whether the first argument's memory may be reused.
    """

    def local(*arguments):
      own, shared = arguments[:separate], arguments[separate:]
      return self._loop(lambda arguments: function(*arguments, *shared))(own)

    return per_device(local, self._mesh, axis=0, donate=donate)

  def _sharding(self, *axes):
    return NamedSharding(self._mesh, PartitionSpec(*axes))


def loop_over_replicas(platform: str) -> Callable:
  """How a device of this platform applies a function to each of its replicas: `jax.vmap`, or one by one."""
  return _one_by_one if platform == "cpu" else jax.vmap


def _one_by_one(function):
  """One network at a time stays in a core's cache; the results are those of `jax.vmap` to rounding."""
  return lambda arguments: lax.map(function, arguments)

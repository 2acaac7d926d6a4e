"""One function on several devices, each with a program of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def per_device(function: Callable, mesh: Mesh, axis: int, *, donate: bool = False) -> Callable:
  """Compiles a function that every device runs on what it has of the arguments.

  One program for all devices would pass through other stages of XLA than one for a single device, and differ
  from it by rounding; these give the same bits whatever the number of devices.

  Args:
    function: gives a tree of arrays.
    mesh: the devices, along its only axis.
    axis: of the results, along which those of all devices are put together.
    donate: whether the first argument's memory may be reused.

  Returns:
    The function of trees of arrays over the mesh, of which a device sees its shard, and of numbers, which all
    see; gives arrays over the mesh.
  """
  program = jax.jit(function, donate_argnums=0 if donate else ())
  devices = [device for device in mesh.devices.flat if device.process_index == jax.process_index()]
  threads = ThreadPoolExecutor(len(devices), thread_name_prefix="device")
  sharding = NamedSharding(mesh, PartitionSpec(*[None] * axis, *mesh.axis_names))

  def whole(*parts):
    shape = list(parts[0].shape)
    shape[axis] *= mesh.size
    return jax.make_array_from_single_device_arrays(tuple(shape), sharding, parts)

  def run(*arguments):
    parts = [_parts(arguments, device) for device in devices]
    # Threads would trace it once each.
    program.trace(*parts[0])
    precision = jax.config.jax_default_matmul_precision

    def run_one(own):
      # The context of the caller is not that of a thread.
      with jax.default_matmul_precision(precision):
        return program(*own)

    # Compiling keeps a thread busy, and so does running on a CPU.
    return jax.tree.map(whole, *threads.map(run_one, parts))

  return run


def _parts(arguments: Any, device: jax.Device) -> Any:
  """What a device has of every array."""

  def part(x):
    if not isinstance(x, Array):
      return x
    (own,) = (shard.data for shard in x.addressable_shards if shard.device == device)
    return own

  return jax.tree.map(part, arguments)

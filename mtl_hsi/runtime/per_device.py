"""One function on several devices, each on its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mtl_hsi.runtime.devices import keep_to_cores


def per_device(function: Callable, mesh: Mesh, axis: int, *, donate: bool = False) -> Callable:
  """Compiles a function that every device runs on what it has of the arguments.

  One program for all devices would pass through other stages of XLA than one for a single device, and differ
  from it by rounding; this gives the same bits whatever the number of devices. Host devices that keep to a
  core each share the program of the first, which thereby is compiled once, and run it side by side.

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
  # Where each device's part is computed. Products on all cores would get into each other's way on one device.
  shared = mesh.devices.flat[0].platform == "cpu" and keep_to_cores()
  homes = devices[:1] * len(devices) if shared else devices
  threads = ThreadPoolExecutor(len(devices), thread_name_prefix="device")
  sharding = NamedSharding(mesh, PartitionSpec(*[None] * axis, *mesh.axis_names))

  def whole(*parts):
    shape = list(parts[0].shape)
    shape[axis] *= mesh.size
    return jax.make_array_from_single_device_arrays(tuple(shape), sharding, parts)

  def run(*arguments):
    parts = [_parts(arguments, device, home) for device, home in zip(devices, homes, strict=True)]
    # Threads would trace it once each, and compile as often what they share; their own programs they compile
    # side by side.
    if shared:
      program.lower(*parts[0]).compile()
    else:
      program.trace(*parts[0])
    precision = jax.config.jax_default_matmul_precision

    def run_one(own, device):
      # The context of the caller is not that of a thread.
      with jax.default_matmul_precision(precision):
        return jax.device_put(program(*own), device)

    # Running on a CPU keeps a thread busy.
    return jax.tree.map(whole, *threads.map(run_one, parts, devices))

  return run


def _parts(arguments: Any, device: jax.Device, home: jax.Device) -> Any:
  """What a device has of every array, where it is computed with."""

  def part(x):
    if not isinstance(x, Array):
      return x
    shards = {shard.device: shard.data for shard in x.addressable_shards}
    # What all devices have is there already.
    return shards[home] if x.is_fully_replicated else jax.device_put(shards[device], home)

  return jax.tree.map(part, arguments)

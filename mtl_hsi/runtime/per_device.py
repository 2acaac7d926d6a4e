"""Running one function on several devices independently of each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mtl_hsi.runtime.devices import keep_to_cores


def per_device(function: Callable, mesh: Mesh, axis: int, *, donate: bool = False) -> Callable:
  """Compiles a function that every device applies to its shards of the arguments.

  XLA compiles one program for all devices differently from a program for a single device, and rounding
  differs. One program per device gives the same bits for any number of devices. Host devices that use one
  core each share the program of the first device, so it is compiled once, and run it in parallel.

  Args:
    function: returns a tree of arrays.
    mesh: the devices, along its only axis.
    axis: axis of the results along which the results of all devices are concatenated.
    donate: whether the memory of the first argument may be reused.

  Returns:
    A function of trees of arrays over the mesh, of which each device gets its shard, and of numbers, which
    all devices get. It returns arrays over the mesh.
  """
  program = jax.jit(function, donate_argnums=0 if donate else ())
  devices = [device for device in mesh.devices.flat if device.process_index == jax.process_index()]
  # The device that computes each shard. Matrix products that use all cores would slow each other down on a
  # shared device.
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
    # Otherwise every thread would trace the function, and compile a program that is shared. Programs that are
    # not shared are compiled by the threads in parallel.
    if shared:
      program.lower(*parts[0]).compile()
    else:
      program.trace(*parts[0])
    precision = jax.config.jax_default_matmul_precision

    def run_one(shards, device):
      # Threads do not inherit the JAX settings of the caller's context.
      with jax.default_matmul_precision(precision):
        return jax.device_put(program(*shards), device)

    # A program on a CPU blocks the thread that calls it.
    return jax.tree.map(whole, *threads.map(run_one, parts, devices))

  return run


def _parts(arguments: Any, device: jax.Device, home: jax.Device) -> Any:
  """Returns a device's shard of every array, moved to the device that computes with it."""

  def part(x):
    if not isinstance(x, Array):
      return x
    shards = {shard.device: shard.data for shard in x.addressable_shards}
    # A replicated array is on that device already.
    return shards[home] if x.is_fully_replicated else jax.device_put(shards[device], home)

  return jax.tree.map(part, arguments)

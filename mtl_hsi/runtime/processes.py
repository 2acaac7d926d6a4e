"""Training in several processes, on one machine or on many.

Every process runs the same program on its own devices, and the replicas are
distributed over all devices. Only the first process reads and writes the work
directory and prints. It sends the others what it reads.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Sharding

from mtl_hsi.errors import RequestError


def join(coordinator: str, processes: int | None, index: int | None) -> None:
  """Joins the other processes; to be called before JAX computes anything.

  Args:
    coordinator: address and port of the first process, such as "node1:1234"; or "auto" where JAX can read
      all three arguments from the environment (SLURM, Open MPI, TPU pods).
    processes: number of processes.
    index: index of this process, from 0.

  Raises:
    RequestError: a number is missing or wrong, or the others do not answer.
  """
  # This service would intercept SIGTERM.
  jax.config.update("jax_enable_preemption_service", False)
  given = {}
  if coordinator != "auto":
    if processes is None or index is None or not index < processes:
      raise RequestError(
        f"--processes is {processes} and --process is {index}; --coordinator={coordinator} needs the number "
        "of processes and the index of this one, counted from 0"
      )
    given = {"coordinator_address": coordinator, "num_processes": processes, "process_id": index}
  try:
    jax.distributed.initialize(**given)
  # JAX passes on any exception of its coordination service.
  except Exception as error:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    raise RequestError(f"cannot join the processes at --coordinator={coordinator}: {reason}") from error


def is_first() -> bool:
  """Whether this process is the one that reads, writes and prints."""
  return _alone() or jax.process_index() == 0


def count() -> int:
  """Returns the number of processes."""
  return 1 if _alone() else jax.process_count()


def place(tree: Any, sharding: Sharding) -> Any:
  """Places arrays that every process has on the devices of all processes."""
  if _alone():
    return jax.device_put(tree, sharding)

  def place_array(x):
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, sharding, lambda index: x[index])

  return jax.tree.map(place_array, tree)


def fetch(tree: Any) -> Any:
  """Returns arrays on the devices of all processes as numpy arrays, in every process."""
  if _alone():
    return jax.tree.map(np.asarray, tree)
  return multihost_utils.process_allgather(tree, tiled=True)


def from_first(find: Callable[[], int | None]) -> int:
  """Returns, in every process, the number that the first process finds; 0 for None.

  Raises:
    RequestError: `find` raised it in the first process.
  """
  if _alone():
    return find() or 0
  found, failure = 0, None
  if is_first():
    try:
      found = find() or 0
    except RequestError as error:
      failure = error
  failed, found = multihost_utils.broadcast_one_to_all(np.array([failure is not None, found], np.int32))
  if failure:
    raise failure
  if failed:
    raise RequestError("the first process failed; see its output for the reason")
  return int(found)


def tree_from_first(find: Callable[[], Any], shapes: Any) -> Any:
  """Returns, in every process, the tree of arrays that the first process finds.

  Args:
    find: called in the first process only.
    shapes: shapes and types of the arrays, as `jax.ShapeDtypeStruct`.

  Raises:
    RequestError: as in `from_first`.
  """
  if _alone():
    return find()
  tree = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes)

  def keep():
    nonlocal tree
    tree = jax.tree.map(np.asarray, find())

  from_first(keep)
  return multihost_utils.broadcast_one_to_all(tree)


def _alone():
  """Whether there is only one process; finds out without initialising the devices."""
  return not jax.distributed.is_initialized()

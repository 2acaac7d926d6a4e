"""Several processes, on one machine or on many, that train as one.

Every process runs the same program on devices of its own, and the replicas are
spread over all of them. The first process alone reads and writes the work
directory and speaks to the user; what it finds there it tells the others.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Sharding

from mtl_hsi.errors import RequestError


def join(coordinator: str, processes: int | None, index: int | None) -> None:
  """Joins the other processes; call it before JAX computes anything.

  Args:
    coordinator: address and port of the first process, such as "node1:1234"; "auto" where JAX can ask
      the environment (SLURM, Open MPI, TPU pods), which then tells the other two.
    processes: how many there are.
    index: of this one, from 0.

  Raises:
    RequestError: a number is missing or wrong, or the others do not answer.
  """
  # It would catch SIGTERM for itself.
  jax.config.update("jax_enable_preemption_service", False)
  given = {}
  if coordinator != "auto":
    if processes is None or index is None or not index < processes:
      raise RequestError(
        f"--coordinator={coordinator} joins processes by number, and --processes is {processes}, --process "
        f"{index}; give how many there are and which one this is, from 0 to one less"
      )
    given = {"coordinator_address": coordinator, "num_processes": processes, "process_id": index}
  try:
    jax.distributed.initialize(**given)
  # JAX raises whatever its coordination service does.
  except Exception as error:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    raise RequestError(f"cannot join the processes at --coordinator={coordinator}: {reason}") from error


def is_first() -> bool:
  """Whether this process reads, writes and speaks."""
  return _alone() or jax.process_index() == 0


def count() -> int:
  """How many processes there are."""
  return 1 if _alone() else jax.process_count()


def place(tree: Any, sharding: Sharding) -> Any:
  """Arrays that every process has, placed on the devices of all."""
  if _alone():
    return jax.device_put(tree, sharding)

  def of_all(x):
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, sharding, lambda index: x[index])

  return jax.tree.map(of_all, tree)


def fetch(tree: Any) -> Any:
  """Arrays on the devices of all processes, as numpy arrays in every process."""
  if _alone():
    return jax.tree.map(np.asarray, tree)
  return multihost_utils.process_allgather(tree, tiled=True)


def from_first(find: Callable[[], int | None]) -> int:
  """What the first process finds, in every process: a number, 0 for None.

  Raises:
    RequestError: `find` raised one; in the other processes it says so.
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
    raise RequestError("the first process has failed; it says why")
  return int(found)


def tree_from_first(find: Callable[[], Any], shapes: Any) -> Any:
  """The tree of arrays that the first process finds, in every process.

  Args:
    find: called in the first process.
    shapes: what it finds, as `jax.ShapeDtypeStruct`.

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
  """Known without waking JAX's devices."""
  return not jax.distributed.is_initialized()

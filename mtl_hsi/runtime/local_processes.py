"""One run by several processes of one machine, each on cores of its own.

XLA's threads serve all host devices of a process together, so products of one
core's networks wander to the other cores' caches; in processes of one core
each they do not (results/training_profile.md).
"""

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence

from mtl_hsi.errors import RequestError
from mtl_hsi.runtime import interruption

_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def started(count: int, command: Sequence[str]) -> Iterator[str]:
  """Starts the others and keeps this process, the first, to its own cores; call it before JAX is imported.

  The others end with this one, however it ends, and say nothing: what they
  find out, the first process does too.

  Args:
    count: of processes, this one included.
    command: script and arguments of this process.

  Yields:
    The address at which `processes.join` joins them.

  Raises:
    RequestError: there are fewer cores than processes, or the system cannot pin processes to cores.
  """
  if not hasattr(os, "sched_setaffinity"):
    raise RequestError(f"--processes={count} without --coordinator pins processes to cores, on Linux only")
  cores = sorted(os.sched_getaffinity(0))
  each = len(cores) // count
  if each == 0:
    raise RequestError(f"--processes={count} on {len(cores)} cores; ask for {len(cores)} or fewer")
  coordinator = f"localhost:{_free_port()}"
  # XLA's threads and JAX's host devices of every process.
  environment = {"NPROC": str(each), "JAX_NUM_CPU_DEVICES": str(each), "JAX_PLATFORMS": "cpu"}
  os.environ.update(environment)
  others = [
    subprocess.Popen(
      [sys.executable, *command, f"--coordinator={coordinator}", f"--process={index}"],
      **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL},
      preexec_fn=_settle(cores[index * each : (index + 1) * each]),
    )
    for index in range(1, count)
  ]
  os.sched_setaffinity(0, cores[:each])
  try:
    yield coordinator
    _leave_together(others)
  # The others have met with it too.
  except RequestError:
    _leave_together(others)
    raise
  except KeyboardInterrupt as interrupt:
    # JAX would wait at the exit for the others, which are ended here.
    atexit.register(_leave_alone, interruption.status(interrupt))
    raise
  finally:
    for process in others:
      process.kill()
      process.wait()


def _leave_together(others):
  # Only now, since it reads the environment.
  import jax

  if jax.distributed.is_initialized():
    jax.distributed.shutdown()
    for process in others:
      process.wait()


def _leave_alone(status):
  """Ends the process without what others have registered for its end."""
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(status)


def _settle(cores):
  """What a child does between its start and its program."""
  libc = ctypes.CDLL(None)

  def settle():
    os.sched_setaffinity(0, cores)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

  return settle


def _free_port() -> int:
  with socket.socket() as taken:
    taken.bind(("localhost", 0))
    return taken.getsockname()[1]

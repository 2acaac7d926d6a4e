"""Backend, host devices and compilation cache, set before JAX initialises its devices."""

import contextlib
import ctypes
import os
import warnings
from pathlib import Path

# XLA reads this when jaxlib is loaded. JAX would set 1, which prints warnings.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import jax

from mtl_hsi.errors import RequestError

# Keeps each matrix product on the core of its device; products that share cores wait for one another.
_ONE_CORE_EACH = "--xla_cpu_multi_thread_eigen=false"

# NVIDIA (native, in a container, in WSL), AMD, TPU.
_ACCELERATORS = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/dev/accel0", "/dev/vfio/0")

# M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of glibc's malloc.h: blocks, and free memory at the end of the heap,
# are kept for reuse up to this number of bytes.
_MALLOC_OPTIONS = {-3: 2**27, -1: 2**27}


def configure(compile_cache: Path, networks: int) -> None:
  """Configures backend, host devices and compilation cache; call it before JAX computes anything.

  Without an accelerator JAX is restricted to the CPU, because a CUDA build would search for its driver and
  complain. Every usable core becomes a device over which replicas are spread. `JAX_PLATFORMS`,
  `JAX_NUM_CPU_DEVICES` and `JAX_COMPILATION_CACHE_DIR` take precedence.

  Args:
    compile_cache: directory of compiled programs, shared by later processes.
    networks: number of networks trained at the same time. If there are at least as many as cores, each
      network uses only the core of its device.
  """
  _keep_freed_memory()
  if networks >= usable_cores():
    # Later flags win, so the user's come last.
    os.environ["XLA_FLAGS"] = f"{_ONE_CORE_EACH} {os.environ.get('XLA_FLAGS', '')}".strip()
  if not jax.config.jax_platforms and not any(map(os.path.exists, _ACCELERATORS)):
    jax.config.update("jax_platforms", "cpu")
  if jax.config.jax_platforms == "cpu" and jax.config.jax_num_cpu_devices < 1:
    jax.config.update("jax_num_cpu_devices", usable_cores())
  if not jax.config.jax_compilation_cache_dir:
    jax.config.update("jax_compilation_cache_dir", str(compile_cache))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
  jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
  # A process killed while writing leaves a truncated entry; JAX then compiles that program again.
  warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")


def check_backend() -> None:
  """Initialises JAX's devices.

  Raises:
    RequestError: the backend that JAX_PLATFORMS names is missing on this machine or cannot be used.
  """
  try:
    jax.devices()
  # JAX has exceptions of several types for this, some without a message.
  except Exception as error:
    name = jax.config.jax_platforms
    reason = f": {str(error).splitlines()[0]}" if str(error) else ""
    raise RequestError(
      f"JAX cannot use the backend {name!r} that the environment variable JAX_PLATFORMS names{reason}; unset "
      "JAX_PLATFORMS or set it to cpu; a GPU needs its driver and the CUDA build of JAX (README.md)"
    ) from error


def keep_to_cores() -> bool:
  """Whether every matrix product uses only the core of its device (see `configure`)."""
  return _ONE_CORE_EACH in os.environ.get("XLA_FLAGS", "").split()


def usable_cores() -> int:
  """Returns the number of cores that this process may use."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def return_freed_memory() -> None:
  """Returns memory that malloc keeps to the system; compilation leaves hundreds of megabytes."""
  with contextlib.suppress(OSError, AttributeError, TypeError):
    ctypes.CDLL(None).malloc_trim(0)


def _keep_freed_memory() -> None:
  """Makes malloc reuse large blocks; allocating new ones took half the time of dense classification."""
  with contextlib.suppress(OSError, AttributeError, TypeError):
    mallopt = ctypes.CDLL(None).mallopt
    for option, size in _MALLOC_OPTIONS.items():
      mallopt(option, size)

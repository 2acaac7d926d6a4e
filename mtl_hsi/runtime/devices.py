"""What must be settled before JAX wakes its devices, and what the machine and the software are."""

import contextlib
import ctypes
import datetime
import importlib.metadata
import os
import platform
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

# XLA reads this when jaxlib is loaded; jax would set 1, which lets warnings through.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import jax

from mtl_hsi import __version__
from mtl_hsi.runtime import processes, version

# Keeps each matrix product on the core of its device; products that share cores wait for one another.
_ONE_CORE_EACH = "--xla_cpu_multi_thread_eigen=false"

# NVIDIA (bare, in a container, in WSL), AMD, TPU.
_ACCELERATORS = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/dev/accel0", "/dev/vfio/0")

_PACKAGES = (
  "jax",
  "jaxlib",
  "jax-cuda12-plugin",
  "flax",
  "optax",
  "orbax-checkpoint",
  "numpy",
  "scipy",
  "scikit-learn",
  "rasterio",
  "geopandas",
  "pyproj",
  "h5py",
  "ml_collections",
)

# Of glibc's malloc.h, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD: bytes up to which a block, and the free end of
# the heap, are kept for their next use.
_MALLOC_OPTIONS = {-3: 2**27, -1: 2**27}

_COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"


def configure(compile_cache: Path, networks: int) -> None:
  """Settles backend, host devices and compile cache; call it before JAX computes anything.

  On a machine without an accelerator JAX is held to the CPU, since a CUDA
  build would first look for its driver and complain; there every usable core
  becomes a device, for replicas to be spread over. What the environment sets
  (`JAX_PLATFORMS`, `JAX_NUM_CPU_DEVICES`, `JAX_COMPILATION_CACHE_DIR`) holds.

  Args:
    compile_cache: directory where compiled programs outlive the process.
    networks: how many train at once; where they fill all cores, each keeps to its own.
  """
  _keep_freed_memory()
  if networks >= usable_cores():
    # In front of the user's own flags, which thereby win.
    os.environ["XLA_FLAGS"] = f"{_ONE_CORE_EACH} {os.environ.get('XLA_FLAGS', '')}".strip()
  if not jax.config.jax_platforms and not any(map(os.path.exists, _ACCELERATORS)):
    jax.config.update("jax_platforms", "cpu")
  if jax.config.jax_platforms == "cpu" and jax.config.jax_num_cpu_devices < 1:
    jax.config.update("jax_num_cpu_devices", usable_cores())
  if not jax.config.jax_compilation_cache_dir:
    jax.config.update("jax_compilation_cache_dir", str(compile_cache))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
  jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
  # A process killed in mid-write leaves a torn entry, which JAX compiles anew.
  warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")


def keep_to_cores() -> bool:
  """Whether every matrix product stays on one core, as `configure` may have it."""
  return _ONE_CORE_EACH in os.environ.get("XLA_FLAGS", "").split()


def usable_cores() -> int:
  """Cores this process may run on."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def environment(command: Sequence[str], started: datetime.datetime) -> dict:
  """The machine and the software, for `environment.json`; wakes JAX's devices."""
  return {
    "command": list(command),
    "directory": os.getcwd(),
    "started": started.isoformat(timespec="seconds"),
    "version": __version__,
    "commit": version.commit(),
    "python": platform.python_version(),
    "packages": dict(_versions()),
    "platform": platform.platform(),
    "cpu": _cpu_model(),
    "cores": usable_cores(),
    "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    "processes": processes.count(),
    "backend": jax.default_backend(),
    "devices": [device.device_kind for device in jax.devices()],
    "one_core_products": keep_to_cores(),
  }


class CompileClock:
  """Time spent in XLA's compiler; reading a program from the compile cache counts too.

  Attributes:
    compilations: how many programs.
  """

  def __init__(self):
    self.compilations = 0
    # Begin and end of the times in which something was compiled, apart from each other and in order.
    self._spans: list[tuple[float, float]] = []
    self._lock = threading.Lock()

  @property
  def seconds(self) -> float:
    """Wall time in which at least one program was compiled."""
    with self._lock:
      return sum(end - begin for begin, end in self._spans)

  def add(self, seconds: float) -> None:
    """Counts a program whose compilation has taken so long and ends now; several devices' go side by side."""
    with self._lock:
      end = time.monotonic()
      begin = end - seconds
      # The one that ends last may have begun before all others.
      while self._spans and self._spans[-1][1] >= begin:
        begin = min(begin, self._spans.pop()[0])
      self._spans.append((begin, end))
      self.compilations += 1


@contextlib.contextmanager
def compile_clock() -> Iterator[CompileClock]:
  """A clock that runs while JAX compiles, up to the end of the block."""
  clock = CompileClock()

  def listen(event: str, seconds: float, **_):
    if event == _COMPILE_EVENT:
      clock.add(seconds)

  jax.monitoring.register_event_duration_secs_listener(listen)
  try:
    yield clock
  finally:
    jax.monitoring.unregister_event_duration_listener(listen)


def _keep_freed_memory() -> None:
  """Has large blocks used again; half the time of a network's dense classification went into new ones."""
  with contextlib.suppress(OSError, AttributeError, TypeError):
    mallopt = ctypes.CDLL(None).mallopt
    for option, size in _MALLOC_OPTIONS.items():
      mallopt(option, size)


def _versions() -> Iterator[tuple[str, str]]:
  for name in _PACKAGES:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
      yield name, importlib.metadata.version(name)


def _cpu_model() -> str:
  with contextlib.suppress(OSError):
    for line in Path("/proc/cpuinfo").read_text().splitlines():
      if line.startswith("model name"):
        return line.partition(":")[2].strip()
  return platform.processor() or platform.machine()

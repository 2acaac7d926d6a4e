"""What `environment.json` records: the machine, the software and its commit."""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax

from mtl_hsi import __version__
from mtl_hsi.runtime import devices, processes

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

_ROOT = Path(__file__).resolve().parents[2]
_GIT_SECONDS = 10
# Ignores tags and appends "-dirty" if files differ from the commit.
_GIT_DESCRIBE = ("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*")


def describe_environment(command: Sequence[str], started: datetime.datetime) -> dict:
  """Returns the content of `environment.json`; initialises JAX's devices.

  Args:
    command: script and arguments of this process.
    started: when the process started, with its time zone.
  """
  import psutil

  return {
    "command": list(command),
    "directory": os.getcwd(),
    "started": started.isoformat(timespec="seconds"),
    "version": __version__,
    "commit": commit(),
    "python": platform.python_version(),
    "packages": dict(_versions()),
    "platform": platform.platform(),
    "cpu": _cpu_model(),
    "cores": devices.usable_cores(),
    "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    "processes": processes.count(),
    "backend": jax.default_backend(),
    "devices": [device.device_kind for device in jax.devices()],
    "one_core_products": devices.keep_to_cores(),
  }


def commit(root: Path = _ROOT) -> str | None:
  """Returns the commit of a checkout, with "-dirty" appended if files were changed.

  None for an installed package, or if git fails.
  """
  # Without this check, git would look in the directories above.
  if not (root / ".git").exists():
    return None
  try:
    described = subprocess.run(
      ["git", "-C", str(root), *_GIT_DESCRIBE],
      capture_output=True,
      text=True,
      timeout=_GIT_SECONDS,
      check=True,
    )
  except (OSError, subprocess.SubprocessError):
    return None
  return described.stdout.strip()


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

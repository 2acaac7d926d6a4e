"""Runs launch.py and the command mtl-hsi within the test process, on tiny scenes."""

import contextlib
import io
import logging
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from absl import flags

from mtl_hsi.commands import main
from mtl_hsi.storage import checksums

ROOT = Path(__file__).resolve().parent.parent
BANDS = 6

# What a run of as many networks as cores sets (runtime/devices.py); both devices then share their programs.
COMPILED_ONCE = "--xla_cpu_multi_thread_eigen=false"
QUICKLY_COMPILED = "--xla_backend_optimization_level=0"

# Class ids that are neither consecutive nor sorted; 0 is unlabelled.
FIELDS = np.repeat([[4] * 8 + [0, 0], [1] * 10, [9] * 9 + [0]], 4, axis=0).astype(np.int32)
TOWN = np.repeat([[2] * 8, [2] * 5 + [0] * 3, [7] * 8], [5, 2, 4], axis=0).astype(np.int32)

# The keys of `seconds` in metrics.json.
SECONDS = {"train", "classify", "total", "compile", "compile_train", "compile_classify"}

# A config of two scenes from files and a simulated one. Its own network compiles in half the time of the
# letter's, which `tiny.py:letter` has.
CONFIG = """
from configs import letter

def get_config(network="small"):
  config = letter.get_config("fields,town")
  config.scenes += ("village",)
  config.simulate.village = {
    "height": 29,
    "width": 31,
    "sensor": "camera",
    "centres": (450.0, 500.0, 550.0, 600.0, 650.0, 700.0),
    "widths": (10.0,) * 6,
    "classes": ("grass", "bare soil"),
    "seed": 1,
    "labelled_fraction": 0.5,
  }
  if network != "letter":
    config.model.update({"name": "vresnet", "patch": 9, "width": 6, "init": "glorot"})
  config.samples_per_class = 3
  config.replicas = 2
  config.phases.phase1.epochs = 3
  config.phases.phase2.epochs = 1
  config.snapshots = (0, 2)
  config.checkpoint_seconds = 0.0
  # All three scenes are cut into tiles of 4 x 4 pixels, so that one program classifies them.
  config.classify.tile_pixels = 16
  return config
"""

# A config of the two scenes from files: 3 folds of all labels, 2 networks that vote, experts and smoothing.
FOLDS_CONFIG = """
from configs import own

def get_config():
  config = own.get_config("fields,town")
  config.folds, config.replicas, config.mnf_components = 3, 2, 2
  config.mixture.local_patch = 3
  config.mixture.smoothings = ("none", "light")
  config.model.update({"blocks": 1, "patch": 5, "width": 6})
  config.batch_size, config.steps_per_epoch = 8, 15
  config.phases.phase1.epochs = 4
  config.checkpoint_seconds = 0.0
  # Both scenes are cut into tiles of 4 x 4 pixels, so that one program classifies them.
  config.classify.tile_pixels = 16
  config.proposals = 3
  return config
"""

_FLAGS = ("config", "workdir", "compile_cache", "shard", "over", "status")
_FLAGS += ("coordinator", "processes", "process")


class Outcome(NamedTuple):
  """The outcome of a launch: exit status, standard output and standard error."""

  status: int
  out: str
  err: str


def cube(labels: np.ndarray, seed: int = 0) -> np.ndarray:
  """Returns a noisy uint16 cube `[H, W, B]` in which the classes are bright in different bands."""
  generator = np.random.default_rng(seed)
  bright = labels[..., None] % 3 == np.arange(BANDS) % 3
  return (300 + 1500 * bright + generator.normal(0, 50, (*labels.shape, BANDS))).astype(np.uint16)


def write_inputs(directory: Path) -> None:
  """Writes `fields.npz` (12 x 10 pixels), `town.npz` (11 x 8) and two configs.

  `tiny.py` has a third scene. `folds.py` has folds and experts.
  """
  np.savez(directory / "fields.npz", cube=cube(FIELDS, 1), label=FIELDS)
  np.savez(directory / "town.npz", cube=cube(TOWN, 2), label=TOWN)
  (directory / "tiny.py").write_text(CONFIG)
  (directory / "folds.py").write_text(FOLDS_CONFIG)


def arguments(directory: Path, workdir: Path, config: str = "tiny.py", **overrides: object) -> list[str]:
  """Returns the command line that trains on the inputs in a directory; `tiny.py` has 6 epochs in 2 phases."""
  files = {f"files.{name}.cube": directory / f"{name}.npz" for name in ("fields", "town")}
  changes = [f"--config.{key}={value}" for key, value in {**files, **overrides}.items()]
  return [f"--config={directory / config}", f"--workdir={workdir}", *changes]


def launch(*command: str) -> Outcome:
  """Runs launch.py in this process with the given command line; JAX stays as conftest.py set it."""
  return _run("launch.py", command, lambda: runpy.run_path(str(ROOT / "launch.py"), run_name="__main__"))


def mtl_hsi(*command: str) -> Outcome:
  """Runs the command mtl-hsi in this process, as `launch` does."""
  return _run("mtl-hsi", command, lambda: main.main(command))


def _run(program: str, command: Sequence[str], call: Callable[[], object]) -> Outcome:
  out, err = io.StringIO(), io.StringIO()
  with (
    mock.patch.object(sys, "argv", [program, *command]),
    mock.patch("mtl_hsi.runtime.devices.configure"),
    mock.patch("os._exit", sys.exit),
    contextlib.redirect_stdout(out),
    contextlib.redirect_stderr(err),
    _logging_to(err),
    separate_flags(),
  ):
    try:
      call()
      status = 0
    except SystemExit as ended:
      status = ended.code or 0
  return Outcome(status, out.getvalue(), err.getvalue())


def quickly_compiled() -> dict[str, str]:
  """Returns the environment for processes that compile without optimisations, whatever the tests here do."""
  return {**os.environ, "XLA_FLAGS": f"{COMPILED_ONCE} {QUICKLY_COMPILED}"}


def contents(directory: Path) -> Mapping[str, tuple[int, bytes]]:
  """Returns modification time and content of every file below a directory, by its relative path."""
  files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
  return {str(path.relative_to(directory)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@contextlib.contextmanager
def _logging_to(stream: io.StringIO) -> Iterator[None]:
  handlers, level = logging.root.handlers[:], logging.root.level
  logging.root.handlers[:] = [logging.StreamHandler(stream)]
  logging.root.setLevel(logging.INFO)
  try:
    yield
  finally:
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@contextlib.contextmanager
def separate_flags() -> Iterator[None]:
  """Removes the flags that the block defines, since absl's flags are global."""
  before = set(flags.FLAGS)
  try:
    yield
  finally:
    for name in set(flags.FLAGS) - before:
      if name in _FLAGS or name.startswith("config."):
        delattr(flags.FLAGS, name)


def list_metrics_only(directory: Path) -> None:
  """Writes SHA256SUMS with metrics.json only, so that a test can change the other files of a run."""
  (directory / checksums.NAME).write_bytes(checksums.listing(directory, ["metrics.json"]))

"""Settings of all tests: two host devices, strict rank promotion, a persistent compilation cache."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtl_hsi.storage import file_lock
from tests import launching

_ROOT = Path(__file__).resolve().parent.parent

# JAX reads these variables when it is imported. Processes that a test starts inherit them.
os.environ.update(
  JAX_PLATFORMS="cpu",
  JAX_NUM_CPU_DEVICES="2",
  JAX_NUMPY_RANK_PROMOTION="raise",
  JAX_COMPILATION_CACHE_DIR=str(_ROOT / ".compile_cache"),
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
  JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
)


def pytest_configure(config: pytest.Config) -> None:
  """Makes XLA compile once for both devices and, in the quick tests, without optimisations."""
  quickly = [launching.QUICKLY_COMPILED] if config.option.markexpr == "not slow" else []
  os.environ.setdefault("XLA_FLAGS", " ".join([launching.COMPILED_ONCE, *quickly]))
  # A background shell ignores Ctrl-C, which tests send to themselves.
  if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
  """The directory of the real scenes, which are not part of the repository."""
  path = Path(os.environ.get("MTL_HSI_TEST_DATA", _ROOT.parent / "shared" / "data"))
  if not path.is_dir():
    pytest.skip(f"no real scenes in {path}; set MTL_HSI_TEST_DATA to another directory")
  return path


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
  """A directory that the processes of a test session share."""
  base = tmp_path_factory.getbasetemp()
  directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
  directory.mkdir(exist_ok=True)
  return directory


@pytest.fixture(scope="session")
def inputs(shared) -> Path:
  """The directory of the tiny scenes and their config."""
  directory = shared / "inputs"
  with _first(directory) as first:
    if first:
      directory.mkdir()
      launching.write_inputs(directory)
  return directory


@pytest.fixture(scope="session")
def launched(inputs, shared) -> tuple[Path, launching.Outcome]:
  """The work directory and outcome of a complete run on the tiny scenes; no test may change it."""
  return _launched_once(inputs, shared / "finished" / "run", "tiny.py")


@pytest.fixture(scope="session")
def finished(launched) -> Path:
  """The work directory of a complete run on the tiny scenes; no test may change it."""
  return launched[0]


@pytest.fixture(scope="session")
def launched_by_folds(inputs, shared) -> tuple[Path, launching.Outcome]:
  """The work directory and outcome of a complete run by folds, with experts; no test may change it."""
  return _launched_once(inputs, shared / "finished_by_folds" / "run", "folds.py")


@pytest.fixture(scope="session")
def finished_by_folds(launched_by_folds) -> Path:
  """The work directory of a complete run by folds, with experts; no test may change it."""
  return launched_by_folds[0]


def _launched_once(inputs: Path, workdir: Path, config: str) -> tuple[Path, launching.Outcome]:
  """Trains in the first process that asks; the others wait for it and read the outcome."""
  kept = workdir.parent / "outcome.json"
  with _first(workdir.parent) as first:
    if first:
      workdir.parent.mkdir()
      outcome = launching.launch(*launching.arguments(inputs, workdir, config))
      kept.write_text(json.dumps(outcome))
  outcome = launching.Outcome(*json.loads(kept.read_text()))
  assert outcome.status == 0, outcome.err
  return workdir, outcome


@contextlib.contextmanager
def _first(directory: Path) -> Iterator[bool]:
  """Locks a directory that is to be made in the block; yields whether this process is the first one there."""
  with directory.with_suffix(".lock").open("a") as file:
    file_lock.lock(file.fileno(), wait=True)
    yield not directory.exists()


def pytest_collection_modifyitems(items):
  """Gives slow tests, which train on machines of any speed, more time than the others."""
  for item in items:
    if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
      item.add_marker(pytest.mark.timeout(1200))

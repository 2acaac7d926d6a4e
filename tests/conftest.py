"""Settings of all tests: two host devices, strict rank promotion, a persistent compilation cache."""

import os
import signal
from pathlib import Path

import pytest

from tests import launching

_ROOT = Path(__file__).resolve().parent.parent

_QUICKLY_COMPILED = "--xla_backend_optimization_level=0", "--xla_cpu_multi_thread_eigen=false"

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
  """Makes XLA compile quickly in the quick tests: without optimisations, and once for both devices.

  The slow tests use the defaults of XLA.
  """
  if config.option.markexpr == "not slow":
    os.environ.setdefault("XLA_FLAGS", " ".join(_QUICKLY_COMPILED))
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
def inputs(tmp_path_factory) -> Path:
  """The directory of the tiny scenes and their config."""
  directory = tmp_path_factory.mktemp("inputs")
  launching.write_inputs(directory)
  return directory


@pytest.fixture(scope="session")
def launched(inputs, tmp_path_factory) -> tuple[Path, launching.Outcome]:
  """The work directory and outcome of a complete run on the tiny scenes; no test may change it."""
  workdir = tmp_path_factory.mktemp("finished") / "run"
  outcome = launching.launch(*launching.arguments(inputs, workdir))
  assert outcome.status == 0, outcome.err
  return workdir, outcome


@pytest.fixture(scope="session")
def finished(launched) -> Path:
  """The work directory of a complete run on the tiny scenes; no test may change it."""
  return launched[0]


@pytest.fixture(scope="session")
def launched_by_folds(inputs, tmp_path_factory) -> tuple[Path, launching.Outcome]:
  """The work directory and outcome of a complete run by folds, with experts; no test may change it."""
  workdir = tmp_path_factory.mktemp("finished_by_folds") / "run"
  outcome = launching.launch(*launching.arguments(inputs, workdir, "folds.py"))
  assert outcome.status == 0, outcome.err
  return workdir, outcome


@pytest.fixture(scope="session")
def finished_by_folds(launched_by_folds) -> Path:
  """The work directory of a complete run by folds, with experts; no test may change it."""
  return launched_by_folds[0]

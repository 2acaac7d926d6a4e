"""How every test runs: on two host devices, strictly, with its programs cached between runs."""

import os
from pathlib import Path

import pytest

from tests import launching

_ROOT = Path(__file__).resolve().parent.parent

_QUICKLY_COMPILED = "--xla_backend_optimization_level=0", "--xla_cpu_multi_thread_eigen=false"

# JAX reads these when it is imported; what a test starts inherits them.
os.environ.update(
  JAX_PLATFORMS="cpu",
  JAX_NUM_CPU_DEVICES="2",
  JAX_NUMPY_RANK_PROMOTION="raise",
  JAX_COMPILATION_CACHE_DIR=str(_ROOT / ".compile_cache"),
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
  JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
)


def pytest_configure(config: pytest.Config) -> None:
  """Has XLA, most of the quick tests' time, optimise nothing there and compile once for both devices.

  Slow tests leave it as users have it.
  """
  if config.option.markexpr == "not slow":
    os.environ.setdefault("XLA_FLAGS", " ".join(_QUICKLY_COMPILED))


@pytest.fixture(scope="session")
def real_data() -> Path:
  """Directory of the real scenes, which are not part of the project."""
  path = Path(os.environ.get("MTL_HSI_TEST_DATA", _ROOT.parent / "shared" / "data"))
  if not path.is_dir():
    pytest.skip(f"no real scenes in {path}; MTL_HSI_TEST_DATA names another directory")
  return path


@pytest.fixture(scope="session")
def inputs(tmp_path_factory) -> Path:
  """Directory of the tiny scenes and their config."""
  directory = tmp_path_factory.mktemp("inputs")
  launching.write_inputs(directory)
  return directory


@pytest.fixture(scope="session")
def launched(inputs, tmp_path_factory) -> tuple[Path, launching.Outcome]:
  """Work directory and outcome of an undisturbed run on the tiny scenes; nothing may be changed there."""
  workdir = tmp_path_factory.mktemp("finished") / "run"
  outcome = launching.launch(*launching.arguments(inputs, workdir))
  assert outcome.status == 0, outcome.err
  return workdir, outcome


@pytest.fixture(scope="session")
def finished(launched) -> Path:
  """The work directory of `launched`."""
  return launched[0]

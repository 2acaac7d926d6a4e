"""A grid of many cells in one process fills neither memory nor file handles nor the compile cache."""

import os
import threading
from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from mtl_hsi import grid
from tests.test_determinism import cell

# Cells until imports, allocator and caches have settled; then those that count.
_WARM, _CELLS = 20, 80
# What a cell may leave behind in memory for good.
_BYTES_PER_CELL = 500_000


def _in_use():
  """Bytes of memory, open files, threads of Python, and programs in the compile cache."""
  pages = int(Path("/proc/self/statm").read_text().split()[1])
  return {
    "memory": pages * os.sysconf("SC_PAGE_SIZE"),
    "files": len(os.listdir("/proc/self/fd")),
    "threads": threading.active_count(),
    "programs": len(os.listdir(jax.config.jax_compilation_cache_dir)),
  }


@pytest.fixture
def own_compile_cache(tmp_path):
  """Programs of other tests, which may run beside this one, do not count."""
  shared = jax.config.jax_compilation_cache_dir
  for directory in (str(tmp_path / "compiled"), shared):
    jax.config.update("jax_compilation_cache_dir", directory)
    compilation_cache.reset_cache()
    if directory != shared:
      yield


@pytest.mark.slow
@pytest.mark.usefixtures("own_compile_cache")
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what a process uses")
def test_a_grid_of_a_hundred_cells_does_not_grow(tmp_path):
  cells = [cell(seed) for seed in range(_WARM + _CELLS)]
  grid.work(cells[:_WARM], tmp_path, ["launch.py"])
  before = _in_use()
  grid.work(cells[_WARM:], tmp_path, ["launch.py"])
  after = _in_use()
  assert after["memory"] - before["memory"] < _BYTES_PER_CELL * _CELLS
  assert after["files"] <= before["files"] + 2
  assert after["threads"] <= before["threads"]
  assert after["programs"] == before["programs"]

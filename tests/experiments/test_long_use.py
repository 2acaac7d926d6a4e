"""A grid of many cells in one process fills neither memory nor file handles nor the compile cache."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import launching


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_a_grid_of_forty_cells_does_not_grow(tmp_path):
  """results/long_use.json measures 200 cells, of which the first leave most. The bounds are wider here.

  CCNN compiles and trains fastest.
  """
  out = tmp_path / "long_use.json"
  options = [str(tmp_path / "grid"), "--cells=40", "--networks", "ccnn", f"--out={out}"]
  command = [sys.executable, "experiments/long_use.py", *options]
  # The cache of other tests, which may run beside this one, is not looked at.
  told = launching.quickly_compiled()
  del told["JAX_COMPILATION_CACHE_DIR"]
  # What the allocator sets aside for every thread is no growth.
  told |= {"JAX_NUM_CPU_DEVICES": "1", "MALLOC_ARENA_MAX": "1"}
  done = subprocess.run(command, cwd=launching.ROOT, env=told, capture_output=True, text=True)
  assert out.exists(), done.stdout[-2000:] + done.stderr[-2000:]
  found = json.loads(out.read_bytes())
  assert [note["cells"] for note in found["noted"]] == [20, 40]
  left = found["left"]
  assert left["memory"] < 1_000_000 * left["cells"]
  assert max(left["files"], left["threads"]) <= 2
  assert left["programs"] == 0

"""The wheel in an environment that has only Python: the commands exactly as in docs/command.md."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rasterio

from docs import example_scenes
from tests import test_packaging

_PAGE = (test_packaging.ROOT / "docs" / "command.md").read_text()
# Part of pip's message if no package index answers.
_NO_INDEX = "No matching distribution found"
# Variables that would make the new environment use packages or caches of this one.
_LEFT_OUT = {
  *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
  *("JAX_NUMPY_RANK_PROMOTION", "JAX_COMPILATION_CACHE_DIR"),
}


@pytest.fixture
def directory(tmp_path) -> Path:
  """A directory with the wheel and the files of a user, but without the source code."""
  pytest.importorskip("setuptools", reason="the packages of locks/build.txt are not installed")
  example_scenes.write(tmp_path / "example")
  wheel = test_packaging.build(tmp_path / "built")
  place = tmp_path / "user"
  place.mkdir()
  for path in (wheel, *(tmp_path / "example").iterdir()):
    shutil.copy(path, place)
  (place / "scenes.yaml").unlink()
  return place


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_from_python_alone_to_a_map(directory, capsys):
  (block,) = re.findall(r"^```sh\n(python3 -m venv .*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
  block = block.replace("python3", sys.executable, 1)
  environment = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT}
  for command in block.splitlines():
    start = time.monotonic()
    run = subprocess.run(
      ["sh", "-c", command], cwd=directory, env=environment, capture_output=True, text=True, timeout=900
    )
    if _NO_INDEX in run.stderr and os.environ.get("MTL_HSI_INDEX") != "required":
      pytest.skip("no package index can be reached")
    assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
    with capsys.disabled():
      print(f"\n{time.monotonic() - start:6.1f} s  {command}", end="")
  with rasterio.open(directory / "maps" / "flight_classes.tif") as made:
    assert made.read(1).max() == 4
  assert (directory / "runs" / "fields" / "report.html").exists()

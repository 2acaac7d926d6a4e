"""Work directories that cannot be used."""

import contextlib
import os
import resource
import shutil

import pytest

from mtl_hsi.runs import workdir
from tests import launching


def test_a_work_directory_of_another_config(refusal, finished, inputs, tmp_path):
  shutil.copytree(finished, tmp_path / "run")
  error = refusal(*launching.arguments(inputs, tmp_path / "run", seed=1, **{"optimizer.rho": 0.5}))
  assert (
    f"{tmp_path / 'run'} holds a run of another config (optimizer.rho: 0.95 -> 0.5; seed: 0 -> 1)" in error
  )
  (tmp_path / "run" / "metrics.json").unlink()
  assert "another config (seed: 0 -> 1)" in refusal(*launching.arguments(inputs, tmp_path / "run", seed=1))


@pytest.mark.parametrize(
  ("name", "message"),
  [
    ("texts", "is not a work directory: it has no config.json but holds 'thesis.tex'"),
    ("texts/thesis.tex", "cannot use {} as a work directory: not a directory"),
    ("texts/thesis.tex/run", "cannot use {} as a work directory: not a directory"),
  ],
)
def test_files_of_the_user(refusal, inputs, tmp_path, name, message):
  (tmp_path / "texts").mkdir()
  (tmp_path / "texts" / "thesis.tex").write_text("dear")
  assert message.format(tmp_path / name) in refusal(*launching.arguments(inputs, tmp_path / name))


def test_a_work_directory_in_use(refusal, inputs, tmp_path):
  with workdir.open_workdir(tmp_path / "run", {}):
    (tmp_path / "run" / "config.json").unlink()
    error = refusal(*launching.arguments(inputs, tmp_path / "run"))
  assert f"{tmp_path / 'run'} is in use by process {os.getpid()} on " in error
  assert "wait until it ends, or choose another --workdir" in error


@contextlib.contextmanager
def largest_file(size):
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_from_the_start(refusal, inputs, tmp_path):
  with largest_file(0):
    error = refusal(*launching.arguments(inputs, tmp_path / "run"))
  assert f"cannot write {tmp_path / 'run' / 'config.json'}: file too large" in error

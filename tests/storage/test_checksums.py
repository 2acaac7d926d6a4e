"""SHA256SUMS of a run: which files it lists, and how damage is reported."""

import errno
import hashlib
import os
import shutil
import subprocess

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import workdir
from mtl_hsi.storage import atomic_files, checksums
from tests import launching


@pytest.fixture
def run(tmp_path):
  """Returns a work directory with some results of a complete run."""
  atomic_files.write_json(tmp_path / "config.json", {"seed": 1})
  atomic_files.write_bytes(tmp_path / "maps" / "town" / "errors.png", b"red and green")
  atomic_files.write_bytes(tmp_path / "notes.txt", b"of the user")
  workdir.finish(tmp_path, {"target": "town"})
  return tmp_path


def test_sha256sum_finds_all_results_of_a_run(finished):
  lines = (finished / checksums.NAME).read_text().splitlines()
  covered = {line.split("  ")[1] for line in lines}
  not_listed = ("checkpoints/", "proposals/", "history.csv", "tensorboard/")
  files = {name for name in launching.contents(finished) if not name.startswith(not_listed)}
  assert covered == files - {checksums.NAME}
  if shutil.which("sha256sum") is None:
    pytest.skip("no sha256sum")
  command = ["sha256sum", "--strict", "-c", checksums.NAME]
  result = subprocess.run(command, cwd=finished, capture_output=True, text=True)
  assert (result.returncode, result.stdout.count(": OK\n")) == (0, len(lines)), result.stderr


def test_undamaged_results_are_read(run):
  checksums.verify(run)
  assert checksums.read_verified(run, "maps/town/errors.png") == b"red and green"
  (run / "notes.txt").write_bytes(b"changed")
  checksums.verify(run)


@pytest.mark.parametrize("name", ["metrics.json", "maps/town/errors.png"])
def test_a_damaged_result_is_named_with_what_to_do(run, name):
  content = (run / name).read_bytes()
  (run / name).write_bytes(content[:-1])
  deleted = {"metrics.json": "metrics.json"}.get(name, f"{name} and metrics.json")
  for check in (lambda: checksums.verify(run), lambda: checksums.read_verified(run, name)):
    with pytest.raises(RequestError, match=f"{run / name} is damaged: .*; delete {deleted} there and repeat"):
      check()


def test_a_damaged_config_must_be_restored(run):
  atomic_files.write_json(run / "config.json", {"seed": 2})
  with pytest.raises(RequestError, match=r"config\.json is damaged: .*; restore it from a copy, or start"):
    checksums.read_verified(run, "config.json")


def test_a_missing_result_is_named(run):
  (run / "maps" / "town" / "errors.png").unlink()
  with pytest.raises(RequestError, match=r"errors\.png is missing; delete metrics\.json there"):
    checksums.verify(run)


@pytest.mark.parametrize("change", [lambda data: data[:90], lambda data: b"", lambda data: b"\xff" + data])
def test_damaged_checksums_are_reported(run, change):
  file = run / checksums.NAME
  file.write_bytes(change(file.read_bytes()))
  with pytest.raises(RequestError, match=r"SHA256SUMS is damaged; delete SHA256SUMS and metrics\.json"):
    checksums.verify(run)


@pytest.mark.parametrize("name", ["/dev/zero", "../notes.txt", "maps/../../up", "a\0b"])
def test_checksums_of_files_outside_the_directory_are_rejected(run, name):
  file = run / checksums.NAME
  file.write_text(f"{'0' * 64}  {name}\n{file.read_text()}")
  with pytest.raises(RequestError, match=r"SHA256SUMS is damaged; delete SHA256SUMS and metrics\.json"):
    checksums.verify(run)


def test_checksums_of_what_is_not_a_file_are_rejected(run):
  file = run / checksums.NAME
  file.write_text(f"{'0' * 64}  maps\n{file.read_text()}")
  with pytest.raises(RequestError, match=f"{run / 'maps'} is a directory, a pipe or a device"):
    checksums.verify(run)


def test_missing_checksums_are_reported(run):
  (run / checksums.NAME).unlink()
  for check in (lambda: checksums.verify(run), lambda: checksums.read_verified(run, "config.json")):
    with pytest.raises(RequestError, match=r"SHA256SUMS is missing; delete metrics\.json there and repeat"):
      check()
  # An unfinished run has no checksums yet.
  (run / "metrics.json").unlink()
  checksums.verify(run)


def test_a_result_that_cannot_be_read_is_named(run, monkeypatch):
  def fail(*_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))

  monkeypatch.setattr(hashlib, "file_digest", fail)
  with pytest.raises(RequestError, match=r"cannot read .*config.json: input/output error"):
    workdir.finish(run, {})

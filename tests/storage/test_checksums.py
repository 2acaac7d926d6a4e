"""SHA-256 of a run's results: what is covered, and what damage is told."""

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
  """Some results of a finished run."""
  atomic_files.write_json(tmp_path / "config.json", {"seed": 1})
  atomic_files.write_bytes(tmp_path / "maps" / "town" / "errors.png", b"red and green")
  atomic_files.write_bytes(tmp_path / "notes.txt", b"somebody's own")
  workdir.finish(tmp_path, {"target": "town"})
  return tmp_path


def test_sha256sum_finds_all_results_of_a_run(finished):
  lines = (finished / checksums.NAME).read_text().splitlines()
  covered = {line.split("  ")[1] for line in lines}
  apart = ("checkpoints/", "proposals/")
  files = {name for name in launching.contents(finished) if not name.startswith(apart)}
  assert covered == files - {checksums.NAME}
  if shutil.which("sha256sum") is None:
    pytest.skip("no sha256sum")
  command = ["sha256sum", "--strict", "-c", checksums.NAME]
  result = subprocess.run(command, cwd=finished, capture_output=True, text=True)
  assert (result.returncode, result.stdout.count(": OK\n")) == (0, len(lines)), result.stderr


def test_what_a_run_wrote_is_read(run):
  checksums.verify(run)
  assert checksums.read_verified(run, "maps/town/errors.png") == b"red and green"
  (run / "notes.txt").write_bytes(b"changed")
  checksums.verify(run)


@pytest.mark.parametrize("name", ["metrics.json", "maps/town/errors.png"])
def test_a_damaged_result_is_named_with_what_to_do(run, name):
  content = (run / name).read_bytes()
  (run / name).write_bytes(content[:-1])
  deleted = {"metrics.json": "metrics.json"}.get(name, f"{name} and metrics.json")
  for look in (lambda: checksums.verify(run), lambda: checksums.read_verified(run, name)):
    with pytest.raises(RequestError, match=f"{run / name} is damaged: .*; delete {deleted} there and repeat"):
      look()


def test_a_damaged_config_cannot_be_made_anew(run):
  atomic_files.write_json(run / "config.json", {"seed": 2})
  with pytest.raises(RequestError, match=r"config\.json is damaged: .*; restore it from a copy, or start"):
    checksums.read_verified(run, "config.json")


def test_a_missing_result_is_named(run):
  (run / "maps" / "town" / "errors.png").unlink()
  with pytest.raises(RequestError, match=r"errors\.png is missing; delete metrics\.json there"):
    checksums.verify(run)


@pytest.mark.parametrize("change", [lambda data: data[:90], lambda data: b"", lambda data: b"\xff" + data])
def test_sums_that_are_damaged_themselves_are_named(run, change):
  file = run / checksums.NAME
  file.write_bytes(change(file.read_bytes()))
  with pytest.raises(RequestError, match=r"SHA256SUMS is damaged; delete SHA256SUMS and metrics\.json"):
    checksums.verify(run)


@pytest.mark.parametrize("name", ["/dev/zero", "../notes.txt", "maps/../../up", "a\0b"])
def test_sums_of_files_elsewhere_are_refused_and_the_files_not_read(run, name):
  file = run / checksums.NAME
  file.write_text(f"{'0' * 64}  {name}\n{file.read_text()}")
  with pytest.raises(RequestError, match=r"SHA256SUMS is damaged; delete SHA256SUMS and metrics\.json"):
    checksums.verify(run)


def test_sums_of_what_is_no_file_are_refused(run):
  file = run / checksums.NAME
  file.write_text(f"{'0' * 64}  maps\n{file.read_text()}")
  with pytest.raises(RequestError, match=f"{run / 'maps'} is a directory, a pipe or a device"):
    checksums.verify(run)


def test_sums_that_have_gone_are_missed(run):
  (run / checksums.NAME).unlink()
  for look in (lambda: checksums.verify(run), lambda: checksums.read_verified(run, "config.json")):
    with pytest.raises(RequestError, match=r"SHA256SUMS is missing; delete metrics\.json there and repeat"):
      look()
  # An unfinished run has no checksums yet.
  (run / "metrics.json").unlink()
  checksums.verify(run)


def test_a_result_that_cannot_be_read_is_named(run, monkeypatch):
  def fail(*_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))

  monkeypatch.setattr(hashlib, "file_digest", fail)
  with pytest.raises(RequestError, match=r"cannot read .*config.json: input/output error"):
    workdir.finish(run, {})

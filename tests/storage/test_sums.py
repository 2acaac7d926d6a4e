"""SHA-256 of a run's results: what is covered, and what damage is told."""

import errno
import hashlib
import os
import shutil
import subprocess

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import workdir
from mtl_hsi.storage import sums, whole_files
from tests import launching


@pytest.fixture
def run(tmp_path):
  """Some results of a finished run."""
  whole_files.write_json(tmp_path / "config.json", {"seed": 1})
  whole_files.write_bytes(tmp_path / "maps" / "town" / "errors.png", b"red and green")
  whole_files.write_bytes(tmp_path / "notes.txt", b"somebody's own")
  workdir.finish(tmp_path, {"target": "town"})
  return tmp_path


def test_sha256sum_finds_all_results_of_a_run(finished):
  lines = (finished / sums.NAME).read_text().splitlines()
  covered = {line.split("  ")[1] for line in lines}
  apart = ("checkpoints/", "proposals/")
  files = {name for name in launching.contents(finished) if not name.startswith(apart)}
  assert covered == files - {sums.NAME}
  if shutil.which("sha256sum") is None:
    pytest.skip("no sha256sum")
  command = ["sha256sum", "--strict", "-c", sums.NAME]
  result = subprocess.run(command, cwd=finished, capture_output=True, text=True)
  assert (result.returncode, result.stdout.count(": OK\n")) == (0, len(lines)), result.stderr


def test_what_a_run_wrote_is_read(run):
  sums.check(run)
  assert sums.read(run, "maps/town/errors.png") == b"red and green"
  (run / "notes.txt").write_bytes(b"changed")
  sums.check(run)


@pytest.mark.parametrize("name", ["metrics.json", "maps/town/errors.png"])
def test_a_damaged_result_is_named_with_what_to_do(run, name):
  content = (run / name).read_bytes()
  (run / name).write_bytes(content[:-1])
  deleted = {"metrics.json": "metrics.json"}.get(name, f"{name} and metrics.json")
  for look in (lambda: sums.check(run), lambda: sums.read(run, name)):
    with pytest.raises(RequestError, match=f"{run / name} is damaged: .*; delete {deleted} there and give"):
      look()


def test_a_damaged_config_cannot_be_made_anew(run):
  whole_files.write_json(run / "config.json", {"seed": 2})
  with pytest.raises(RequestError, match=r"config\.json is damaged: .*; restore it from a copy, or start"):
    sums.read(run, "config.json")


def test_a_missing_result_is_named(run):
  (run / "maps" / "town" / "errors.png").unlink()
  with pytest.raises(RequestError, match=r"errors\.png is missing; delete metrics\.json there"):
    sums.check(run)


@pytest.mark.parametrize("change", [lambda data: data[:90], lambda data: b"", lambda data: b"\xff" + data])
def test_sums_that_are_damaged_themselves_are_named(run, change):
  file = run / sums.NAME
  file.write_bytes(change(file.read_bytes()))
  with pytest.raises(RequestError, match=f"{sums.NAME} is damaged; delete {sums.NAME} and metrics.json"):
    sums.check(run)


def test_runs_of_versions_without_sums_are_read(run):
  whole_files.write_json(run / "environment.json", {"command": ["launch.py"]})
  (run / sums.NAME).unlink()
  (run / "metrics.json").write_text("{}")
  sums.check(run)
  assert sums.read(run, "metrics.json") == b"{}"


@pytest.mark.parametrize("name", ["/dev/zero", "../notes.txt", "maps/../../up", "a\0b"])
def test_sums_of_files_elsewhere_are_refused_and_the_files_not_read(run, name):
  file = run / sums.NAME
  file.write_text(f"{'0' * 64}  {name}\n{file.read_text()}")
  with pytest.raises(RequestError, match=f"{sums.NAME} is damaged; delete {sums.NAME} and metrics.json"):
    sums.check(run)


def test_sums_of_what_is_no_file_are_refused(run):
  file = run / sums.NAME
  file.write_text(f"{'0' * 64}  maps\n{file.read_text()}")
  with pytest.raises(RequestError, match=f"{run / 'maps'} is a directory, a pipe or a device"):
    sums.check(run)


def test_sums_that_have_gone_are_missed(run):
  whole_files.write_json(run / "environment.json", {"version": "1"})
  (run / sums.NAME).unlink()
  for look in (lambda: sums.check(run), lambda: sums.read(run, "config.json")):
    with pytest.raises(RequestError, match=f"{sums.NAME} is missing; delete metrics.json there and give the"):
      look()
  # One that has not finished has yet to write them.
  (run / "metrics.json").unlink()
  sums.check(run)


def test_a_result_that_cannot_be_read_is_named(run, monkeypatch):
  def fail(*_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))

  monkeypatch.setattr(hashlib, "file_digest", fail)
  with pytest.raises(RequestError, match=r"cannot read .*config.json: input/output error"):
    workdir.finish(run, {})

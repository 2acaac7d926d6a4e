"""The commit that a run was made by."""

import subprocess

import pytest

from mtl_hsi.runtime import version


def git(directory, *arguments):
  """Runs git as a user of its own; skips where there is none."""
  user = ("-c", "user.name=me", "-c", "user.email=me@localhost")
  try:
    return subprocess.run(
      ["git", "-C", str(directory), *user, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()
  except FileNotFoundError:
    pytest.skip("no git on this machine's path")


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(tmp_path):
  git(tmp_path, "init")
  (tmp_path / "a.py").write_text("a = 1\n")
  git(tmp_path, "add", "a.py")
  git(tmp_path, "commit", "-m", "a")
  git(tmp_path, "tag", "-m", "first", "v1")
  head = git(tmp_path, "rev-parse", "HEAD")
  assert version.commit(tmp_path) == head
  (tmp_path / "runs").mkdir()
  (tmp_path / "runs" / "b").write_text("untracked")
  assert version.commit(tmp_path) == head
  (tmp_path / "a.py").write_text("a = 2\n")
  assert version.commit(tmp_path) == f"{head}-dirty"
  # An installed package within a checkout of something else.
  assert version.commit(tmp_path / "runs") is None


def test_what_git_cannot_tell_is_not_known(tmp_path, monkeypatch):
  (tmp_path / ".git").mkdir()
  assert version.commit(tmp_path) is None
  monkeypatch.setenv("PATH", "")
  assert version.commit(tmp_path) is None

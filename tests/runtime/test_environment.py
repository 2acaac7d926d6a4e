"""What environment.json records."""

import datetime
import json
import os
import subprocess

import jax
import pytest

import mtl_hsi
from mtl_hsi.runtime.environment import commit, describe_environment


def git(directory, *arguments):
  """Runs git as a new user; skips the test if git is missing."""
  user = ("-c", "user.name=me", "-c", "user.email=me@localhost")
  try:
    return subprocess.run(
      ["git", "-C", str(directory), *user, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()
  except FileNotFoundError:
    pytest.skip("no git on this machine's path")


def test_a_checkout_has_a_commit_and_may_be_modified(tmp_path):
  git(tmp_path, "init")
  (tmp_path / "a.py").write_text("a = 1\n")
  git(tmp_path, "add", "a.py")
  git(tmp_path, "commit", "-m", "a")
  git(tmp_path, "tag", "-m", "first", "v1")
  head = git(tmp_path, "rev-parse", "HEAD")
  assert commit(tmp_path) == head
  (tmp_path / "runs").mkdir()
  (tmp_path / "runs" / "b").write_text("untracked")
  assert commit(tmp_path) == head
  (tmp_path / "a.py").write_text("a = 2\n")
  assert commit(tmp_path) == f"{head}-dirty"
  # An installed package within a checkout of something else.
  assert commit(tmp_path / "runs") is None


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
  (tmp_path / ".git").mkdir()
  assert commit(tmp_path) is None
  monkeypatch.setenv("PATH", "")
  assert commit(tmp_path) is None


def test_the_environment_is_described():
  started = datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
  described = describe_environment(["launch.py", "--config=configs/mtl.py:in"], started)
  assert json.loads(json.dumps(described)) == described
  assert described["command"] == ["launch.py", "--config=configs/mtl.py:in"]
  assert described["started"] == "2020-01-02T03:04:05+00:00"
  assert described["directory"] == os.getcwd()
  assert described["version"] == mtl_hsi.__version__
  assert described["packages"]["jax"] == jax.__version__
  assert described["backend"] == "cpu"
  assert described["devices"] == ["cpu", "cpu"]
  assert described["cores"] >= 1
  assert described["memory_gib"] > 0.1
  assert described["cpu"]

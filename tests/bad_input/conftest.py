"""The check that all tests of bad input share."""

import pytest

from tests import launching


@pytest.fixture
def refusal(tmp_path, monkeypatch):
  """Returns a function from a command line to its one-line error.

  The command must end with status 2, print nothing else, and leave the test's directory unchanged.
  """
  # Relative paths, and the default work directory, are in this directory.
  monkeypatch.chdir(tmp_path)

  def refuse(*command):
    before = launching.contents(tmp_path), sorted(tmp_path.rglob("*"))
    status, out, err = launching.launch(*map(str, command))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert (launching.contents(tmp_path), sorted(tmp_path.rglob("*"))) == before
    return err

  return refuse

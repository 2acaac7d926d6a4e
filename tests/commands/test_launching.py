"""Tests of the start of requests."""

import io

import pytest

from mtl_hsi.commands import launching


@pytest.mark.parametrize(("terminal", "text"), [(True, "Loading ...\r"), (False, "")])
def test_only_a_terminal_is_told_that_the_command_has_begun(monkeypatch, terminal, text):
  stream = io.StringIO()
  stream.isatty = lambda: terminal
  monkeypatch.setattr("sys.stderr", stream)
  launching._import_runtime()
  assert stream.getvalue() == text

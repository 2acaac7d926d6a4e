"""Fixtures of the tests with malicious files."""

import pytest

from mtl_hsi.storage import memory


@pytest.fixture
def small_machine(monkeypatch):
  """Makes readers see only 1 MB of free memory."""
  monkeypatch.setattr(memory, "available", lambda: 1_000_000)

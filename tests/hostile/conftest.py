"""What tests of hostile files have in common."""

import pytest

from mtl_hsi.storage import memory


@pytest.fixture
def small_machine(monkeypatch):
  """A machine with 1 MB of memory free."""
  monkeypatch.setattr(memory, "available", lambda: 1_000_000)

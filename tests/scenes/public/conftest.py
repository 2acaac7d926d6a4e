"""Hosts and data directories for the tests of downloads."""

import contextlib

import pytest

from tests.scenes import hosts
from tests.scenes.public.tiny_scene import LABEL_BYTES


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
  for name in ("http_proxy", "https_proxy", "all_proxy"):
    monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve():
  """Starts a host with the given answers; `serve(whole(...))` returns it."""
  with contextlib.ExitStack() as stack:

    def start(*answers):
      host = hosts.Host(*answers)
      stack.callback(host.close)
      return host

    yield start


@pytest.fixture
def folder(tmp_path):
  """A data directory that contains only the labels."""
  (tmp_path / "Tiny_gt.mat").write_bytes(LABEL_BYTES)
  return tmp_path

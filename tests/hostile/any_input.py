"""Property tests that are quick on few examples, and go through many among the slow tests."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

_COUNTS = [pytest.param(30, id="few"), pytest.param(1000, id="many", marks=pytest.mark.slow)]
# What a reader may take for the memory that is free, so that it refuses what is larger.
_FREE = 64 << 20

PLAIN = st.text(max_size=3) | st.integers() | st.floats() | st.booleans() | st.none()


def nodes(*keys: str) -> st.SearchStrategy:
  """Plain values, and lists and mappings of them with these keys, in one another."""
  return st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner),
    max_leaves=8,
  )


def for_any(*strategies: st.SearchStrategy) -> Callable:
  """Makes a check of values of these strategies a test; `@example`s of the check stand below."""

  def make(check):
    @pytest.mark.parametrize("count", _COUNTS)
    def test(count):
      chosen = settings(max_examples=count, deadline=None, derandomize=True, database=None)
      chosen(given(*strategies)(check))()

    test.__name__ = check.__name__
    return test

  return make


def tried(read: Callable[[Path], Any], content: bytes, suffix: str) -> Any:
  """What a reader makes of a file: a value, or None where it refuses it as it should."""
  with tempfile.TemporaryDirectory() as folder, mock.patch.object(memory, "available", return_value=_FREE):
    path = Path(folder, f"a{suffix}")
    path.write_bytes(content)
    try:
      return read(path)
    except RequestError:
      return None


def noised(content: bytes, place: int, noise: bytes, cut: bool = False) -> bytes:
  """A content with noise in place of what stands there, which ends it where it is to be cut."""
  return content[:place] + noise + (b"" if cut else content[place + len(noise) :])


def replaced(value: Any, way: list[int], new: Any) -> Any:
  """JSON with another value at the end of a way, of which every number chooses an item."""
  if not way or not isinstance(value, dict | list) or not value:
    return new
  step, *rest = way
  if isinstance(value, list):
    place = step % len(value)
    return [replaced(item, rest, new) if i == place else item for i, item in enumerate(value)]
  chosen = list(value)[step % len(value)]
  return {key: replaced(item, rest, new) if key == chosen else item for key, item in value.items()}

"""Property tests that use few examples in the quick suite and many in the slow one."""

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

_COUNTS = [pytest.param(30, id="few"), pytest.param(300, id="many", marks=pytest.mark.slow)]
# Free memory that readers see.
_FREE = 64 << 20

PLAIN = st.text(max_size=3) | st.integers() | st.floats() | st.booleans() | st.none()


def nodes(*keys: str) -> st.SearchStrategy:
  """Draws plain values, and nested lists and mappings of them with the given keys."""
  return st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner),
    max_leaves=8,
  )


def for_any(*strategies: st.SearchStrategy) -> Callable:
  """Decorates a check of values of these strategies as a test, above any `@example`."""

  def make(check):
    @pytest.mark.parametrize("count", _COUNTS)
    def test(count):
      chosen = settings(max_examples=count, deadline=None, derandomize=True, database=None)
      chosen(given(*strategies)(check))()

    test.__name__ = check.__name__
    return test

  return make


def read_or_reject(read: Callable[[Path], Any], content: bytes, suffix: str) -> Any:
  """Returns what a reader returns for a file with some content, or None if it raises a RequestError."""
  with tempfile.TemporaryDirectory() as folder, mock.patch.object(memory, "available", return_value=_FREE):
    path = Path(folder, f"a{suffix}")
    path.write_bytes(content)
    try:
      return read(path)
    except RequestError:
      return None


def noised(content: bytes, position: int, noise: bytes, cut: bool = False) -> bytes:
  """Overwrites bytes with noise and, if `cut`, removes all after it."""
  return content[:position] + noise + (b"" if cut else content[position + len(noise) :])


def replaced(value: Any, path: list[int], new: Any) -> Any:
  """Replaces a value within JSON; each number of the path selects an item of a list or mapping."""
  if not path or not isinstance(value, dict | list) or not value:
    return new
  step, *rest = path
  if isinstance(value, list):
    index = step % len(value)
    return [replaced(item, rest, new) if i == index else item for i, item in enumerate(value)]
  chosen = list(value)[step % len(value)]
  return {key: replaced(item, rest, new) if key == chosen else item for key, item in value.items()}

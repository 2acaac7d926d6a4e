import os
import sys
import types
from unittest import mock

import pytest

from mtl_hsi.storage import file_lock


@pytest.fixture
def opened(tmp_path):
  """Two descriptors of a file, as of two processes."""
  handles = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2)]
  yield handles
  for handle in handles:
    os.close(handle)


def test_only_one_holds_a_lock(opened):
  file_lock.lock(opened[0], wait=False)
  with pytest.raises(BlockingIOError):
    file_lock.lock(opened[1], wait=False)


class Windows(types.ModuleType):
  """A msvcrt that locks a byte for a descriptor, as far as the lock uses it."""

  LK_NBLCK = 2

  def __init__(self):
    super().__init__("msvcrt")
    self.held, self.attempts = {}, 0

  def locking(self, handle, mode, count):
    assert (mode, count) == (self.LK_NBLCK, 1)
    self.attempts += 1
    if self.held.setdefault(os.lseek(handle, 0, os.SEEK_CUR), handle) != handle:
      raise PermissionError(13, "Permission denied")


@pytest.fixture
def windows(monkeypatch):
  fake = Windows()
  monkeypatch.setitem(sys.modules, "msvcrt", fake)
  monkeypatch.setattr(file_lock, "WINDOWS", True)
  monkeypatch.setattr(file_lock, "_SECONDS", 0.0)
  return fake


def test_on_windows_a_byte_beyond_the_text_is_locked(opened, windows):
  os.write(opened[0], b"process 1")
  file_lock.lock(opened[0], wait=False)
  (place,) = windows.held
  assert place > 2**20
  assert os.lseek(opened[0], 0, os.SEEK_CUR) == 9
  with pytest.raises(BlockingIOError):
    file_lock.lock(opened[1], wait=False)


def test_on_windows_waiting_ends_when_the_lock_is_released(opened, windows):
  file_lock.lock(opened[0], wait=False)
  with mock.patch.object(file_lock.time, "sleep", side_effect=lambda _: windows.held.clear()):
    file_lock.lock(opened[1], wait=True)
  assert windows.attempts == 3

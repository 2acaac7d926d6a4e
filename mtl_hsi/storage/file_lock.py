"""Locks of open files on POSIX systems and on Windows; the system releases them when a process dies."""

import os
import time

WINDOWS = os.name == "nt"

# Windows lets nobody read a locked byte: that one is beyond all that lock files contain.
_BYTE = 1 << 30
# Between two attempts on Windows, where waiting ends after ten of them.
_SECONDS = 0.5


def lock(handle: int, *, wait: bool) -> None:
  """Locks an open file for this process alone.

  Args:
    handle: descriptor of the file; closing it releases the lock.
    wait: whether to wait while another process holds the lock.

  Raises:
    BlockingIOError: another process holds the lock, and `wait` is False.
    OSError: the file cannot be locked.
  """
  if WINDOWS:
    _lock_byte(handle, wait)
    return
  # Imported here, as Windows has no such module.
  import fcntl

  fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_byte(handle: int, wait: bool) -> None:
  import msvcrt

  position = os.lseek(handle, 0, os.SEEK_CUR)
  try:
    os.lseek(handle, _BYTE, os.SEEK_SET)
    while True:
      try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        return
      except OSError as error:
        if not wait:
          raise BlockingIOError(error.errno, error.strerror) from error
      time.sleep(_SECONDS)
  finally:
    os.lseek(handle, position, os.SEEK_SET)

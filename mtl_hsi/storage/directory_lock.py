"""A lock that lets only one process at a time use a directory."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import file_lock
from mtl_hsi.storage.atomic_files import reason

LOCK = ".lock"


@contextlib.contextmanager
def held(path: Path, name: str, option: str) -> Iterator[None]:
  """Holds the lock of a directory within the block, and creates the directory if necessary.

  At the end the lock file is removed, and so is the directory if it is empty. The kernel releases the lock
  when a process dies, so a lock file that is left behind blocks nobody.

  Args:
    path: the directory.
    name: name of the directory in error messages.
    option: command-line option that chooses another directory.

  Raises:
    RequestError: another process holds the lock, or the directory cannot be created or written.
  """
  file = path / LOCK
  try:
    path.mkdir(parents=True, exist_ok=True)
    handle = _acquire(file)
  except BlockingIOError as error:
    raise RequestError(
      f"{name} is in use by {_holder(file)}; wait until it ends, or choose another {option}"
    ) from error
  except OSError as error:
    raise RequestError(f"cannot write {name}: {reason(error)}; choose another {option}") from error
  try:
    yield
  finally:
    # Windows removes no file that is open.
    if file_lock.WINDOWS:
      os.close(handle)
    with contextlib.suppress(OSError):
      file.unlink()
      # Succeeds only if the directory is empty, for example because the disk is full.
      path.rmdir()
    if not file_lock.WINDOWS:
      os.close(handle)


def _acquire(file: Path) -> int:
  """Returns the descriptor of the lock file, which is locked and names this process."""
  while True:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
      file_lock.lock(handle, wait=False)
      # The previous holder may have removed the file after it was opened here and before it was locked.
      if _is_at(handle, file):
        # This fails on a full disk. Writing the first result then reports the error.
        with contextlib.suppress(OSError):
          os.truncate(handle, 0)
          os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
        return handle
    except BaseException:
      os.close(handle)
      raise
    os.close(handle)


def _is_at(handle: int, file: Path) -> bool:
  try:
    return os.path.samestat(os.fstat(handle), file.stat())
  except FileNotFoundError:
    return False


def _holder(file: Path) -> str:
  with contextlib.suppress(OSError):
    return file.read_text() or "another process"
  return "another process"

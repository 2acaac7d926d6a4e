"""One process at a time in a directory."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.storage.atomic_files import reason

LOCK = ".lock"


@contextlib.contextmanager
def held(path: Path, name: str, option: str) -> Iterator[None]:
  """Holds the directory's lock file; makes the directory where it is missing.

  At the end the lock file goes, and the directory where nothing else is in it. The kernel releases the lock
  when a process dies; a lock file left behind then holds nobody up.

  Args:
    path: the directory.
    name: what it is to the user, for errors.
    option: by which they may name another one.

  Raises:
    RequestError: another process holds it, or the directory cannot be made or written.
  """
  file = path / LOCK
  try:
    path.mkdir(parents=True, exist_ok=True)
    handle = _acquire(file)
  except BlockingIOError as error:
    raise RequestError(
      f"{name} is in use by {_holder(file)}; wait for it to end, or name another {option}"
    ) from error
  except OSError as error:
    raise RequestError(f"cannot write {name}: {reason(error)}; name another {option}") from error
  try:
    yield
  finally:
    with contextlib.suppress(OSError):
      file.unlink()
      # Succeeds where nothing could be written, as on a full disk.
      path.rmdir()
    os.close(handle)


def _acquire(file: Path) -> int:
  """Descriptor of the lock file, locked and with this process's name in it."""
  while True:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
      fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
      # The holder before may have removed the file between our opening and locking it.
      if _is_at(handle, file):
        # On a full disk this fails; the first file that is written tells.
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

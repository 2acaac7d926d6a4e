"""Atomic writing of files, in encodings that give equal bytes for equal values."""

import contextlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mtl_hsi.errors import RequestError

_PARTIAL = ".partial"


def write_bytes(path: Path, data: bytes) -> None:
  """Writes a file completely or not at all, and creates its directory if necessary.

  Raises:
    RequestError: the file cannot be written (full disk, permission). An existing
      file of that name is then unchanged.
  """
  _write(path, lambda file: file.write(data))


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
  with replacing(path) as partial, open(partial, "wb") as file:
    write(file)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
  """Gives a path to write to; the file replaces `path` at the end of the block, or vanishes if it raises.

  Raises:
    RequestError: the file cannot be written (full disk, permission). An existing
      file of that name is then unchanged.
  """
  path = Path(path)
  # A process number is not unique: containers that share a directory each count from 1.
  partial = path.parent / f".{path.name}.{secrets.token_hex(4)}{_PARTIAL}"
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
      yield partial
      sync(partial)
      os.replace(partial, path)
      sync(path.parent)
    except BaseException:
      partial.unlink(missing_ok=True)
      raise
  except OSError as error:
    raise RequestError(f"cannot write {path}: {reason(error)}") from error


def write_once(path: Path, data: bytes) -> None:
  """Writes a file as `write_bytes` does, unless it exists with the same content.

  Raises:
    RequestError: the file exists with different content and was not changed, or
      it cannot be written.
  """
  path = Path(path)
  try:
    existing = path.read_bytes()
  except FileNotFoundError:
    write_bytes(path, data)
    return
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}") from error
  if existing != data:
    raise RequestError(
      f"the run in {path.parent} started with a different {path.name}: the scenes, their files or the split "
      "have changed since then; choose another --workdir"
    )


def write_json(path: Path, value: object) -> None:
  """Writes a value as JSON: `json_bytes`, then `write_bytes`.

  Raises:
    RequestError: the file cannot be written.
  """
  write_bytes(path, json_bytes(value))


def json_bytes(value: object) -> bytes:
  """Returns a value as JSON with sorted keys and a final newline.

  Raises:
    ValueError: the value contains NaN or an infinity, which JSON cannot represent.
  """
  return f"{json.dumps(value, sort_keys=True, indent=2, allow_nan=False)}\n".encode()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
  """Writes the bytes of `npz_bytes` as `write_bytes` does, without a copy of the arrays in memory.

  Raises:
    RequestError: the file cannot be written.
  """
  _write(path, lambda file: _write_npz(file, arrays))


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
  """Returns arrays as a compressed .npz file; equal arrays give equal bytes."""
  buffer = io.BytesIO()
  _write_npz(buffer, arrays)
  return buffer.getvalue()


def _write_npz(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
  with zipfile.ZipFile(file, "w") as archive:
    for name in sorted(arrays):
      # numpy.savez stores the current time with every entry. A new ZipInfo always has the year 1980.
      entry = zipfile.ZipInfo(f"{name}.npy")
      entry.compress_type = zipfile.ZIP_DEFLATED
      entry.external_attr = 0o644 << 16
      array = np.asarray(arrays[name], order="C")
      # The size decides whether the entry has the longer fields of ZIP64.
      entry.file_size = array.nbytes
      with archive.open(entry, "w") as stream:
        np.lib.format.write_array(stream, array, allow_pickle=False)


def is_partial(name: str) -> bool:
  """Whether this is the name of an incomplete file, which a killed process has left behind."""
  return name.endswith(_PARTIAL)


def remove_partial_files(directory: Path) -> None:
  """Removes the incomplete files that killed processes have left behind, at any depth."""
  # Libraries append further endings to the name of a file that they write.
  for partial in directory.rglob(f".*{_PARTIAL}*"):
    # A directory with such a name has the maps that a process, which may still run, makes of an image.
    if partial.is_file():
      partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
  """Flushes a file, or the entries of a directory, to disk so that they survive a power cut.

  Windows flushes the entries of directories by itself.

  Raises:
    OSError: the path cannot be opened, or the disk fails.
  """
  if os.name == "nt":
    if os.path.isdir(path):
      return
    # Windows flushes only files that are open for writing.
    handle = os.open(path, os.O_RDWR)
  else:
    handle = os.open(path, os.O_RDONLY)
  try:
    os.fsync(handle)
  finally:
    os.close(handle)


def reason(error: OSError) -> str:
  """Returns the operating system's description of an error, in lower case."""
  return (error.strerror or str(error)).lower()

"""Files that are written whole or not at all, in forms of which equal values give equal bytes."""

import io
import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError

_PARTIAL = ".partial"


def write_bytes(path: Path, data: bytes) -> None:
  """Writes a file whole or not at all; makes its directory where it is missing.

  Raises:
    RequestError: the file cannot be written (full disk, permission); an older
      file of that name is then as it was.
  """
  path = Path(path)
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, data)
  except OSError as error:
    raise RequestError(f"cannot write {path}: {reason(error)}") from error


def write_once(path: Path, data: bytes) -> None:
  """Writes a file as `write_bytes` does, unless an earlier start of the run has written the same.

  Raises:
    RequestError: the file is there with other content, which stays, or it cannot be written.
  """
  path = Path(path)
  try:
    known = path.read_bytes()
  except FileNotFoundError:
    write_bytes(path, data)
    return
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}") from error
  if known != data:
    raise RequestError(
      f"the run in {path.parent} began with another {path.name}: its scenes, their files or its split have "
      "changed since; name another --workdir"
    )


def write_json(path: Path, value: object) -> None:
  """Writes a value as `json_bytes` encodes it, as `write_bytes` does.

  Raises:
    RequestError: the file cannot be written.
  """
  write_bytes(path, json_bytes(value))


def json_bytes(value: object) -> bytes:
  """Encodes JSON with sorted keys and a final newline.

  Raises:
    ValueError: the value holds NaN or an infinity, which JSON does not have.
  """
  return f"{json.dumps(value, sort_keys=True, indent=2, allow_nan=False)}\n".encode()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
  """Writes arrays as `npz_bytes` encodes them, as `write_bytes` does.

  Raises:
    RequestError: the file cannot be written.
  """
  write_bytes(path, npz_bytes(arrays))


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
  """Encodes a compressed .npz; equal arrays give equal bytes."""
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w") as archive:
    for name in sorted(arrays):
      # numpy.savez stamps its entries with the time of day, a ZipInfo made by hand with 1980.
      entry = zipfile.ZipInfo(f"{name}.npy")
      entry.compress_type = zipfile.ZIP_DEFLATED
      entry.external_attr = 0o644 << 16
      content = io.BytesIO()
      np.lib.format.write_array(content, np.asarray(arrays[name], order="C"), allow_pickle=False)
      archive.writestr(entry, content.getvalue())
  return buffer.getvalue()


def is_partial(name: str) -> bool:
  """Whether a file of this name is what a process that was killed while it wrote has left behind."""
  return name.endswith(_PARTIAL)


def remove_partial_files(directory: Path) -> None:
  """Removes what a process that was killed while it wrote has left behind, at any depth."""
  for partial in directory.rglob(f".*{_PARTIAL}"):
    # Maps of an image are made in a directory of such a name, by a process that may still run.
    if partial.is_file():
      partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
  """Has what was written to a file, or the names in a directory, survive a power cut.

  Raises:
    OSError: it cannot be opened, or the disk fails.
  """
  handle = os.open(path, os.O_RDONLY)
  try:
    os.fsync(handle)
  finally:
    os.close(handle)


def reason(error: OSError) -> str:
  """What went wrong, in the system's words."""
  return (error.strerror or str(error)).lower()


def _replace(path: Path, data: bytes) -> None:
  # The first processes of two containers, which share a directory, have the same number.
  partial = path.parent / f".{path.name}.{secrets.token_hex(4)}{_PARTIAL}"
  try:
    with open(partial, "wb") as file:
      file.write(data)
      file.flush()
      os.fsync(file.fileno())
    os.replace(partial, path)
    sync(path.parent)
  except BaseException:
    partial.unlink(missing_ok=True)
    raise

"""Malicious files of a few hundred bytes."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np


def npy_header(shape: tuple[int, ...], descr: str = "<f8") -> bytes:
  """Returns an .npy file that declares an array but has no data."""
  text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".ljust(117) + "\n"
  return np.lib.format.magic(1, 0) + struct.pack("<H", len(text)) + text.encode()


def npz(path: Path, method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
  """Writes an archive of members with any content."""
  with zipfile.ZipFile(path, "w", method) as archive:
    for name, content in members.items():
      archive.writestr(f"{name}.npy", content)
  return path


def mat_4(path: Path, *variables: tuple[int, int, bytes]) -> Path:
  """Writes a .mat file of version 4 with matrices of doubles, given as rows, columns and data."""
  found = [struct.pack("<5i", 0, rows, columns, 0, 4) + b"abc\0" + data for rows, columns, data in variables]
  path.write_bytes(b"".join(found))
  return path


def mat_5(path: Path, *elements: bytes) -> Path:
  """Writes a .mat file of version 5."""
  path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"".join(elements))
  return path


def compressed(content: bytes) -> bytes:
  """Returns a compressed element of a .mat file."""
  stored = zlib.compress(content, 9)
  return struct.pack("<2I", 15, len(stored)) + stored


def matrix(
  shape: tuple[int, ...], data: bytes, name: bytes = b"cube", declared: int | None = None, stored: int = 2
) -> bytes:
  """Returns a matrix of uint8 as an element of a .mat file.

  `declared` is the length that it declares, and `stored` the number of its data type.
  """
  dims = struct.pack(f"<2I{len(shape)}i", 5, 4 * len(shape), *shape)
  dims += bytes(-len(dims) % 8)
  body = struct.pack("<4I", 6, 8, 9, 0) + dims
  body += struct.pack("<2I", 1, len(name)) + name + bytes(-len(name) % 8)
  body += struct.pack("<2I", stored, len(data)) + data + bytes(-len(data) % 8)
  return struct.pack("<2I", 14, len(body) if declared is None else declared) + body

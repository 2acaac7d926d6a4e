"""A check of what a MATLAB file of version 4 or 5 declares, before SciPy reads it.

SciPy trusts the file: a negative size makes it read the same variable for ever, and it looks up the number of
a data type unchecked, so an unknown one crashes the process.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from mtl_hsi.storage import memory

# Bytes per number, by the second digit from the right of the type of a version 4 variable.
_ITEM_BYTES = (8, 4, 4, 2, 2, 1)
_SPARSE = 2
_MATRIX, _COMPRESSED = 14, 15
# Classes of numeric arrays, the data types that store them, and the flag of an imaginary part.
_NUMERIC, _STORED, _COMPLEX = range(6, 16), (1, 2, 3, 4, 5, 6, 7, 9, 12, 13), 1 << 11
_HEADER_5, _TAG = 128, 8
# More than the flags, 32 dimensions and the longest name of MATLAB need.
_HEAD = 1 << 10
_PIECE = 1 << 20


def check_variables(path: Path, key: str | None = None) -> None:
  """Checks that every variable lies within the file, and that those to decompress or read fit into memory.

  Args:
    path: the file.
    key: the variable to be read, or None if they are only listed.

  Raises:
    ValueError: a variable is invalid or exceeds the file, or the one to be read is no array of real numbers.
    RequestError: a variable exceeds the memory, or the size that its compressed bytes can yield.
  """
  from scipy.io.matlab import matfile_version

  is_version_4 = matfile_version(str(path))[0] == 0
  with path.open("rb") as file:
    end = os.fstat(file.fileno()).st_size
    if is_version_4:
      _check_4(file, end, str(path.absolute()), key)
    else:
      _check_5(file, end, str(path.absolute()), key)


def check_stream(file: BinaryIO, size: int, where: str, key: str | None = None) -> None:
  """Checks an open file of version 5 as `check_variables` does.

  Args:
    file: the file, at its beginning.
    size: its length in bytes.
    where: its name, for messages.
    key: as in `check_variables`.
  """
  _check_5(file, size, where, key)


def _check_4(file: BinaryIO, end: int, where: str, key: str | None) -> None:
  order = _order_4(file.read(4))
  file.seek(0)
  while file.tell() < end:
    kind, rows, columns, imaginary, length = struct.unpack(f"{order}5i", file.read(20))
    digits = divmod(kind % 100, 10)
    if not 0 <= kind < 2000 or kind // 100 % 10 or digits[0] >= len(_ITEM_BYTES) or digits[1] > _SPARSE:
      raise ValueError(f"a variable has the unknown type {kind}")
    if min(rows, columns) < 0:
      raise ValueError(f"a variable has the size {rows} x {columns}")
    if not 0 <= length <= _HEAD:
      raise ValueError(f"a variable has a name of {length} bytes")
    name = file.read(length).strip(b"\0").decode("latin1")
    parts = 2 if imaginary == 1 and digits[1] != _SPARSE else 1
    size = rows * columns * _ITEM_BYTES[digits[0]] * parts
    _skip(file, size, end)
    if name == key:
      if parts == 2:
        raise ValueError(f"{key} is not an array of real numbers")
      memory.check_fits(size, f"{where} ({key})")


def _order_4(start: bytes) -> str:
  """Returns the byte order in which the type of the first variable is a small number, as SciPy does."""
  return "<" if 0 <= struct.unpack("<i", start)[0] <= 5000 else ">"


def _check_5(file: BinaryIO, end: int, where: str, key: str | None) -> None:
  order = "<" if file.read(_HEADER_5)[-2:] == b"IM" else ">"
  found = key is None
  while file.tell() < end:
    kind, size = struct.unpack(f"{order}2I", file.read(_TAG))
    start = file.tell()
    head = b""
    if start + size <= end:
      compressed = kind == _COMPRESSED
      head = _check_compressed(file, size, order, where) if compressed else file.read(min(size, _HEAD))
      file.seek(start)
    _skip(file, size, end)
    if _is_wanted(head, order, key):
      found = True
      if kind != _COMPRESSED:
        memory.check_fits(size, f"{where} ({key})")
  if not found:
    raise ValueError(f"the file has no variable {key}")


def _is_wanted(head: bytes, order: str, key: str | None) -> bool:
  """Returns whether a variable has the name `key`; if so, checks that it is an array of real numbers.

  Args:
    head: the beginning of the matrix, without its tag.
    order: byte order.
    key: the name, or None, which matches no variable.

  Raises:
    ValueError: the variable of that name is no such array.
  """
  # The tag of the flags is skipped, as SciPy does whatever its content.
  (flags,) = struct.unpack_from(f"{order}I", head, _TAG)
  _, _, position = _element(head, 2 * _TAG, order)
  _, name, position = _element(head, position, order)
  if name.decode("latin1") != key:
    return False
  if flags & 0xFF not in _NUMERIC or flags & _COMPLEX:
    raise ValueError(f"{key} is not an array of real numbers")
  kind = struct.unpack_from(f"{order}I", head, position)[0]
  # A small element has its length in the upper half.
  kind = kind & 0xFFFF if kind >> 16 else kind
  if kind not in _STORED:
    raise ValueError(f"{key} is stored as the unknown data type {kind}")
  return True


def _element(head: bytes, position: int, order: str) -> tuple[int, bytes, int]:
  """Returns type and content of an element of a head, and the position of the next one."""
  kind, size = struct.unpack_from(f"{order}2I", head, position)
  if kind >> 16:
    return kind & 0xFFFF, head[position + 4 : position + 4 + (kind >> 16)], position + _TAG
  start = position + _TAG
  if start + size > len(head):
    raise ValueError(f"a variable has dimensions or a name of {size} bytes")
  return kind, head[start : start + size], start + size + -size % _TAG


def _check_compressed(file: BinaryIO, stored: int, order: str, where: str) -> bytes:
  """Checks what a compressed variable declares; returns the beginning of its matrix, without the tag."""
  stream, taken = zlib.decompressobj(), min(stored, _PIECE)
  head = stream.decompress(file.read(taken), _TAG + _HEAD)
  kind, declared = struct.unpack_from(f"{order}2I", head)
  if kind != _MATRIX:
    raise ValueError(f"compressed data have the type {kind}; expected {_MATRIX}")
  memory.check_ratio(declared, stored, where)
  memory.check_fits(declared, where)
  if memory.largest_inflated(stored) > memory.available():
    _check_end(file, stream, stored - taken, declared + _TAG - len(head))
  return head[_TAG:]


def _check_end(file: BinaryIO, stream, stored: int, declared: int) -> None:
  """Checks that no more bytes follow than declared, as SciPy uses the sizes within the compressed data."""
  inflated = 0
  while inflated <= declared and not stream.eof:
    rest = stream.unconsumed_tail
    if not rest:
      rest = file.read(min(stored, _PIECE))
      stored -= len(rest)
      if not rest:
        return
    inflated += len(stream.decompress(rest, _PIECE))
  if inflated > declared:
    raise ValueError("a variable has more bytes than it declares")


def _skip(file: BinaryIO, size: int, end: int) -> None:
  left = end - file.tell()
  if size > left:
    raise ValueError(f"a variable has {size} bytes, but the file has only {left} more")
  file.seek(size, os.SEEK_CUR)

"""What a .mat file of version 4 or 5 declares, checked against its length before SciPy reads it.

SciPy trusts what a file declares: a negative size makes it read the same variable for ever, and an unknown
number of a type of data, which it looks up unchecked, ends the process.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from scipy.io.matlab import matfile_version

from mtl_hsi.storage import memory

# Bytes of a number by the third digit from the right of a version 4 variable's type.
_ITEM_BYTES = (8, 4, 4, 2, 2, 1)
_SPARSE = 2
_MATRIX, _COMPRESSED = 14, 15
# Classes of arrays of real numbers, types of data that they are stored as, and the flag of an imaginary part.
_NUMERIC, _STORED, _COMPLEX = range(6, 16), (1, 2, 3, 4, 5, 6, 7, 9, 12, 13), 1 << 11
_HEADER_5, _TAG = 128, 8
# More than flags, 32 dimensions and a name of MATLAB's take.
_HEAD = 1 << 10
_PIECE = 1 << 20


def check(path: Path, key: str | None = None) -> None:
  """Checks that every variable lies within the file, and that what is compressed or read fits into memory.

  Args:
    path: the file.
    key: the variable that is to be read, or None where they are only listed.

  Raises:
    ValueError: a variable reaches beyond the file or is none, or that to be read is no array of real numbers.
    RequestError: a variable is larger than memory, or than what can come of its compressed bytes.
  """
  old = matfile_version(str(path))[0] == 0
  with path.open("rb") as file:
    end = os.fstat(file.fileno()).st_size
    if old:
      _check_4(file, end, str(path.absolute()), key)
    else:
      _check_5(file, end, str(path.absolute()), key)


def _check_4(file: BinaryIO, end: int, where: str, key: str | None) -> None:
  order = _order_4(file.read(4))
  file.seek(0)
  while file.tell() < end:
    kind, rows, columns, imaginary, length = struct.unpack(f"{order}5i", file.read(20))
    digits = divmod(kind % 100, 10)
    if not 0 <= kind < 2000 or kind // 100 % 10 or digits[0] >= len(_ITEM_BYTES) or digits[1] > _SPARSE:
      raise ValueError(f"type {kind} of a variable of version 4")
    if min(rows, columns) < 0:
      raise ValueError(f"a variable of {rows} x {columns}")
    if not 0 <= length <= _HEAD:
      raise ValueError(f"a variable's name of {length} bytes")
    name = file.read(length).strip(b"\0").decode("latin1")
    parts = 2 if imaginary == 1 and digits[1] != _SPARSE else 1
    size = rows * columns * _ITEM_BYTES[digits[0]] * parts
    _skip(file, size, end)
    if name == key:
      if parts == 2:
        raise ValueError(f"{key} is no array of real numbers")
      memory.check_fits(size, f"{where} ({key})")


def _order_4(start: bytes) -> str:
  """The order in which the first variable's type is a small number, as SciPy tells it."""
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
    if _is_numbers(head, order, key):
      found = True
      if kind != _COMPRESSED:
        memory.check_fits(size, f"{where} ({key})")
  if not found:
    raise ValueError(f"no variable {key}")


def _is_numbers(head: bytes, order: str, key: str | None) -> bool:
  """Whether a variable is the one of that name; an error where that is no array of real numbers.

  Args:
    head: the beginning of its matrix, without tag.
    order: of its bytes.
    key: the name, or None, which none has.
  """
  # The tag of the flags is passed over, as SciPy does whatever it holds.
  (flags,) = struct.unpack_from(f"{order}I", head, _TAG)
  _, _, place = _element(head, 2 * _TAG, order)
  _, name, place = _element(head, place, order)
  if name.decode("latin1") != key:
    return False
  if flags & 0xFF not in _NUMERIC or flags & _COMPLEX:
    raise ValueError(f"{key} is no array of real numbers")
  kind = struct.unpack_from(f"{order}I", head, place)[0]
  # A small element has its length in the upper half.
  kind = kind & 0xFFFF if kind >> 16 else kind
  if kind not in _STORED:
    raise ValueError(f"{key} is stored as data of type {kind}")
  return True


def _element(head: bytes, place: int, order: str) -> tuple[int, bytes, int]:
  """Type and content of an element of a head, and where the next one starts."""
  kind, size = struct.unpack_from(f"{order}2I", head, place)
  if kind >> 16:
    return kind & 0xFFFF, head[place + 4 : place + 4 + (kind >> 16)], place + _TAG
  start = place + _TAG
  if start + size > len(head):
    raise ValueError(f"a variable's dimensions or name of {size} bytes")
  return kind, head[start : start + size], start + size + -size % _TAG


def _check_compressed(file: BinaryIO, stored: int, order: str, where: str) -> bytes:
  """Returns the beginning of the matrix, without tag."""
  stream, taken = zlib.decompressobj(), min(stored, _PIECE)
  head = stream.decompress(file.read(taken), _TAG + _HEAD)
  kind, declared = struct.unpack_from(f"{order}2I", head)
  if kind != _MATRIX:
    raise ValueError(f"compressed data of type {kind}, expected {_MATRIX}")
  memory.check_ratio(declared, stored, where)
  memory.check_fits(declared, where)
  if memory.largest_inflated(stored) > memory.available():
    _check_end(file, stream, stored - taken, declared + _TAG - len(head))
  return head[_TAG:]


def _check_end(file: BinaryIO, stream, stored: int, declared: int) -> None:
  """SciPy believes sizes within, not the one around them: what is more than that must not be there."""
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
    raise ValueError("more bytes than a variable declares")


def _skip(file: BinaryIO, size: int, end: int) -> None:
  left = end - file.tell()
  if size > left:
    raise ValueError(f"a variable of {size} bytes, of which {left} are there")
  file.seek(size, os.SEEK_CUR)

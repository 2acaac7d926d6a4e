"""What a .mat file of version 4 or 5 declares, checked against its length before SciPy reads it.

SciPy trusts the sizes that a file declares: a negative one makes it read the same variable for ever.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from scipy.io.matlab import matfile_version

from mtl_hsi.scenes import memory

# Bytes of a number by the third digit from the right of a version 4 variable's type.
_ITEM_BYTES = (8, 4, 4, 2, 2, 1)
_SPARSE = 2
_MATRIX, _COMPRESSED = 14, 15
_HEADER_5, _TAG = 128, 8
_PIECE = 1 << 20


def check(path: Path) -> None:
  """Checks that every variable lies within the file, and that compressed ones fit into memory.

  Raises:
    ValueError: a variable reaches beyond the file or is none.
    RequestError: a variable is larger than memory, or than what can come of its compressed bytes.
  """
  old = matfile_version(str(path))[0] == 0
  with path.open("rb") as file:
    end = os.fstat(file.fileno()).st_size
    (_check_4 if old else _check_5)(file, end, str(path.absolute()))


def _check_4(file: BinaryIO, end: int, where: str) -> None:
  order = _order_4(file.read(4))
  file.seek(0)
  while file.tell() < end:
    kind, rows, columns, imaginary, name = struct.unpack(f"{order}5i", file.read(20))
    digits = divmod(kind % 100, 10)
    if not 0 <= kind < 2000 or kind // 100 % 10 or digits[0] >= len(_ITEM_BYTES) or digits[1] > _SPARSE:
      raise ValueError(f"type {kind} of a variable of version 4")
    if min(rows, columns, name) < 0:
      raise ValueError(f"a variable of {rows} x {columns}")
    parts = 2 if imaginary == 1 and digits[1] != _SPARSE else 1
    size = rows * columns * _ITEM_BYTES[digits[0]] * parts
    _skip(file, name + size, end)


def _order_4(start: bytes) -> str:
  """The order in which the first variable's type is a small number, as SciPy tells it."""
  return "<" if 0 <= struct.unpack("<i", start)[0] <= 5000 else ">"


def _check_5(file: BinaryIO, end: int, where: str) -> None:
  order = "<" if file.read(_HEADER_5)[-2:] == b"IM" else ">"
  while file.tell() < end:
    kind, size = struct.unpack(f"{order}2I", file.read(_TAG))
    start = file.tell()
    if kind == _COMPRESSED and start + size <= end:
      _check_compressed(file, size, order, where)
      file.seek(start)
    _skip(file, size, end)


def _check_compressed(file: BinaryIO, stored: int, order: str, where: str) -> None:
  stream, taken = zlib.decompressobj(), min(stored, _PIECE)
  head = stream.decompress(file.read(taken), _TAG)
  kind, declared = struct.unpack(f"{order}2I", head)
  if kind != _MATRIX:
    raise ValueError(f"compressed data of type {kind}, expected {_MATRIX}")
  memory.check_ratio(declared, stored, where)
  memory.check_fits(declared, where)
  if memory.largest_inflated(stored) > memory.available():
    _check_end(file, stream, stored - taken, declared, where)


def _check_end(file: BinaryIO, stream, stored: int, declared: int, where: str) -> None:
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
    raise ValueError(f"more than the {declared} bytes that a variable declares")


def _skip(file: BinaryIO, size: int, end: int) -> None:
  left = end - file.tell()
  if size > left:
    raise ValueError(f"a variable of {size} bytes, of which {left} are there")
  file.seek(size, os.SEEK_CUR)

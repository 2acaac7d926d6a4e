"""Fields of the structs in MATLAB files of version 5, each as a file with a single variable.

SciPy would read all fields of a struct, whatever they declare. So the bytes of one field are cut out and get
the name of a variable: `matlab_check` and SciPy then treat it as any other array.
"""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.storage import memory

_HEADER, _TAG, _FLAGS = 128, 8, 16
_MATRIX, _COMPRESSED, _INT8 = 14, 15, 1
_STRUCT = 2
# Structs within structs, and fields of one, are followed as far as this.
_DEEPEST, _MOST_FIELDS = 3, 1000
_HEAD = 1 << 12
# Name of the variable in the file of a field.
VARIABLE = "field"


def field_files(path: Path, variable: str) -> dict[str, io.BytesIO]:
  """Returns files of all fields of a struct that are neither structs nor empty, by names such as "data.cube".

  Each has a single variable, `VARIABLE`.

  Args:
    path: a file that `matlab_check` has checked.
    variable: name of the struct.

  Raises:
    ValueError: the struct is invalid.
    RequestError: it does not fit into memory.
  """
  with path.open("rb") as file:
    end = os.fstat(file.fileno()).st_size
    header = file.read(_HEADER)
    order = "<" if header[-2:] == b"IM" else ">"
    while file.tell() < end:
      kind, size = struct.unpack(f"{order}2I", file.read(_TAG))
      start = file.tell()
      content = _content(file, kind, size, order, f"{path.absolute()} ({variable})", variable)
      if content is not None:
        return {
          name: _as_file(header, order, field) for name, field in _fields(content, order, variable, _DEEPEST)
        }
      file.seek(start + size)
  return {}


def _content(file, kind: int, size: int, order: str, where: str, variable: str) -> memoryview | None:
  """Returns the content of the matrix at the position of a file if it has the name of the variable."""
  start = file.tell()
  head = file.read(min(size, _HEAD))
  if kind == _COMPRESSED:
    head = zlib.decompressobj().decompress(head, _HEAD)[_TAG:]
  if _name(memoryview(head), order) != variable:
    return None
  file.seek(start)
  memory.check_fits(size, where)
  data = file.read(size)
  if kind == _COMPRESSED:
    _, declared = struct.unpack_from(f"{order}2I", zlib.decompressobj().decompress(data, _TAG))
    memory.check_ratio(declared, size, where)
    memory.check_fits(size + declared, where)
    data = zlib.decompressobj().decompress(data, _TAG + declared)[_TAG:]
  return memoryview(data)


def _fields(matrix: memoryview, order: str, prefix: str, depth: int) -> Iterator[tuple[str, memoryview]]:
  """Yields the name and the content of every field; nothing if the matrix is no single struct."""
  if not depth or _class(matrix, order) != _STRUCT:
    return
  _, dimensions, position = _element(matrix, _FLAGS, order)
  if bytes(dimensions) != struct.pack(f"{order}2i", 1, 1):
    return
  _, _, position = _element(matrix, position, order)
  _, length, position = _element(matrix, position, order)
  (length,) = struct.unpack(f"{order}i", length)
  _, names, position = _element(matrix, position, order)
  if length <= 0 or len(names) // length > _MOST_FIELDS:
    raise ValueError("a struct has invalid names of fields")
  for first in range(0, len(names) - length + 1, length):
    name = bytes(names[first : first + length]).split(b"\0")[0].decode("latin1")
    kind, field, position = _element(matrix, position, order)
    if kind != _MATRIX:
      raise ValueError(f"the field {name} is no array")
    if len(field):
      nested = list(_fields(field, order, f"{prefix}.{name}", depth - 1))
      yield from nested or [(f"{prefix}.{name}", field)]


def _as_file(header: bytes, order: str, field: memoryview) -> io.BytesIO:
  """Returns a file with one variable that has the content of a field, whose own name is empty."""
  _, _, after_dimensions = _element(field, _FLAGS, order)
  _, _, after_name = _element(field, after_dimensions, order)
  name = struct.pack(f"{order}2I", _INT8, len(VARIABLE)) + VARIABLE.encode().ljust(_TAG, b"\0")
  parts = bytes(field[:after_dimensions]), name, bytes(field[after_name:])
  return io.BytesIO(header + struct.pack(f"{order}2I", _MATRIX, sum(map(len, parts))) + b"".join(parts))


def _class(matrix: memoryview, order: str) -> int:
  return struct.unpack_from(f"{order}I", matrix, _TAG)[0] & 0xFF


def _name(matrix: memoryview, order: str) -> str:
  _, _, position = _element(matrix, _FLAGS, order)
  _, name, _ = _element(matrix, position, order)
  return bytes(name).decode("latin1")


def _element(data: memoryview, position: int, order: str) -> tuple[int, memoryview, int]:
  """Returns type and content of the element at a position, and the position of the next one."""
  kind, size = struct.unpack_from(f"{order}2I", data, position)
  if kind >> 16:
    return kind & 0xFFFF, data[position + 4 : position + 4 + min(kind >> 16, 4)], position + _TAG
  start = position + _TAG
  if start + size > len(data):
    raise ValueError(f"an element of {size} bytes exceeds its struct")
  return kind, data[start : start + size], start + size + -size % _TAG

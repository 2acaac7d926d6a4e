"""A check of the heaps of an HDF5 file, which contain its texts of any length, and of the references to them.

HDF5 2.0 never returns from a heap with a free object of size 0, such as one that was overwritten with zeros.
It allocates the length that a reference declares, up to 4 GB, before it looks at the heap.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtl_hsi.errors import RequestError

if TYPE_CHECKING:
  import h5py

# A heap begins with signature and version, three zeros and its size; its objects follow, each with a head of
# number, references and size (HDF5 file format specification, III.E). Number 0 is the free space.
_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD = 16
_MOST_OBJECTS = 65536
# Bytes of values that are worth skipping.
_LARGE = 1 << 20
# Bytes of an address and a length. Files with others are rare, and their heaps differ.
_WORD = 8
# A reference has the length of the text, and the address and number of an object in a heap (III.G).
_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])


def check_heaps(path: Path, file: "h5py.File") -> None:
  """Rejects a file with a damaged heap, or with an array of texts that are longer than the file.

  The heaps are looked for between the values of the arrays, as only HDF5 knows their places. Texts in
  compressed arrays and in attributes are not checked.

  Raises:
    RequestError: a heap or an array of texts is damaged.
  """
  if file.id.get_create_plist().get_sizes() != (_WORD, _WORD):
    return
  with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
    for start, stop in _between(_stored(file), len(content)):
      position = content.find(_SIGNATURE, start, stop)
      while position >= 0:
        if not _ends(content, position):
          raise _damaged(path, "a heap")
        position = content.find(_SIGNATURE, position + 1, stop)
    for name, start, stop in _texts(file):
      references = content[start : start + (stop - start) // _REFERENCE.itemsize * _REFERENCE.itemsize]
      if np.frombuffer(references, _REFERENCE)["length"].max(initial=0) > len(content):
        raise _damaged(path, name)


def _damaged(path: Path, what: str) -> RequestError:
  return RequestError(
    f"{path.absolute()} cannot be read as HDF5 ({what} is damaged); download the file again"
  )


def _arrays(file: "h5py.File") -> list["h5py.Dataset"]:
  import h5py

  found = []
  file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
  return found


def _stored(file: "h5py.File") -> list[tuple[int, int]]:
  """Returns first and last byte, the latter excluded, of the values of all arrays."""
  return [part for array in _arrays(file) for part in _parts(array)]


def _texts(file: "h5py.File") -> Iterator[tuple[str, int, int]]:
  """Yields name, first and last byte, the latter excluded, of uncompressed references to texts."""
  import h5py

  for array in _arrays(file):
    kind = array.id.get_type()
    of_any_length = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    if of_any_length and not array.id.get_create_plist().get_nfilters():
      for start, stop in _parts(array):
        yield array.name, start, stop


def _parts(array: "h5py.Dataset") -> list[tuple[int, int]]:
  """Returns first and last byte, the latter excluded, of the values of an array, by chunks."""
  if array.chunks is None:
    start = array.id.get_offset()
    return [] if start is None else [(start, start + array.id.get_storage_size())]
  parts = []
  if array.id.get_num_chunks():
    array.id.chunk_iter(lambda chunk: parts.append((chunk.byte_offset, chunk.byte_offset + chunk.size)))
  return parts


def _between(ranges: list[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
  """Yields the ranges of a file that are in none of the given large ones."""
  position = 0
  # Those of damaged arrays could hide a heap: they are often small, or end outside of the file.
  for start, stop in sorted(part for part in ranges if part[1] <= size and part[1] - part[0] >= _LARGE):
    if start > position:
      yield position, start
    position = max(position, stop)
  if position < size:
    yield position, size


def _ends(content: mmap.mmap, heap: int) -> bool:
  """Returns whether HDF5 gets to the end of the heap at a position."""
  end = min(heap + _number(content, heap + 8, _WORD), len(content))
  position = heap + _HEAD
  for _ in range(_MOST_OBJECTS):
    if position + _HEAD > end:
      return True
    size = _number(content, position + 8, _WORD)
    if _number(content, position, 2):
      size = _HEAD + -(-size // _WORD) * _WORD
    if not size:
      return False
    position += size
  return False


def _number(content: mmap.mmap, position: int, length: int) -> int:
  return int.from_bytes(content[position : position + length], "little")

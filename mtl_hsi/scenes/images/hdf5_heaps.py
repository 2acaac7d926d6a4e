"""A check of the heaps of an HDF5 file, which contain its texts of any length.

HDF5 2.0 never returns from a heap with a free object of size 0, such as one that was overwritten with zeros.
"""

import mmap
from collections.abc import Iterable
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.hdf5_layout import WORD, Range

# A heap begins with signature and version, three zeros and its size; its objects follow, each with a head of
# number, references and size (HDF5 file format specification, III.E). Number 0 is the free space.
_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD = 16
_MOST_OBJECTS = 65536


def check_heaps(path: Path, content: mmap.mmap, ranges: Iterable[Range]) -> None:
  """Rejects a file with a damaged heap.

  Args:
    path: the file.
    content: its bytes.
    ranges: the parts of the file to search, from `hdf5_layout.between_values`.

  Raises:
    RequestError: a heap is damaged.
  """
  for start, stop in ranges:
    position = content.find(_SIGNATURE, start, stop)
    while position >= 0:
      if not _ends(content, position):
        raise RequestError(
          f"{path.absolute()} cannot be read as HDF5 (a heap is damaged); download the file again"
        )
      position = content.find(_SIGNATURE, position + 1, stop)


def _ends(content: mmap.mmap, heap: int) -> bool:
  """Returns whether HDF5 gets to the end of the heap at a position."""
  end = min(heap + _number(content, heap + 8, WORD), len(content))
  position = heap + _HEAD
  for _ in range(_MOST_OBJECTS):
    if position + _HEAD > end:
      return True
    size = _number(content, position + 8, WORD)
    if _number(content, position, 2):
      size = _HEAD + -(-size // WORD) * WORD
    if not size:
      return False
    position += size
  return False


def _number(content: mmap.mmap, position: int, length: int) -> int:
  return int.from_bytes(content[position : position + length], "little")

"""Where an HDF5 file keeps the values of its arrays, and what lies between them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
  import h5py

# Position of the first byte, and of the byte after the last one.
Range = tuple[int, int]

# Size of an address and of a length, in bytes. Files with other sizes are rare, and their heaps have another
# layout.
WORD = 8
# Minimum size of a range of values that is skipped, in bytes.
_LARGE = 1 << 20


def has_usual_words(file: "h5py.File") -> bool:
  """Returns whether addresses and lengths in the file have `WORD` bytes."""
  return file.id.get_create_plist().get_sizes() == (WORD, WORD)


def objects(file: "h5py.File") -> list:
  """Returns all groups and arrays of a file."""
  found = [file]
  file.visititems(lambda _, item: found.append(item))
  return found


def value_ranges(array: "h5py.Dataset") -> list[Range]:
  """Returns the ranges of an array's values, one per chunk; none if they are in its header or not stored."""
  if array.chunks is None:
    start = array.id.get_offset()
    return [] if start is None else [(start, start + array.id.get_storage_size())]
  ranges = []
  if array.id.get_num_chunks():
    array.id.chunk_iter(lambda chunk: ranges.append((chunk.byte_offset, chunk.byte_offset + chunk.size)))
  return ranges


def between_values(ranges: list[Range], size: int) -> Iterator[Range]:
  """Yields the parts of a file that are in none of the large ranges of values.

  Args:
    ranges: the ranges of the values of all arrays.
    size: size of the file in bytes.
  """
  position = 0
  # The range of a damaged array could hide a heap. Often it is small or ends outside of the file; such ranges
  # are not skipped.
  for start, stop in sorted(part for part in ranges if part[1] <= size and part[1] - part[0] >= _LARGE):
    if start > position:
      yield position, start
    position = max(position, stop)
  if position < size:
    yield position, size

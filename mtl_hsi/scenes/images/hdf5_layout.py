"""Where an HDF5 file keeps the values of its arrays, and what lies between them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
  import h5py

# First and last byte, the latter excluded.
Range = tuple[int, int]

# Bytes of an address and a length. Files with others are rare, and their heaps differ.
WORD = 8
# Bytes of values that are worth skipping.
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
  """Returns where the values of an array are stored, by chunks; nothing for those in the header."""
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
    ranges: of the values of all arrays.
    size: bytes of the file.
  """
  position = 0
  # Those of damaged arrays could hide something: they are often small, or end outside of the file.
  for start, stop in sorted(part for part in ranges if part[1] <= size and part[1] - part[0] >= _LARGE):
    if start > position:
      yield position, start
    position = max(position, stop)
  if position < size:
    yield position, size

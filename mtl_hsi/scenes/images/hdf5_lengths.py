"""A check of the lengths that an HDF5 file declares for texts and lists of variable length.

HDF5 allocates memory for the declared length, up to 4 GB, before it looks for the text in a heap. Lengths in
arrays with filters, such as compression, are not checked.
"""

import math
import mmap
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.hdf5_layout import WORD, Range, value_ranges

if TYPE_CHECKING:
  import h5py

# A reference has the length of the text and the ID of an object in a global heap: the address of the heap and
# the number of the object (HDF5 file format specification, III.E).
_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
# Class of variable-length datatypes (IV.A.2.d), in the low four bits of a datatype's first byte.
_VARIABLE_LENGTH = 9
# Size of an attribute's head, which precedes its name, in bytes, by version (IV.A.2.m).
_HEADS = {1: 8, 2: 8, 3: 9}


def check_lengths(path: Path, items: Sequence, content: mmap.mmap, ranges: Iterable[Range]) -> None:
  """Rejects a file with a text or list that is longer than the file.

  Args:
    path: the file.
    items: its groups and arrays.
    content: its bytes.
    ranges: the parts of the file to search for attributes, from `hdf5_layout.between_values`.

  Raises:
    RequestError: a declared length is larger than the file.
  """
  found = [*_of_arrays(items), *_of_attributes(_attribute_names(items), content, ranges)]
  for name, start, stop in found:
    references = content[start:stop]
    whole = len(references) // _REFERENCE.itemsize * _REFERENCE.itemsize
    lengths = np.frombuffer(references[:whole], _REFERENCE)["length"]
    if lengths.max(initial=0) > len(content):
      raise RequestError(
        f"{path.absolute()} cannot be read as HDF5 ({name} is damaged); download the file again"
      )


def _of_arrays(items) -> Iterator[tuple[str, int, int]]:
  """Yields the name of every array with references, and their range."""
  import h5py

  for item in items:
    variable_length = isinstance(item, h5py.Dataset) and _has_variable_length(item.id.get_type())
    if variable_length and not item.id.get_create_plist().get_nfilters():
      yield from ((item.name, *part) for part in value_ranges(item))


def _attribute_names(items) -> set[bytes]:
  return {
    name.encode(errors="surrogateescape")
    for item in items
    for name in item.attrs
    if _has_variable_length(item.attrs.get_id(name).get_type())
  }


def _has_variable_length(kind: "h5py.h5t.TypeID") -> bool:
  import h5py

  text = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
  return text or isinstance(kind, h5py.h5t.TypeVlenID)


def _of_attributes(names, content, ranges) -> Iterator[tuple[str, int, int]]:
  """Yields names of attributes and the ranges of their references; h5py does not report where they are."""
  if not names:
    return
  pattern = re.compile(b"(?:" + b"|".join(map(re.escape, sorted(names))) + b")\\0")
  for start, stop in ranges:
    for match in pattern.finditer(content, start, stop):
      found = _references(content, match.start(), len(match[0]))
      if found is not None:
        yield match[0][:-1].decode(errors="replace"), *found


def _references(content: mmap.mmap, name: int, length: int) -> Range | None:
  """Returns the range of references of the attribute with a name at a position; None if there is none."""
  for version, size in _HEADS.items():
    head = content[max(0, name - size) : name]
    sizes = [int.from_bytes(head[place : place + 2], "little") for place in (2, 4, 6)]
    if len(head) == size and head[0] == version and sizes[0] == length:
      # In the first version, each part fills whole words.
      step = WORD if version == 1 else 1
      kind, space, values = np.cumsum([name, *(-(-one // step) * step for one in sizes)])[1:].tolist()
      if values <= len(content) and content[kind] & 15 == _VARIABLE_LENGTH:
        return values, min(values + _count(content[space:values]) * _REFERENCE.itemsize, len(content))
  return None


def _count(space: bytes) -> int:
  """Returns the number of values that a dataspace declares (IV.A.2.b)."""
  if len(space) < 4:
    return 0
  first = {1: 8, 2: 4}.get(space[0], len(space))
  dimensions = np.frombuffer(space[first : first + 8 * space[1]].ljust(8 * space[1], b"\0"), "<u8")
  return math.prod(dimensions.tolist())

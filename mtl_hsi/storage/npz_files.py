"""Arrays in .npz files, whose shapes and sizes are checked before they are read. Nothing is unpickled."""

import contextlib
import io
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from mtl_hsi.storage import memory, zip_files

# More than the longest array header that NumPy accepts.
_HEADER_BYTES = 1 << 16
_ENDING = ".npy"


class Entry(NamedTuple):
  """Shape and dtype of an array in a file, known without reading it."""

  shape: tuple[int, ...]
  dtype: np.dtype


class Arrays:
  """The arrays of an open archive.

  Attributes:
    entries: shape and dtype of every array, by key.
  """

  def __init__(self, archive: zipfile.ZipFile, where: str):
    zip_files.check_members(archive, where)
    self._archive, self._where = archive, where
    names = [name for name in archive.namelist() if name.endswith(_ENDING)]
    self.entries = {name.removesuffix(_ENDING): self._entry(name) for name in names}

  def read(self, key: str) -> np.ndarray:
    """Reads an array.

    Raises:
      RequestError: it does not fit into memory.
      KeyError: there is no such array.
      ValueError, zipfile.BadZipFile, zlib.error: it is damaged, or has objects.
    """
    name = f"{key}{_ENDING}"
    memory.check_fits(self._archive.getinfo(name).file_size, f"{self._where} ({key})")
    with self._archive.open(name) as stream:
      return np.lib.format.read_array(stream, allow_pickle=False)

  def _entry(self, name: str) -> Entry:
    member = self._archive.getinfo(name)
    with self._archive.open(member) as stream:
      head = io.BytesIO(stream.read(_HEADER_BYTES))
    return read_header(head, member.file_size)


@contextlib.contextmanager
def opened(file: Path | BinaryIO, where: str) -> Iterator[Arrays]:
  """Opens an .npz file.

  Args:
    file: path or content.
    where: its path, for messages.

  Raises:
    RequestError: a member cannot be as large as it declares.
    OSError, ValueError, zipfile.BadZipFile, zlib.error: it is damaged.
  """
  with zipfile.ZipFile(file) as archive:
    yield Arrays(archive, where)


def read_header(head: BinaryIO, size: int) -> Entry:
  """Returns shape and dtype from the beginning of an array in a file.

  Args:
    head: its first bytes.
    size: its number of bytes.

  Raises:
    ValueError: it is damaged, or declares more than the file has.
  """
  first = np.lib.format.read_magic(head) == (1, 0)
  read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
  shape, _, dtype = read(head)
  declared = math.prod(shape) * dtype.itemsize
  # Pickled objects have any size and are never read.
  if not dtype.hasobject and not 0 <= declared <= size:
    listed = " x ".join(map(str, shape))
    raise ValueError(f"an array of {listed} {dtype} in {size} bytes")
  return Entry(shape, dtype)

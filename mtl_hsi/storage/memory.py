"""Whether a file can be what it declares to hold, and fits into memory, asked before any of that is read."""

import stat
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.storage.free_memory import available

# Bytes of Python objects that a byte of JSON, an empty object at worst, can become, and as much for what is
# made of them.
JSON_RATIO = 64
# Deflate, which .npz, .mat and HDF5 use, makes at most 1032 bytes of one (zlib's technical details).
_LARGEST_RATIO = 1032
# Headers and empty blocks, which the ratio says nothing of.
_SLACK = 1 << 16
# What is read is copied once on its way: to the machine's byte order, to pixels first, to other types.
_COPIES = 2


def check_fits(size: int, where: str) -> None:
  """Refuses what would not fit twice into the memory that is free, as it is copied on its way.

  Args:
    size: bytes that are declared.
    where: the source, for messages.

  Raises:
    RequestError: it does not fit.
  """
  declared = f"{where} declares {_megabytes(size)}, of which reading takes {_COPIES} times as much"
  _require(_COPIES * size, declared)


def check_file(path: Path, ratio: int) -> None:
  """Refuses a file that is read as a whole where what is made of it might not fit into the free memory.

  Args:
    path: the file.
    ratio: bytes of memory that a byte of it takes at most.

  Raises:
    RequestError: it might not fit, or is no file of a known length.
    OSError: there is no such file.
  """
  found = path.stat()
  if not stat.S_ISREG(found.st_mode):
    raise RequestError(f"{path.absolute()} is a directory, a pipe or a device; expected a file")
  held, most = _megabytes(found.st_size), _megabytes(ratio * found.st_size)
  _require(ratio * found.st_size, f"{path.absolute()} has {held}, of which reading may make {most}")


def check_ratio(declared: int, stored: int, where: str) -> None:
  """Refuses what deflate cannot have compressed so far.

  Args:
    declared: bytes that the file says there are.
    stored: bytes that it holds of them, compressed or not.
    where: the source, for messages.

  Raises:
    RequestError: it is more than the greatest ratio allows.
  """
  if declared > largest_inflated(stored):
    raise RequestError(
      f"{where} declares {declared} bytes and stores {stored}, of which no more than {_LARGEST_RATIO} times "
      "as many can come; it is damaged or made to fill the memory: get it again"
    )


def largest_inflated(stored: int) -> int:
  """The most bytes that can come of compressed ones."""
  return _LARGEST_RATIO * stored + _SLACK


def _require(size: int, what: str) -> None:
  free = available()
  if size > free:
    raise RequestError(
      f"{what}, and {_megabytes(free)} of memory are free; if it is whole, cut it or use a machine with more "
      "memory"
    )


def _megabytes(size: int) -> str:
  return f"{size / 1e6:,.6g} MB"

"""Zip archives whose list of members and sizes are checked before they are read."""

import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from mtl_hsi.storage import memory

# Most bytes of memory per byte in the directory of a zip: reached by members with names of one letter.
_DIRECTORY_RATIO = 24
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_zip(path: Path) -> zipfile.ZipFile:
  """Opens an archive whose list of members fits into memory.

  Raises:
    RequestError: the list does not fit.
    OSError, ValueError, zipfile.BadZipFile: it cannot be read, or is no archive.
  """
  size = _directory_size(path)
  memory.check_fits(_DIRECTORY_RATIO * size, f"the directory of {path.absolute()}")
  return zipfile.ZipFile(path)


def check_members(archive: zipfile.ZipFile, where: str) -> None:
  """Checks that every member can be as large as it declares.

  Args:
    archive: the archive.
    where: its path, for messages.

  Raises:
    RequestError: a member cannot be as large as it declares.
    ValueError: it is compressed in another way than by deflate, and could have any size.
  """
  for member in archive.infolist():
    if member.compress_type not in _METHODS:
      raise ValueError(f"{member.filename} uses the compression method {member.compress_type}")
    memory.check_ratio(member.file_size, member.compress_size, f"{where} ({member.filename})")


def read_member(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
  """Returns the content of a member of an archive that `check_members` has passed.

  Args:
    archive: the archive.
    name: name of the member.
    where: path of the archive, for messages.

  Raises:
    RequestError: it does not fit into memory.
    KeyError: there is no such member.
    EOFError, RuntimeError, zipfile.BadZipFile, zlib.error: it is damaged or encrypted.
  """
  size = archive.getinfo(name).file_size
  memory.check_fits(size, f"{where} ({name})")
  with archive.open(name) as stream:
    content = stream.read(size)
    # Reading to the end compares the checksum.
    if len(content) != size or stream.read(1):
      raise EOFError(f"{name} does not have the {size} bytes that it declares")
  return content


def _directory_size(path: Path) -> int:
  """Returns the size of the list of members, which is read as a whole (APPNOTE.TXT, 4.3.14 to 4.3.16)."""
  with path.open("rb") as file:
    length = file.seek(0, 2)
    return min(_declared_size(file, length), length)


def _declared_size(file: BinaryIO, length: int) -> int:
  file.seek(max(0, length - (1 << 16) - 22 - 20))
  tail = file.read()
  end = tail.rfind(b"PK\x05\x06")
  if end < 0 or len(tail) < end + 16:
    raise ValueError("it has no list of its files")
  (size,) = struct.unpack("<L", tail[end + 12 : end + 16])
  # Of zips over 4 GB, the size is in another record.
  if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
    file.seek(struct.unpack("<Q", tail[end - 12 : end - 4])[0])
    (size,) = struct.unpack("<40xQ8x", file.read(56))
  return size

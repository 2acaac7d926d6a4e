"""Lists and unpacks the files of zip and tar archives, within bounds of memory and disk."""

import contextlib
import functools
import gzip
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory, zip_files

ZIP_SUFFIX = ".zip"
SUFFIXES = (ZIP_SUFFIX, ".tar", ".tar.gz", ".tgz")
# No product has more files; more members would only cost memory.
MOST_FILES = 100_000

# Bytes of the headers of one member of a tar: far more than any name or list of holes needs.
_LONGEST_HEADER = 1 << 20
_CHUNK = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"


def is_archive(path: Path) -> bool:
  """Returns whether a path is a file with the ending of an archive."""
  return path.name.lower().endswith(SUFFIXES) and path.is_file()


def stem(path: Path) -> str:
  """Returns the name of an archive without its ending."""
  return next(path.name[: -len(suffix)] for suffix in SUFFIXES if path.name.lower().endswith(suffix))


def list_files(path: Path) -> list[str]:
  """Returns the names of the regular files of an archive; links and devices are left out.

  Raises:
    RequestError: it cannot be read, or has more than `MOST_FILES` files.
  """
  with _errors_as_requests(path):
    names = _list_zip(path) if _is_zip(path) else [member.name for _, member in _tar_members(path)]
  if len(names) > MOST_FILES:
    raise RequestError(f"{path.absolute()} has more than {MOST_FILES:,} files; unpack it and name one image")
  return names


def unpack(path: Path, targets: Mapping[str, Path]) -> None:
  """Unpacks files of an archive.

  Args:
    path: the archive.
    targets: where to write each of the files, by its name in the archive; no target may exist.

  Raises:
    RequestError: a file cannot be read or written, declares more than its compressed bytes can expand to, or
      does not fit on the disk.
  """
  with _errors_as_requests(path):
    if _is_zip(path):
      _unpack_zip(path, targets)
    else:
      _unpack_tar(path, targets)


def _is_zip(path: Path) -> bool:
  return path.name.lower().endswith(ZIP_SUFFIX)


def _list_zip(path: Path) -> list[str]:
  with zip_files.open_zip(path) as archive:
    return [member.filename for member in archive.infolist() if not member.is_dir()]


def _unpack_zip(path: Path, targets: Mapping[str, Path]) -> None:
  with zip_files.open_zip(path) as archive:
    for name, target in targets.items():
      member = archive.getinfo(name)
      memory.check_ratio(member.file_size, member.compress_size, f"{name} in {path.absolute()}")
      with archive.open(member) as source:
        _copy(source, member.file_size, target, f"{name} in {path.absolute()}")


def _unpack_tar(path: Path, targets: Mapping[str, Path]) -> None:
  left = dict(targets)
  for archive, member in _tar_members(path):
    target = left.pop(member.name, None)
    if target is not None:
      with archive.extractfile(member) as source:
        _copy(source, member.size, target, f"{member.name} in {path.absolute()}")
    if not left:
      return
  raise KeyError(f"no file {', '.join(left)}")


def _tar_members(path: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
  """Yields the regular files, each with the archive, whose data can be read until the next one."""
  with contextlib.ExitStack() as stack:
    file = stack.enter_context(path.open("rb"))
    packed = file.read(2) == _GZIP_MAGIC
    file.seek(0)
    content = stack.enter_context(gzip.GzipFile(fileobj=file)) if packed else file
    reader = _BoundedHeaders(content)
    archive = stack.enter_context(tarfile.TarFile(fileobj=reader))
    for _ in range(MOST_FILES + 1):
      # tarfile would keep every member, and general headers that apply to all later ones.
      archive.members.clear()
      archive.pax_headers.clear()
      reader.left = _LONGEST_HEADER
      member = archive.next()
      if member is None:
        return
      if member.isfile():
        reader.left = None
        yield archive, member


class _BoundedHeaders:
  """A file whose reads are bounded in sum while headers are read, which may declare any length.

  Attributes:
    left: bytes that may still be read, or None for any number.
  """

  def __init__(self, file: BinaryIO):
    self._file = file
    self.left: int | None = _LONGEST_HEADER
    self.seek, self.tell = file.seek, file.tell

  def read(self, size: int) -> bytes:
    if self.left is not None:
      self.left -= size
      if self.left < 0:
        raise tarfile.ReadError(f"the header of a file is longer than {_LONGEST_HEADER:,} bytes")
    return self._file.read(size)


def _copy(source: BinaryIO, size: int, target: Path, what: str) -> None:
  free = shutil.disk_usage(target.parent).free
  if size > free:
    raise RequestError(
      f"{what} needs {size / 1e6:,.6g} MB to unpack, but only {free / 1e6:,.6g} MB are free in "
      f"{target.parent}; set TMPDIR to a folder with more space"
    )
  try:
    with target.open("xb") as file:
      copied = 0
      for chunk in iter(functools.partial(source.read, _CHUNK), b""):
        file.write(chunk)
        copied += len(chunk)
    if copied != size:
      raise EOFError(f"{what} ends after {copied} of {size} bytes")
  except BaseException:
    target.unlink(missing_ok=True)
    raise


@contextlib.contextmanager
def _errors_as_requests(path: Path) -> Iterator[None]:
  try:
    yield
  except RequestError:
    raise
  # On damaged files, zipfile, tarfile, zlib and gzip raise a dozen unrelated exceptions.
  except Exception as error:
    reason = " ".join(str(error).split()) or type(error).__name__
    raise RequestError(
      f"{path.absolute()} cannot be read as an archive ({reason}); it may be truncated: download it again"
    ) from error

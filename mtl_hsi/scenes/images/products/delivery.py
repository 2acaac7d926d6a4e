"""The files of a product: those of a folder, of an archive, or beside the file that a user names."""

import contextlib
import functools
import os
import shutil
import tarfile
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory

ZIP_SUFFIX = ".zip"
ARCHIVE_SUFFIXES = (ZIP_SUFFIX, ".tar", ".tar.gz", ".tgz")
# No product has more files; more members would only cost memory.
_MOST_FILES = 100_000


def is_archive(path: Path) -> bool:
  """Returns whether a path names an archive, by its ending."""
  return path.name.lower().endswith(ARCHIVE_SUFFIXES)


class Delivery:
  """The files of a product, wherever they are.

  Attributes:
    path: what the user named: a folder, an archive or a file.
    named: name of the file that the user named, or None for a folder or an archive.
    names: paths of all its files, relative to the folder or to the root of the archive, with `/`. If the user
      named a file, the names of all files in its folder. A zip in an archive counts as a folder.

  Raises:
    RequestError: the path does not exist, or is an archive that cannot be read.
  """

  def __init__(self, path: Path):
    if not os.path.exists(path):
      raise RequestError(f"no such file: {path.absolute()}")
    self.path = path
    self.named = None if path.is_dir() or is_archive(path) else path.name
    self._zips: dict[str, Delivery] = {}

  @functools.cached_property
  def names(self) -> tuple[str, ...]:
    if self.named is not None:
      return tuple(sorted(entry.name for entry in os.scandir(self.path.parent) if entry.is_file()))
    if self.path.is_dir():
      return tuple(sorted(_walk(self.path)))
    with _archive_errors_as_requests(self.path), _open_archive(self.path) as archive:
      return tuple(sorted(name for member in archive.names() for name in self._with_inner(member)))

  def find(self, matches: Callable[[str], bool]) -> list[str]:
    """Returns the names of the files whose last part, in lower case, matches."""
    return [name for name in self.names if matches(name.rpartition("/")[2].lower())]

  def file(self, name: str) -> Path:
    """Returns the path of one of `names` on disk; one in an archive is unpacked until the program ends.

    Raises:
      RequestError: it cannot be unpacked.
    """
    if self.named is not None:
      return self.path.parent / name
    if self.path.is_dir():
      return self.path / name
    for outer, inner in self._zips.items():
      if name.startswith(f"{outer}/"):
        return inner.file(name.removeprefix(f"{outer}/"))
    return self._unpacked(name)

  def _with_inner(self, member: str) -> list[str]:
    """Returns a member of the archive, or the members of the zip that it is."""
    if not member.lower().endswith(ZIP_SUFFIX):
      return [member]
    inner = self._zips[member] = Delivery(self._unpacked(member))
    return [f"{member}/{name}" for name in inner.names]

  @functools.cached_property
  def _folder(self) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mtl_hsi-"))
    weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
    return folder

  def _unpacked(self, member: str) -> Path:
    # In a folder of its own name: a header and its data file must stay side by side.
    target = self._folder / member
    if not target.is_relative_to(self._folder) or ".." in Path(member).parts:
      raise RequestError(f"{self.path.absolute()} has a member {member!r}, which is outside of the archive")
    if not target.exists():
      target.parent.mkdir(parents=True, exist_ok=True)
      with _archive_errors_as_requests(self.path), _open_archive(self.path) as archive:
        _check_disk(archive.size(member), target.parent, f"{member} in {self.path.absolute()}")
        with archive.open(member) as source, target.open("xb") as file:
          shutil.copyfileobj(source, file, 1 << 20)
    return target


class _Zip:
  """The regular members of an open zip."""

  def __init__(self, archive: zipfile.ZipFile):
    self._archive = archive

  def names(self) -> list[str]:
    return [member.filename for member in self._archive.infolist() if not member.is_dir()]

  def size(self, name: str) -> int:
    member = self._archive.getinfo(name)
    memory.check_ratio(member.file_size, member.compress_size, name)
    return member.file_size

  def open(self, name: str) -> IO[bytes]:
    return self._archive.open(name)


class _Tar:
  """The regular members of an open tar."""

  def __init__(self, archive: tarfile.TarFile):
    self._archive = archive

  def names(self) -> list[str]:
    found = []
    for member in self._archive:
      if member.isfile():
        found.append(member.name)
      if len(found) > _MOST_FILES:
        break
    return found

  def size(self, name: str) -> int:
    return self._archive.getmember(name).size

  def open(self, name: str) -> IO[bytes]:
    return self._archive.extractfile(name)


@contextlib.contextmanager
def _open_archive(path: Path) -> Iterator[_Zip | _Tar]:
  if path.name.lower().endswith(ZIP_SUFFIX):
    with zipfile.ZipFile(path) as archive:
      yield _Zip(archive)
  else:
    with tarfile.open(path) as archive:
      yield _Tar(archive)


def _walk(folder: Path) -> list[str]:
  found = []
  for directory, _, files in os.walk(folder):
    found += [(Path(directory) / file).relative_to(folder).as_posix() for file in files]
    if len(found) > _MOST_FILES:
      raise RequestError(
        f"{folder.absolute()} has more than {_MOST_FILES:,} files; name the folder of a single product"
      )
  return found


def _check_disk(size: int, folder: Path, what: str) -> None:
  free = shutil.disk_usage(folder).free
  if size > free:
    raise RequestError(
      f"{what} needs {size / 1e6:,.6g} MB to unpack, but only {free / 1e6:,.6g} MB are free in "
      f"{folder}; set TMPDIR to a folder with more space"
    )


@contextlib.contextmanager
def _archive_errors_as_requests(path: Path) -> Iterator[None]:
  try:
    yield
  except RequestError:
    raise
  # On damaged files, zipfile, tarfile, zlib and lzma raise a dozen unrelated exceptions.
  except Exception as error:
    reason = " ".join(str(error).split()) or type(error).__name__
    raise RequestError(
      f"{path.absolute()} cannot be read as an archive ({reason}); it may be truncated: download it again"
    ) from error

"""The files of a product: those of a folder, of an archive, or beside the file that a user names."""

import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header
from mtl_hsi.scenes.images.products import archives

# Archives by path, size and time, so that one that is in use is not unpacked again.
_IN_USE: "weakref.WeakValueDictionary[tuple, Delivery]" = weakref.WeakValueDictionary()
# Files that belong to an image of the same name: the header and further metadata of GDAL.
_COMPANIONS = (".hdr", ".aux.xml", ".tfw")


class Delivery:
  """The files of a product, wherever they are.

  Files of an archive are unpacked when they are needed, into a temporary folder (see TMPDIR) that is removed
  with this object, at the latest when the program ends.

  Args:
    path: a folder, an archive or a file.
    nested: whether the only zip in an archive counts as a folder of it.

  Attributes:
    path: as above.
    named: name of the file that the user named, or None for a folder or an archive.
    names: paths of all its files, relative to the folder or to the root of the archive, with `/`. If the user
      named a file, the names of all files in its folder. Hidden files are left out.

  Raises:
    RequestError: the path does not exist, or is an archive that cannot be read.
  """

  def __init__(self, path: Path, *, nested: bool = True):
    if not os.path.exists(path):
      raise RequestError(f"no such file: {path.absolute()}")
    self.path = path
    self.named = None if path.is_dir() or archives.is_archive(path) else path.name
    self._nested = nested
    self._inner: tuple[str, Delivery] | None = None

  @classmethod
  def of(cls, path: Path) -> "Delivery":
    """Returns the delivery of a path; that of an archive is shared by all who use it at the same time."""
    if not archives.is_archive(path):
      return cls(path)
    status = path.stat()
    key = path.absolute(), status.st_size, status.st_mtime_ns
    found = _IN_USE.get(key)
    if found is None:
      found = _IN_USE[key] = cls(path)
    return found

  @functools.cached_property
  def names(self) -> tuple[str, ...]:
    if self.named is not None:
      found = _list_folder(self.path.parent) or [self.named]
    elif self.path.is_dir():
      found = _walk(self.path)
    else:
      found = self._list_archive()
    return tuple(sorted(name for name in found if not _is_hidden(name)))

  def find(self, matches: Callable[[str], bool]) -> list[str]:
    """Returns the names of the files whose last part, in lower case, matches."""
    return [name for name in self.names if matches(name.rpartition("/")[2].lower())]

  def file(self, name: str) -> Path:
    """Returns the path of one of `names` on disk, with its header, if it has one, beside it.

    Raises:
      RequestError: it cannot be unpacked.
    """
    if self.named is not None:
      return self.path.parent / name
    if self.path.is_dir():
      return self.path / name
    if self._inner is not None and name.startswith(f"{self._inner[0]}/"):
      return self._inner[1].file(name.removeprefix(f"{self._inner[0]}/"))
    targets = {member: self._target(member) for member in self._with_companions(name)}
    self._unpack({member: target for member, target in targets.items() if not os.path.exists(target)})
    return targets[name]

  def files(self, names: Sequence[str]) -> list[Path]:
    """Returns the paths of several of `names` on disk; an archive is read once for all of them.

    Raises:
      RequestError: they cannot be unpacked.
    """
    inner = self._inner
    if self.named is None and not self.path.is_dir():
      if inner is not None and all(name.startswith(f"{inner[0]}/") for name in names):
        return inner[1].files([name.removeprefix(f"{inner[0]}/") for name in names])
      targets = {name: self._target(name) for name in names}
      self._unpack({name: target for name, target in targets.items() if not os.path.exists(target)})
    return [self.file(name) for name in names]

  def _list_archive(self) -> list[str]:
    members = archives.list_files(self.path)
    zips = [member for member in members if member.lower().endswith(archives.ZIP_SUFFIX)]
    # An order of DLR is a tar with the zip of the product. A zip within that one is not opened: it may
    # contain itself.
    if self._nested and len(zips) == 1:
      self._unpack({zips[0]: self._target(zips[0])})
      self._inner = zips[0], Delivery(self._target(zips[0]), nested=False)
      members += [f"{zips[0]}/{name}" for name in self._inner[1].names]
    return members

  def _with_companions(self, name: str) -> list[str]:
    path = PurePosixPath(name)
    wanted = {str(path.with_suffix(suffix)).lower() for suffix in _COMPANIONS} | {f"{name}.aux.xml".lower()}
    if path.suffix.lower() == ".hdr":
      wanted |= {str(path.with_suffix(suffix)).lower() for suffix in envi_header.DATA_SUFFIXES}
    return [name, *(other for other in self.names if other.lower() in wanted and other != name)]

  def _target(self, member: str) -> Path:
    parts = PurePosixPath(member).parts
    if PurePosixPath(member).is_absolute() or ".." in parts or "\0" in member:
      raise RequestError(f"{self.path.absolute()} has a file {member!r}, which is outside of the archive")
    return self._folder.joinpath(*parts)

  def _unpack(self, targets: dict[str, Path]) -> None:
    try:
      for target in targets.values():
        target.parent.mkdir(parents=True, exist_ok=True)
    # A name may be too long, or that of a folder and of a file.
    except OSError as error:
      raise RequestError(f"{self.path.absolute()} cannot be unpacked in {self._folder}: {error}") from error
    if targets:
      archives.unpack(self.path, targets)

  @functools.cached_property
  def _folder(self) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mtl_hsi-"))
    weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
    return folder


def stem(path: Path) -> str:
  """Returns the name of an image for its results: without the ending of a file or an archive."""
  if path.is_dir():
    return path.resolve().name
  return archives.stem(path) if archives.is_archive(path) else path.stem


def _list_folder(folder: Path) -> list[str]:
  try:
    return [entry.name for entry in os.scandir(folder) if entry.is_file()]
  # A file may be readable in a folder that is not.
  except OSError:
    return []


def _walk(folder: Path) -> list[str]:
  found = []
  for directory, _, files in os.walk(folder):
    found += [(Path(directory) / file).relative_to(folder).as_posix() for file in files]
    if len(found) > archives.MOST_FILES:
      raise RequestError(
        f"{folder.absolute()} has more than {archives.MOST_FILES:,} files; name the folder of one product"
      )
  return found


def _is_hidden(name: str) -> bool:
  # macOS adds a file ._name beside every file of a zip.
  return name.rpartition("/")[2].startswith(".")

"""Several files that appear together, or not at all.

The files of a set have one stem and different endings. They are written in the directory `.<stem>.partial`
beside their final place and get their names when all of them are complete. The file with the last ending gets
its name last, so that its presence marks a complete set.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import directory_lock
from mtl_hsi.storage.atomic_files import sync


class FileSet(NamedTuple):
  """The files of a set at their final place.

  Attributes:
    stem: their common path without endings.
    endings: the last part of each path; the last one marks a complete set.
    option: the option with which the user chooses the stem, for error messages.
  """

  stem: Path
  endings: tuple[str, ...]
  option: str

  def check_free(self) -> None:
    """Checks that no file would be overwritten; removes an incomplete set that a killed process left.

    Raises:
      RequestError: a file already exists, or another process is writing the set.
    """
    if self._partial.exists():
      with self._held():
        pass
    for ending in self.endings:
      if with_ending(self.stem, ending).exists():
        raise self._exists(with_ending(self.stem, ending))

  @contextlib.contextmanager
  def create(self) -> Iterator[Path]:
    """Gives the stem under which to write the files; publishes them at the end of the block.

    If the block raises, nothing of the set remains.

    Raises:
      RequestError: a file of the set has appeared meanwhile, or another process is writing the set.
      OSError: a file cannot be written.
    """
    is_new_directory = not self.stem.parent.exists()
    try:
      with self._held() as written:
        yield written
        self._publish(written)
    finally:
      if is_new_directory:
        # Fails if the set is there.
        with contextlib.suppress(OSError):
          self.stem.parent.rmdir()

  @property
  def _partial(self) -> Path:
    return self.stem.parent / f".{self.stem.name}.partial"

  @contextlib.contextmanager
  def _held(self) -> Iterator[Path]:
    """Holds the partial directory, which is emptied before and after."""
    written = self._partial / self.stem.name
    with directory_lock.held(self._partial, f"{self.stem.absolute()}.*", self.option):
      self._roll_back(written)
      try:
        yield written
      finally:
        # The next process would do it.
        with contextlib.suppress(OSError):
          self._roll_back(written)

  def _publish(self, written: Path) -> None:
    for ending in self.endings:
      sync(with_ending(written, ending))
    for ending in self.endings:
      if ending == self.endings[-1]:
        sync(self.stem.parent)
      self._publish_file(with_ending(written, ending), with_ending(self.stem, ending))
    sync(self.stem.parent)

  def _publish_file(self, source: Path, path: Path) -> None:
    try:
      os.link(source, path)
    except FileExistsError as error:
      raise self._exists(path) from error
    except OSError:
      # The file system has no hard links. A file created between these two lines would be overwritten.
      if path.exists():
        raise self._exists(path) from None
      os.rename(source, path)

  def _roll_back(self, written: Path) -> None:
    """Empties the partial directory; removes the published files of an incomplete set."""
    marker = with_ending(written, self.endings[-1])
    if marker.exists() and not _is_same(marker, with_ending(self.stem, self.endings[-1])):
      for ending in self.endings:
        source, path = with_ending(written, ending), with_ending(self.stem, ending)
        # The marker is written after all other files, so a missing one was renamed.
        if path.exists() and (not source.exists() or _is_same(source, path)):
          path.unlink()
    # The marker goes first: without it no published file is removed.
    marker.unlink(missing_ok=True)
    for path in written.parent.iterdir():
      if path.name != directory_lock.LOCK:
        path.unlink()

  def _exists(self, path: Path) -> RequestError:
    return RequestError(
      f"{path.absolute()} already exists and was not overwritten; choose another {self.option} or move the "
      "file"
    )


def with_ending(stem: Path, ending: str) -> Path:
  """The path of one file of a set."""
  return stem.parent / (stem.name + ending)


def _is_same(path: Path, other: Path) -> bool:
  return other.exists() and path.samefile(other)

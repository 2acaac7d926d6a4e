"""Public scenes from their hosts, one after the other; nothing lands but the known files."""

import contextlib
import fcntl
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public.catalogue import PublicFile, PublicScene
from mtl_hsi.scenes.public.checksums import ChangedFile, check_file_content, check_files
from mtl_hsi.scenes.public.transfer import discard, transfer
from mtl_hsi.scenes.public.transport import Interrupted, Limits, Refused, https_opener
from mtl_hsi.storage.atomic_files import sync

# The largest public file, the cube of Pavia Centre, is 160 MB before compression.
LIMITS = Limits(
  timeout=30.0,
  slowest=2000.0,
  window=30.0,
  largest=512 << 20,
  attempts=4,
  worthwhile=1 << 20,
  back_off=1.0,
  longest_wait=60.0,
)


def fetch_public(
  facts: PublicScene,
  data_dir: Path,
  accept_changed: bool,
  *,
  limits: Limits = LIMITS,
  opener: urllib.request.OpenerDirector | None = None,
) -> None:
  """Makes sure that both files of a public scene are in `data_dir`.

  Files that are there already are checked and kept. Another process that fetches into the same directory is
  waited for. A transfer that was cut, or killed, goes on where it stopped.

  Args:
    facts: the scene.
    data_dir: directory of the public files under their own names; made where it is missing.
    accept_changed: whether to take a file of another SHA-256, where no host has the known one, if its shape
      and pixel counts are the scene's.
    limits: patience with the hosts.
    opener: the way to them; None: https, with the proxies of the environment.

  Raises:
    ChangedFile: there is another file of the scene's shape or pixel counts, which is not to be taken.
    RequestError: a file on disk is not the public one, or no host gave it (lists each one's answer and says
      where to get the file by hand and where to put it), or `data_dir` cannot be written.
  """
  data_dir = Path(data_dir).absolute()
  check_files(facts, data_dir, accept_changed)
  if not _missing(facts, data_dir):
    return
  try:
    data_dir.mkdir(parents=True, exist_ok=True)
    with alone(data_dir):
      for file in _missing(facts, data_dir):
        _fetch(facts, file, data_dir, accept_changed, limits, opener or https_opener())
  except OSError as error:
    raise RequestError(
      f"cannot write to {data_dir}: {error.strerror or error}; name another data directory"
    ) from error


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
  """Holds a directory for this process, after waiting for the one that has it, if any.

  The kernel releases the lock of a process that dies. The lock file stays: to remove it would be to
  take it from under one that waits.
  """
  with open(directory / ".lock", "w") as lock:
    try:
      fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      logging.warning("waiting for another process that puts scenes into %s", directory)
      fcntl.flock(lock, fcntl.LOCK_EX)
    yield


def _missing(facts: PublicScene, data_dir: Path) -> list[PublicFile]:
  """Labels first: the smaller by far, they tell soonest that no host answers."""
  return [file for file in (facts.labels, facts.cube) if not (data_dir / file.filename).is_file()]


def _fetch(
  facts: PublicScene,
  file: PublicFile,
  data_dir: Path,
  accept_changed: bool,
  limits: Limits,
  opener: urllib.request.OpenerDirector,
) -> None:
  target = data_dir / file.filename
  part, changed = data_dir / f"{file.filename}.part", target.with_stem(f"{target.stem}.changed")
  changed.unlink(missing_ok=True)
  answers = []
  for url in file.urls:
    logging.info("fetching %s", url)
    try:
      digest = _insist(url, file.sha256, part, limits, opener)
    except Refused as answer:
      answers.append(f"{url}: {answer}")
      continue
    if digest == file.sha256:
      _settle(part, target)
      discard(part)
      changed.unlink(missing_ok=True)
      return
    _set_aside(facts, file, part, changed)
    answers.append(f"{url}: another file, of SHA-256 {digest}")
  if accept_changed and changed.exists():
    _settle(changed, target)
    return
  what = file.filename
  error = RequestError
  if changed.exists():
    what += ", but one of its shape or pixel counts"
    error = ChangedFile
    changed.unlink()
  raise error(
    f"scene {facts.name!r}: no host gave {what} ({'; '.join(answers)}); open {facts.page_url} in a browser, "
    f"get {file.filename} there and put it into {data_dir}"
  )


def _insist(
  url: str, expected: str, part: Path, limits: Limits, opener: urllib.request.OpenerDirector
) -> str:
  """Asks one host until `part` is a whole file, and returns its SHA-256, or until the host is given up."""
  failures, furthest = 0, _size(part)
  while True:
    held = _size(part)
    try:
      digest = transfer(url, part, limits, opener)
      if digest == expected or not held:
        return digest
      discard(part)
      raise Interrupted("what was sent does not fit what had been sent before")
    except Interrupted as failure:
      failures = 1 if _size(part) - furthest >= limits.worthwhile else failures + 1
      furthest = max(furthest, _size(part))
      if failures == limits.attempts:
        raise Refused(f"{failure} ({failures} attempts)") from failure
      time.sleep(max(limits.back_off * 2 ** (failures - 1), failure.wait))


def _set_aside(facts: PublicScene, file: PublicFile, part: Path, changed: Path) -> None:
  """Keeps the first file of another SHA-256 whose content is the scene's; removes all others."""
  if not changed.exists():
    os.replace(part, changed)
    try:
      check_file_content(facts, file, changed)
    except RequestError:
      changed.unlink()
  discard(part)


def _settle(path: Path, target: Path) -> None:
  """Gives a complete file its name, so that a power cut leaves all of it or nothing."""
  sync(path)
  os.replace(path, target)
  sync(target.parent)


def _size(path: Path) -> int:
  return path.stat().st_size if path.exists() else 0

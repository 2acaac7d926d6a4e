"""Downloads the files of public scenes: tries one host after the other and keeps only verified files."""

import contextlib
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public.catalogue import PublicFile, PublicScene
from mtl_hsi.scenes.public.transfer import discard, transfer
from mtl_hsi.scenes.public.transport import Interrupted, Limits, Refused, https_opener
from mtl_hsi.scenes.public.verification import ChangedFile, check_file_content, check_files
from mtl_hsi.storage import file_lock
from mtl_hsi.storage.atomic_files import reason, sync

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
  """Downloads the missing files of a public scene into `data_dir`.

  Existing files are verified and kept. If another process downloads into the same directory, this one waits
  for it. An interrupted transfer resumes where it stopped.

  Args:
    facts: the scene.
    data_dir: directory of the public files under their own names; created if missing.
    accept_changed: whether to accept a file with another SHA-256 but the scene's shape or pixel counts, if
      no host has the known file.
    limits: limits on time, size and attempts.
    opener: opens the addresses. None uses https and the proxies of the environment.

  Raises:
    ChangedFile: a file has the scene's shape or pixel counts, but another SHA-256, and is not accepted.
    RequestError: a file on disk is not the public one, no host provided a file (the message lists the
      answers and how to get the file by hand), or `data_dir` cannot be written.
  """
  data_dir = Path(data_dir).absolute()
  check_files(facts, data_dir, accept_changed)
  if not _missing(facts, data_dir):
    return
  try:
    data_dir.mkdir(parents=True, exist_ok=True)
    with lock_directory(data_dir):
      for file in _missing(facts, data_dir):
        _fetch(facts, file, data_dir, accept_changed, limits, opener or https_opener())
  except OSError as error:
    raise RequestError(
      f"cannot write to {data_dir}: {reason(error)}; choose another data directory"
    ) from error


@contextlib.contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
  """Locks a directory for this process; waits while another process holds the lock.

  The kernel releases the lock of a process that dies. The lock file is not removed, because another process
  may be waiting for it.
  """
  with open(directory / ".lock", "w") as lock:
    try:
      file_lock.lock(lock.fileno(), wait=False)
    except BlockingIOError:
      logging.warning("waiting for another process that downloads scenes into %s", directory)
      file_lock.lock(lock.fileno(), wait=True)
    yield


def _missing(facts: PublicScene, data_dir: Path) -> list[PublicFile]:
  """Lists the labels first: they are small, so an unreachable host is noticed early."""
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
    logging.info("downloading %s", url)
    try:
      digest = _transfer_with_retries(url, file.sha256, part, limits, opener)
    except Refused as answer:
      answers.append(f"{url}: {answer}")
      continue
    if digest == file.sha256:
      _publish(part, target)
      discard(part)
      changed.unlink(missing_ok=True)
      return
    _set_aside(facts, file, part, changed)
    answers.append(f"{url}: another file, SHA-256 {digest}")
  if accept_changed and changed.exists():
    _publish(changed, target)
    return
  what, error = file.filename, RequestError
  if changed.exists():
    what, error = f"{what}, only a file of the same shape or pixel counts", ChangedFile
    changed.unlink()
  raise error(
    f"scene {facts.name!r}: no host provided {what} ({'; '.join(answers)}); open {facts.page_url} in a "
    f"browser, download {file.filename} and put it into {data_dir}"
  )


def _transfer_with_retries(
  url: str, expected: str, part: Path, limits: Limits, opener: urllib.request.OpenerDirector
) -> str:
  """Asks one host until `part` is complete and returns its SHA-256; gives up after repeated failures."""
  failures, furthest = 0, _size(part)
  while True:
    held = _size(part)
    try:
      digest = transfer(url, part, limits, opener)
      if digest == expected or not held:
        return digest
      discard(part)
      raise Interrupted("the resumed transfer does not match the file's SHA-256")
    except Interrupted as failure:
      failures = 1 if _size(part) - furthest >= limits.worthwhile else failures + 1
      furthest = max(furthest, _size(part))
      if failures == limits.attempts:
        raise Refused(f"{failure} ({failures} attempts)") from failure
      time.sleep(max(limits.back_off * 2 ** (failures - 1), failure.wait))


def _set_aside(facts: PublicScene, file: PublicFile, part: Path, changed: Path) -> None:
  """Keeps the first file with another SHA-256 but the scene's content; removes all others."""
  if not changed.exists():
    os.replace(part, changed)
    try:
      check_file_content(facts, file, changed)
    except RequestError:
      changed.unlink()
  discard(part)


def _publish(path: Path, target: Path) -> None:
  """Renames a complete file durably: after a power cut, it is there as a whole or not at all."""
  sync(path)
  os.replace(path, target)
  sync(target.parent)


def _size(path: Path) -> int:
  return path.stat().st_size if path.exists() else 0

"""SHA-256 of a finished run's results, in the format of `sha256sum`, and the check against it."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory
from mtl_hsi.storage.whole_files import reason

NAME = "SHA256SUMS"

# Bytes that a byte of the list, an empty line at worst, can become.
_RATIO = 16
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def text(directory: Path, names: Iterable[str], contents: Mapping[str, bytes] = {}) -> bytes:
  """What `sha256sum` would print, so that `sha256sum -c SHA256SUMS` can be run in the directory.

  Args:
    directory: of the files.
    names: their paths, from the directory.
    contents: of further files that are not written yet, by their paths.

  Raises:
    RequestError: a file cannot be read.
  """
  digests = {name: _digest_of(directory / name) for name in names}
  digests |= {name: _digest(content) for name, content in contents.items()}
  return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def read(directory: Path, name: str) -> bytes:
  """Content of one result of a finished run.

  Runs of versions that left no file of sums are read as they are.

  Raises:
    OSError: it cannot be read.
    RequestError: it is not what the run wrote or does not fit into memory, or the file of sums is missing.
  """
  return _content(directory, name, _listing(directory))


def check(directory: Path) -> None:
  """Compares all results of a finished run with what it wrote.

  Raises:
    RequestError: one is missing or damaged.
  """
  listing = _listing(directory)
  for name in listing:
    try:
      _content(directory, name, listing)
    except FileNotFoundError as error:
      raise RequestError(_damage(directory, name, "missing")) from error
    except OSError as error:
      raise RequestError(f"cannot read {directory / name}: {error.strerror}") from error


def _content(directory: Path, name: str, listing: Mapping[str, str]) -> bytes:
  memory.check_file(directory / name, 1)
  content = (directory / name).read_bytes()
  digest = _digest(content)
  if listing.get(name, digest) != digest:
    raise RequestError(_damage(directory, name, "damaged"))
  return content


def _listing(directory: Path) -> dict[str, str]:
  """Digests by path; of none where the run is of a version that left none, or is not finished."""
  file = directory / NAME
  try:
    memory.check_file(file, _RATIO)
    lines = file.read_text("utf-8", "replace").splitlines()
  except FileNotFoundError as error:
    if _had_sums(directory):
      raise RequestError(_damage(directory, NAME, "missing")) from error
    return {}
  except OSError as error:
    raise RequestError(f"cannot read {file}: {error.strerror}") from error
  found = [_LINE.fullmatch(line) for line in lines]
  digests = {match[2]: match[1] for match in found if match}
  # The last one; a file that was cut lacks it.
  if not all(found) or "metrics.json" not in digests or not all(map(_lies_within, digests)):
    raise RequestError(_damage(directory, NAME, "damaged"))
  return digests


def _lies_within(name: str) -> bool:
  """Whether a path leads to somewhere below the directory that it starts from."""
  path = PurePosixPath(name)
  return "\0" not in name and not path.is_absolute() and ".." not in path.parts


def _had_sums(directory: Path) -> bool:
  """Whether a run has finished here that left a file of sums, as all do that tell their version."""
  try:
    told = json.loads((directory / "environment.json").read_bytes())
  except (OSError, ValueError, RecursionError):
    return False
  return isinstance(told, dict) and "version" in told and (directory / "metrics.json").exists()


def _damage(directory: Path, name: str, what: str) -> str:
  problem = f"{directory / name} is {what}"
  if what == "damaged" and name != NAME:
    problem += f": its SHA-256 is not the one in {NAME}"
  if name == "config.json":
    return f"{problem}; restore it from a copy, or start the run anew in another --workdir"
  deleted = "metrics.json" if name == "metrics.json" or what == "missing" else f"{name} and metrics.json"
  return (
    f"{problem}; delete {deleted} there and give the run's command again, which makes anew what is not there "
    "from the checkpoints"
  )


def _digest(content: bytes) -> str:
  return hashlib.sha256(content).hexdigest()


def _digest_of(file: Path) -> str:
  """Without the whole of it in memory."""
  try:
    with open(file, "rb") as content:
      return hashlib.file_digest(content, "sha256").hexdigest()
  except OSError as error:
    raise RequestError(f"cannot read {file}: {reason(error)}") from error

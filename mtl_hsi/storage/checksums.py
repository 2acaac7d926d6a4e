"""SHA-256 checksums: of one file, and of the results of a finished run in the format of `sha256sum`."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory
from mtl_hsi.storage.atomic_files import reason

NAME = "SHA256SUMS"

# Bytes of memory per byte of the list; the worst case is empty lines.
_MEMORY_RATIO = 16
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def sha256(path: Path) -> str:
  """Returns the hexadecimal digest of a file, which need not fit into memory.

  Raises:
    OSError: the file cannot be read.
  """
  with open(path, "rb") as file:
    return hashlib.file_digest(file, "sha256").hexdigest()


def listing(directory: Path, names: Iterable[str], contents: Mapping[str, bytes] = {}) -> bytes:
  """Returns the output of `sha256sum`, which `sha256sum -c SHA256SUMS` checks in the directory.

  Args:
    directory: directory of the files.
    names: paths of the files, relative to the directory.
    contents: contents of files that are not written yet, by path.

  Raises:
    RequestError: a file cannot be read.
  """
  digests = {}
  for name in names:
    try:
      digests[name] = sha256(directory / name)
    except OSError as error:
      raise RequestError(f"cannot read {directory / name}: {reason(error)}") from error
  digests |= {name: digest(content) for name, content in contents.items()}
  return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def read_verified(directory: Path, name: str) -> bytes:
  """Returns the content of a result of a run, which must match the run's checksums if the run is finished.

  Raises:
    OSError: the file cannot be read.
    RequestError: the file has changed since it was written or does not fit into memory, or SHA256SUMS is
      missing.
  """
  return _content(directory, name, _digests(directory))


def verify(directory: Path) -> None:
  """Compares all results of a finished run with its checksums.

  Raises:
    RequestError: a result is missing or damaged.
  """
  digests = _digests(directory)
  for name in digests:
    try:
      # Rasters may be large: the file is read in parts, and must only be a file.
      memory.check_file(directory / name, 0)
      if sha256(directory / name) != digests[name]:
        raise RequestError(_damage(directory, name, "damaged"))
    except FileNotFoundError as error:
      raise RequestError(_damage(directory, name, "missing")) from error
    except OSError as error:
      raise RequestError(f"cannot read {directory / name}: {reason(error)}") from error


def _content(directory: Path, name: str, digests: Mapping[str, str]) -> bytes:
  memory.check_file(directory / name, 1)
  content = (directory / name).read_bytes()
  found = digest(content)
  if digests.get(name, found) != found:
    raise RequestError(_damage(directory, name, "damaged"))
  return content


def _digests(directory: Path) -> dict[str, str]:
  """Returns the digest of each result by path; empty if the run is not finished."""
  file = directory / NAME
  try:
    memory.check_file(file, _MEMORY_RATIO)
    lines = file.read_text("utf-8", "replace").splitlines()
  except FileNotFoundError as error:
    if (directory / "metrics.json").exists():
      raise RequestError(_damage(directory, NAME, "missing")) from error
    return {}
  except OSError as error:
    raise RequestError(f"cannot read {file}: {reason(error)}") from error
  digests = _parse_lines(lines)
  # metrics.json is the last entry; a truncated file lacks it.
  if digests is None or "metrics.json" not in digests:
    raise RequestError(_damage(directory, NAME, "damaged"))
  return digests


def parse(content: bytes) -> dict[str, str]:
  """Returns the digests in the content of a `SHA256SUMS`, by path.

  Raises:
    ValueError: it is not a list of checksums.
  """
  digests = _parse_lines(content.decode("utf-8", "replace").splitlines())
  if digests is None:
    raise ValueError(f"{NAME} is not a list of checksums")
  return digests


def _parse_lines(lines: Iterable[str]) -> dict[str, str] | None:
  found = [_LINE.fullmatch(line) for line in lines]
  digests = {match[2]: match[1] for match in found if match}
  return digests if all(found) and all(map(_is_inside, digests)) else None


def _is_inside(name: str) -> bool:
  path = PurePosixPath(name)
  return "\0" not in name and not path.is_absolute() and ".." not in path.parts


def _damage(directory: Path, name: str, what: str) -> str:
  problem = f"{directory / name} is {what}"
  if what == "damaged" and name != NAME:
    problem += f": its SHA-256 is not the one in {NAME}"
  if name == "config.json":
    return f"{problem}; restore it from a copy, or start the run again in another --workdir"
  deleted = "metrics.json" if name == "metrics.json" or what == "missing" else f"{name} and metrics.json"
  return (
    f"{problem}; delete {deleted} there and repeat the run's command, which restores it from the checkpoints"
  )


def digest(content: bytes) -> str:
  """Returns the hexadecimal SHA-256 of a content."""
  return hashlib.sha256(content).hexdigest()

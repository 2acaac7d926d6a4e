"""SHA-256 of a finished run's results, in the format of `sha256sum`, and the check against it."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from mtl_hsi.errors import RequestError

NAME = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def text(directory: Path, names: list[str], contents: Mapping[str, bytes]) -> bytes:
  """What `sha256sum` would print, so that `sha256sum -c SHA256SUMS` can be run in the directory.

  Args:
    directory: of the run.
    names: paths of files, from the directory.
    contents: of further files that are not written yet, by their paths.

  Raises:
    OSError: a file cannot be read.
  """
  digests = {name: _digest((directory / name).read_bytes()) for name in names}
  digests |= {name: _digest(content) for name, content in contents.items()}
  return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def read(directory: Path, name: str) -> bytes:
  """Content of one result of a finished run.

  Runs without a file of sums, as they once were, are read as they are.

  Raises:
    OSError: it cannot be read.
    RequestError: it is not what the run wrote.
  """
  content = (directory / name).read_bytes()
  if _listing(directory).get(name, _digest(content)) != _digest(content):
    raise RequestError(_damage(directory, name, "damaged"))
  return content


def check(directory: Path) -> None:
  """Compares all results of a finished run with what it wrote.

  Raises:
    RequestError: one is missing or damaged.
  """
  for name in _listing(directory):
    try:
      read(directory, name)
    except FileNotFoundError as error:
      raise RequestError(_damage(directory, name, "missing")) from error
    except OSError as error:
      raise RequestError(f"cannot read {directory / name}: {error.strerror}") from error


def _listing(directory: Path) -> dict[str, str]:
  """Digests by path; of none where the run has left none."""
  file = directory / NAME
  try:
    lines = file.read_text("utf-8", "replace").splitlines()
  except FileNotFoundError:
    return {}
  except OSError as error:
    raise RequestError(f"cannot read {file}: {error.strerror}") from error
  found = [_LINE.fullmatch(line) for line in lines]
  digests = {match[2]: match[1] for match in found if match}
  # The last one; a file that was cut lacks it.
  if not all(found) or "metrics.json" not in digests:
    raise RequestError(_damage(directory, NAME, "damaged"))
  return digests


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

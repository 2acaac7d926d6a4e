"""JSON files of a run, read with guards against damage."""

import contextlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import checksums, memory
from mtl_hsi.storage.atomic_files import reason

# Errors that values of a wrong type or shape cause. Brackets nested too deep are a RecursionError.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_MALFORMED_ARCHIVE = (EOFError, zipfile.BadZipFile, zlib.error)


def read_json(path: Path, *, schema: int | None = None, verified: bool = False) -> dict:
  """Returns the JSON object in a file of a run.

  Args:
    path: the file.
    schema: expected value of the key "schema"; None for files without one.
    verified: whether the content must match the SHA256SUMS beside the file, if there are any.

  Raises:
    FileNotFoundError, NotADirectoryError: the file does not exist.
    RequestError: the file cannot be read, does not fit into memory, is damaged, or has another schema.
  """
  try:
    memory.check_file(path, memory.JSON_RATIO)
    content = checksums.read_verified(path.parent, path.name) if verified else path.read_bytes()
  except (FileNotFoundError, NotADirectoryError):
    raise
  except OSError as error:
    raise _unreadable(path, error) from error
  return parse_json(content, path, schema, "run it again with this version, in a new --workdir")


def parse_json(content: bytes, path: Path, schema: int | None, remedy: str) -> dict:
  """Returns the JSON object in the content of a file of a run; see `read_json`.

  Args:
    content: of the file.
    path: of the file, for messages.
    schema: expected value of the key "schema"; None for files without one.
    remedy: what to do if the schema differs.

  Raises:
    RequestError: it is damaged, or has another schema.
  """
  with well_formed(path):
    value = json.loads(content)
    if not isinstance(value, dict):
      raise TypeError("not a JSON object")
  if schema is not None and value.get("schema") != schema:
    found = f"schema {value['schema']!r}" if "schema" in value else "no schema number"
    raise RequestError(
      f"{path.absolute()} was written by another version of mtl_hsi ({found}, expected {schema}); {remedy}"
    )
  return value


@contextlib.contextmanager
def well_formed(path: Path) -> Iterator[None]:
  """Turns the errors that a malformed file causes in the block into a RequestError.

  Args:
    path: the file, for the message.

  Raises:
    RequestError: the file cannot be read, or a run does not write such a file.
  """
  try:
    yield
  except OSError as error:
    raise _unreadable(path, error) from error
  except (*_MALFORMED, *_MALFORMED_ARCHIVE) as error:
    raise RequestError(
      f"{path.absolute()} is not what a run writes ({type(error).__name__}: {error}); restore it, choose "
      "another run, or run this one again"
    ) from error


def _unreadable(path: Path, error: OSError) -> RequestError:
  return RequestError(f"cannot read {path}: {reason(error)}")

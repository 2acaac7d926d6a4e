"""What stands in the files of a run: refused where no run writes such."""

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.storage.whole_files import reason

# What values of a wrong type or shape end in; brackets nested too deep are a RecursionError.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_MALFORMED_ARCHIVE = (EOFError, zipfile.BadZipFile, zlib.error)


@contextlib.contextmanager
def values_of(path: Path) -> Iterator[None]:
  """Turns what a malformed file makes of a block that reads it into a RequestError.

  Args:
    path: of the file, for the message.

  Raises:
    RequestError: the file cannot be read, or is not what a run writes.
  """
  try:
    yield
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}") from error
  except (*_MALFORMED, *_MALFORMED_ARCHIVE) as error:
    raise RequestError(
      f"{path.absolute()} is not what a run writes ({type(error).__name__}: {error}); restore it, name "
      "another run or do this one anew"
    ) from error

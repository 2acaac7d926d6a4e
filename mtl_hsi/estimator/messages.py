"""How errors name keys in Python: as arguments, not as flags of launch.py."""

import contextlib
from collections.abc import Iterator

from mtl_hsi.errors import RequestError


@contextlib.contextmanager
def named_as_arguments() -> Iterator[None]:
  """Errors in the block name arguments and keys of `options`; see `runtime/spelling.py` for the command."""
  try:
    yield
  except RequestError as error:
    error.args = (str(error).replace("--config.", "").replace("--workdir", "directory"),)
    raise

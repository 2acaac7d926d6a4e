"""How errors and warnings name keys in Python: as arguments, not as flags of launch.py."""

import contextlib
import logging
import re
from collections.abc import Iterator

from absl import logging as absl_logging

from mtl_hsi.errors import RequestError

# The part of a flag before its key. Options of a scene are arguments of `Model.fit`.
_FLAG = re.compile(r"--config\.(files\.[\w<>]+\.)?")


@contextlib.contextmanager
def named_as_arguments() -> Iterator[None]:
  """Replaces flags by arguments in errors and warnings of the block.

  `runtime/spelling.py` replaces them by options of the command mtl-hsi.
  """
  logger = absl_logging.get_absl_logger()
  nested = _rename in logger.filters
  logger.addFilter(_rename)
  try:
    yield
  except RequestError as error:
    error.args = (_renamed(str(error)),)
    raise
  finally:
    if not nested:
      logger.removeFilter(_rename)


def _rename(record: logging.LogRecord) -> bool:
  record.msg, record.args = _renamed(record.getMessage()), ()
  return True


def _renamed(text: str) -> str:
  return _FLAG.sub("", text).replace("--workdir", "directory")

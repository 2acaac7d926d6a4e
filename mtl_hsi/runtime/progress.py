"""Progress bars for terminals and log files."""

import contextlib
import contextvars
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mtl_hsi.runtime import processes

if TYPE_CHECKING:
  import tqdm

_HIDDEN = contextvars.ContextVar("hidden", default=False)
# Seconds between two lines of a bar in a log file.
_LOG_SECONDS = 30


@contextlib.contextmanager
def hidden() -> Iterator[None]:
  """Shows no bars in the block."""
  token = _HIDDEN.set(True)
  try:
    yield
  finally:
    _HIDDEN.reset(token)


def bar(description: str, total: int, unit: str, initial: int = 0) -> "tqdm.tqdm":
  """Returns a progress bar with the remaining time, which only the first process shows.

  The bar is on stderr, since stdout is for results. It is updated ten times a second on a terminal and every
  30 seconds in a log file. Nothing is shown if an earlier start has already completed it.
  """
  import tqdm

  interval = 0.1 if sys.stderr.isatty() else _LOG_SECONDS
  return tqdm.tqdm(
    desc=description,
    total=total,
    unit=unit,
    initial=initial,
    dynamic_ncols=True,
    leave=True,
    mininterval=interval,
    disable=_HIDDEN.get() or not processes.is_first() or initial >= total > 0,
  )

"""Progress bars on a terminal and in a log file."""

import sys
from typing import TYPE_CHECKING

from mtl_hsi.runtime import processes

if TYPE_CHECKING:
  import tqdm

# Between two states of a bar in a log file.
_LOG_SECONDS = 30


def bar(what: str, total: int, unit: str, initial: int = 0) -> "tqdm.tqdm":
  """A bar with the remaining time; it goes to stderr, so that stdout keeps what is worth keeping.

  A log file gets a line of it now and then, a terminal ten a second; of several processes one shows it.
  """
  import tqdm

  interval = 0.1 if sys.stderr.isatty() else _LOG_SECONDS
  return tqdm.tqdm(
    desc=what,
    total=total,
    unit=unit,
    initial=initial,
    dynamic_ncols=True,
    leave=True,
    mininterval=interval,
    disable=not processes.is_first(),
  )

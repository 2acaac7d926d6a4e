"""Ctrl-C and SIGTERM: an end at once, or as soon as what is being done can be gone on with."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


class Terminated(KeyboardInterrupt):
  """SIGTERM has come, which schedulers such as SLURM send some seconds before they kill."""


def status(interrupt: KeyboardInterrupt) -> int:
  """The status to exit with, by the convention of shells: 128 and the signal's number."""
  return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
  """Lets SIGTERM raise Terminated within the block, as Ctrl-C raises KeyboardInterrupt."""
  before = signal.signal(signal.SIGTERM, _terminate)
  try:
    yield
  finally:
    signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
  """Holds Ctrl-C and SIGTERM back to the end of the block; a second one ends it at once.

  The block looks whether one has come and may leave by KeyboardInterrupt itself. A signal that would not
  raise is left alone, and so are all outside the main thread, where Python delivers none.

  Yields:
    Whether one has come, as a function.
  """
  came = []

  def note(number, frame):
    if came:
      handlers[number](number, frame)
    came.append(number)

  handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
  if threading.current_thread() is not threading.main_thread():
    handlers = {}
  handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
  for number in handlers:
    signal.signal(number, note)
  try:
    yield lambda: bool(came)
  except KeyboardInterrupt:
    if not came:
      raise
  finally:
    for number, handler in handlers.items():
      signal.signal(number, handler)
  if came:
    handlers[came[0]](came[0], None)


def _terminate(*_):
  raise Terminated

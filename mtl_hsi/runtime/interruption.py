"""Handling of Ctrl-C and SIGTERM, immediately or once the state of a run is saved."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


class Terminated(KeyboardInterrupt):
  """Raised by SIGTERM, which schedulers such as SLURM send some seconds before they kill a process."""


def status(interrupt: KeyboardInterrupt) -> int:
  """Returns the exit status by the convention of shells: 128 plus the number of the signal."""
  return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
  """Makes SIGTERM raise `Terminated` within the block, as Ctrl-C raises KeyboardInterrupt."""
  before = signal.signal(signal.SIGTERM, _terminate)
  try:
    yield
  finally:
    signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
  """Delays Ctrl-C and SIGTERM until the end of the block; a second signal takes effect immediately.

  The block can poll for a signal and raise KeyboardInterrupt itself. Signals whose handler is not a Python
  function are not delayed, and neither are signals outside the main thread, where Python delivers none.

  Yields:
    A function that returns whether a signal has been received.
  """
  received = []

  def note(number, frame):
    if received:
      handlers[number](number, frame)
    received.append(number)

  handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
  if threading.current_thread() is not threading.main_thread():
    handlers = {}
  handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
  for number in handlers:
    signal.signal(number, note)
  try:
    yield lambda: bool(received)
  except KeyboardInterrupt:
    if not received:
      raise
  finally:
    for number, handler in handlers.items():
      signal.signal(number, handler)
  if received:
    handlers[received[0]](received[0], None)


def _terminate(*_):
  raise Terminated

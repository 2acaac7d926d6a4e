"""Handling of Ctrl-C and SIGTERM, immediately or once the state of a run is saved."""

import _thread
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

# Seconds until a signal is sent again if Python has dropped its exception.
_AGAIN = 0.02


class Terminated(KeyboardInterrupt):
  """Raised by SIGTERM, which schedulers such as SLURM send some seconds before they kill a process."""


def status(interrupt: KeyboardInterrupt) -> int:
  """Returns the exit status by the convention of shells: 128 plus the number of the signal."""
  return 128 + _number(interrupt)


def end(interrupt: KeyboardInterrupt) -> NoReturn:
  """Ends the process with the exit status of a signal, after cleaning up and printing.

  If JAX has been used, the interpreter does not end in the usual way: JAX would crash if the signal came
  during a compilation. Processes that train together end in the usual way, since each has to inform the
  others.
  """
  jax = sys.modules.get("jax")
  if jax is None or jax.distributed.is_initialized():
    sys.exit(status(interrupt))
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(status(interrupt))


@contextlib.contextmanager
def signals_raise() -> Iterator[None]:
  """Makes SIGTERM raise `Terminated` within the block, as Ctrl-C raises KeyboardInterrupt.

  No signal is lost. Python prints and drops exceptions that are raised in a finaliser or in a callback of its
  garbage collection; JAX has such a callback. The signal is then repeated until it takes effect.
  """
  before, hook = signal.signal(signal.SIGTERM, _terminate), sys.unraisablehook

  def repeat_signals(ignored):
    if isinstance(ignored.exc_value, KeyboardInterrupt):
      _repeat(_number(ignored.exc_value))
    else:
      hook(ignored)

  sys.unraisablehook = repeat_signals
  try:
    yield
  finally:
    sys.unraisablehook = hook
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


def _number(interrupt: KeyboardInterrupt) -> signal.Signals:
  return signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT


def _repeat(number: signal.Signals) -> None:
  """Sends a signal a little later, when what cannot be interrupted is over."""
  timer = threading.Timer(_AGAIN, _thread.interrupt_main, [number])
  timer.daemon = True
  timer.start()


def _terminate(*_):
  raise Terminated

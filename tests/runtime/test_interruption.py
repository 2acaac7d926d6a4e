"""Ctrl-C and SIGTERM, immediate and delayed."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mtl_hsi.runtime import interruption
from mtl_hsi.runtime.interruption import Terminated


@pytest.fixture(autouse=True)
def handlers():
  """Installs the handlers of the command line; the test must leave the signals unchanged."""
  before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
  with interruption.signals_raise():
    yield
  assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_sigterm_raises():
  with pytest.raises(Terminated):
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
  ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_during_garbage_collection_is_not_lost(number, kind, capfd):
  def callback(phase, _info):
    if phase == "start" and not sent:
      sent.append(number)
      signal.raise_signal(number)

  def collect_and_work():
    gc.collect()
    time.sleep(10)

  sent = []
  gc.callbacks.append(callback)
  try:
    with pytest.raises(KeyboardInterrupt) as raised:
      collect_and_work()
  finally:
    gc.callbacks.remove(callback)
  assert (raised.type, sent) == (kind, [number])
  assert capfd.readouterr().err == ""


def test_other_errors_that_python_ignores_are_still_printed(monkeypatch):
  printed = []
  monkeypatch.setattr("sys.unraisablehook", printed.append)

  class Broken:
    def __del__(self):
      raise ZeroDivisionError

  with interruption.signals_raise():
    broken = Broken()
    del broken
  assert [ignored.exc_type for ignored in printed] == [ZeroDivisionError]


def block(*numbers, error=None):
  """Runs a block that receives signals and may then raise an error."""
  received = []
  with interruption.postponed() as interrupted:
    for number in numbers:
      signal.raise_signal(number)
      received.append(interrupted())
    if error:
      raise error
    assert received == [True], "the second signal did not end the block"


@pytest.mark.parametrize(
  ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_waits_for_the_end_of_the_block(number, kind):
  with pytest.raises(KeyboardInterrupt) as raised:
    block(number)
  assert raised.type is kind


def test_a_block_that_raises_itself_ends_with_the_error_of_the_signal():
  with pytest.raises(Terminated):
    block(signal.SIGTERM, error=KeyboardInterrupt())


def test_a_second_signal_ends_the_block_at_once():
  with pytest.raises(Terminated):
    block(signal.SIGTERM, signal.SIGTERM)


def test_an_error_in_the_block_is_not_hidden():
  with pytest.raises(ZeroDivisionError):
    block(signal.SIGTERM, error=ZeroDivisionError())


def test_signals_that_do_not_raise_are_left_alone():
  before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
  try:
    with interruption.postponed():
      assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
  finally:
    signal.signal(signal.SIGTERM, before)


def test_other_threads_are_never_interrupted():
  found = []

  def work():
    with interruption.postponed() as interrupted:
      found.append(interrupted())

  thread = threading.Thread(target=work)
  thread.start()
  thread.join()
  assert found == [False]


_PROGRAM = """
import atexit, sys
from mtl_hsi.runtime import interruption
if sys.argv[1] == "True": import jax
atexit.register(print, "ended by the interpreter")
print("cleaned up")
interruption.end(interruption.Terminated())
"""


@pytest.mark.parametrize("with_jax", [True, False])
def test_the_interpreter_ends_as_usual_unless_jax_could_crash(with_jax):
  command = [sys.executable, "-c", _PROGRAM, str(with_jax)]
  outcome = subprocess.run(command, capture_output=True, text=True)
  assert outcome.returncode == 143
  assert outcome.stdout.splitlines() == ["cleaned up", "ended by the interpreter"][: 2 - with_jax]

"""Time that XLA spends compiling."""

import contextlib
import threading
import time
from collections.abc import Iterator

import jax

_COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"


class CompileClock:
  """Time spent in XLA's compiler, including reads from the compilation cache.

  Attributes:
    compilations: number of programs.
  """

  def __init__(self):
    self.compilations = 0
    # Begin and end of the intervals in which something was compiled, disjoint and in order.
    self._spans: list[tuple[float, float]] = []
    self._lock = threading.Lock()

  @property
  def seconds(self) -> float:
    """Wall time during which at least one program was compiled."""
    with self._lock:
      return sum(end - begin for begin, end in self._spans)

  def add(self, seconds: float) -> None:
    """Adds a compilation of this duration that ends now; compilations may overlap."""
    with self._lock:
      end = time.monotonic()
      begin = end - seconds
      # The compilation that ends last may have begun before all others.
      while self._spans and self._spans[-1][1] >= begin:
        begin = min(begin, self._spans.pop()[0])
      self._spans.append((begin, end))
      self.compilations += 1


@contextlib.contextmanager
def compile_clock() -> Iterator[CompileClock]:
  """Yields a clock that measures JAX's compilations until the end of the block."""
  clock = CompileClock()

  def listen(event: str, seconds: float, **_):
    if event == _COMPILE_EVENT:
      clock.add(seconds)

  jax.monitoring.register_event_duration_secs_listener(listen)
  try:
    yield clock
  finally:
    jax.monitoring.unregister_event_duration_listener(listen)

"""Time that XLA spends compiling."""

import jax
import numpy as np
import pytest

from mtl_hsi.runtime import compile_clock


def test_the_clock_counts_compilations_inside_the_block():
  x = np.arange(3.0)
  double, triple = jax.jit(lambda x: 2 * x), jax.jit(lambda x: 3 * x)
  with compile_clock.compile_clock() as clock:
    double(x)
    double(x)
  assert clock.compilations == 1
  assert 0 < clock.seconds < 60
  seconds = clock.seconds
  triple(x)
  assert (clock.compilations, clock.seconds) == (1, seconds)


def test_compilations_side_by_side_count_once(monkeypatch):
  clock = compile_clock.CompileClock()
  # The second began before the first, the third after; then one alone.
  for end, seconds in ((10, 4), (12, 8), (13, 2), (20, 5)):
    monkeypatch.setattr(compile_clock.time, "monotonic", lambda end=end: float(end))
    clock.add(seconds)
  assert (clock.seconds, clock.compilations) == (9 + 5, 4)


def test_a_clock_stops_when_the_block_fails():
  with pytest.raises(ZeroDivisionError), compile_clock.compile_clock() as clock:
    raise ZeroDivisionError
  jax.jit(lambda x: 4 * x)(np.arange(3.0))
  assert clock.compilations == 0

"""Draws units from a frame: stratified random, simple random or systematic, in random order."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.assessment.frame import OUTSIDE, Frame
from mtl_hsi.errors import RequestError


class Drawn(NamedTuple):
  """Units that were drawn, in the order in which to label them, n of them.

  Attributes:
    rows: row of the upper left pixel of each unit `[n]`.
    columns: its column `[n]`.
    strata: stratum of each unit `[n]`.
    classes: prevailing class of each unit in the map `[n]`.
    areas: area of each unit in hectares or pixels `[n]`.
  """

  rows: np.ndarray
  columns: np.ndarray
  strata: np.ndarray
  classes: np.ndarray
  areas: np.ndarray


def draw_random(frame: Frame, units: Mapping[int, int], sizes: Mapping[int, int], seed: int) -> Drawn:
  """Draws at random without replacement from each stratum.

  The order is random in each stratum, and mixes the strata so that the first units, as many as you like,
  contain nearly the same share of each stratum's sample: labelling can stop anywhere.

  Args:
    frame: the units.
    units: number of units in each stratum.
    sizes: number to draw from each stratum.
    seed: seed of the draw.
  """
  generator = np.random.default_rng(seed)
  picked = {
    stratum: _Picker(generator.choice(units[stratum], size, replace=False)) for stratum, size in sizes.items()
  }
  keys = {
    stratum: (np.arange(size) + generator.random(size)) / max(size, 1) for stratum, size in sizes.items()
  }
  found = []
  for strip in frame.strips():
    flat = strip.strata.ravel()
    for stratum, picker in picked.items():
      order, places = picker.next(np.flatnonzero(flat == stratum))
      found.append((keys[stratum][order], *_units(frame, strip, places)))
  return _sorted(found)


class _Picker:
  """Picks the units with certain numbers from a stratum that is passed strip by strip."""

  def __init__(self, numbers: np.ndarray):
    self._order = np.argsort(numbers)
    self._numbers = numbers[self._order]
    self._passed = 0

  def next(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the positions in the order of labelling, and the places of the units, of the next strip."""
    start, stop = np.searchsorted(self._numbers, [self._passed, self._passed + len(places)])
    inside = self._numbers[start:stop] - self._passed
    self._passed += len(places)
    return self._order[start:stop], places[inside]


def draw_systematic(frame: Frame, units: int, size: int, seed: int) -> tuple[Drawn, tuple[int, int]]:
  """Draws every a-th unit of every b-th row from a random start, in random order.

  Args:
    frame: the units.
    units: number of units in the target area.
    size: number to draw; there are about as many.
    seed: seed of the draw.

  Returns:
    The units, and the steps in rows and columns.

  Raises:
    RequestError: no unit of the target area is on the grid.
  """
  generator = np.random.default_rng(seed)
  steps = _steps(units, size)
  starts = [int(generator.integers(step)) for step in steps]
  found = []
  for strip in frame.strips():
    rows = np.arange(strip.row, strip.row + len(strip.strata)) % steps[0] == starts[0]
    columns = np.arange(strip.strata.shape[1]) % steps[1] == starts[1]
    places = np.flatnonzero((strip.strata != OUTSIDE) & rows[:, None] & columns)
    found.append((generator.random(len(places)), *_units(frame, strip, places)))
  drawn = _sorted(found)
  if len(drawn.rows) < 2:
    raise RequestError(
      f"the systematic sample with steps of {steps[0]} x {steps[1]} units has {len(drawn.rows)} units in the "
      "target area; expected 2 or more: increase --config.size or choose another --config.seed"
    )
  return drawn, steps


def _steps(units: int, size: int) -> tuple[int, int]:
  """Returns equal steps, or steps that differ by 1, that give `size` units or a few more."""
  step = max(1, int((units / size) ** 0.5))
  pairs = [(step, step), (step, step + 1), (step + 1, step + 1)]
  return max((pair for pair in pairs if pair[0] * pair[1] * size <= units), default=(1, 1))


def _units(frame, strip, places):
  rows, columns = np.unravel_index(places, strip.strata.shape)
  of_unit = (values.ravel()[places] for values in (strip.strata, strip.classes, strip.areas))
  return (rows + strip.row) * frame.side, columns * frame.side, *of_unit


def _sorted(found) -> Drawn:
  keys, *columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
  order = np.argsort(keys, kind="stable")
  return Drawn(*(column[order] for column in columns))

"""Reliability diagrams as SVG paths: accuracy over confidence, before and after the temperature."""

import dataclasses
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 320, 300  # the drawing, in SVG units
LEFT, RIGHT, TOP, BOTTOM = 52, 308, 8, 264  # the square frame within it
_SMALLEST, _LARGEST = 2.0, 5.5  # radius of the points
_TICKS = (0, 20, 40, 60, 80, 100)


@dataclasses.dataclass(frozen=True)
class Series:
  """The bins of one reliability diagram, in SVG units.

  Attributes:
    line: SVG path through the bins.
    points: x, y and radius of each bin; the area grows with the number of pixels.
  """

  line: str
  points: list[tuple[float, float, float]]


@dataclasses.dataclass(frozen=True)
class Diagram:
  """Both series of a scene on the same axes.

  Attributes:
    before: without temperature.
    after: with temperature.
    across: x and label of the ticks below the frame, in %.
    up: y and label of the ticks beside it.
  """

  before: Series
  after: Series
  across: list[tuple[float, str]]
  up: list[tuple[float, str]]


def diagram(calibration: Mapping) -> Diagram:
  """Returns the diagram of the `reliability_before` and `reliability_after` of `metrics.json`."""
  before, after = calibration["reliability_before"], calibration["reliability_after"]
  most = max((entry["pixels"] for entry in [*before, *after]), default=1)
  return Diagram(
    before=_series(before, most),
    after=_series(after, most),
    across=[(_x(tick / 100), str(tick)) for tick in _TICKS],
    up=[(_y(tick / 100), str(tick)) for tick in _TICKS],
  )


def _series(bins: Sequence[Mapping], most: int) -> Series:
  points = [
    (
      _x(entry["confidence"]),
      _y(entry["accuracy"]),
      round(_SMALLEST + (_LARGEST - _SMALLEST) * (entry["pixels"] / most) ** 0.5, 1),
    )
    for entry in bins
  ]
  return Series("M" + "L".join(f"{x},{y}" for x, y, _ in points) if points else "", points)


def _x(share: float) -> float:
  return round(LEFT + (RIGHT - LEFT) * share, 1)


def _y(share: float) -> float:
  return round(BOTTOM - (BOTTOM - TOP) * share, 1)

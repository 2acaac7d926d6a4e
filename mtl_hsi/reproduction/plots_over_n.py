"""Geometry of the plots of accuracy over training samples per class, which the page draws as SVG."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

WIDTH, HEIGHT = 300, 196  # the drawing, in SVG units
LEFT, RIGHT, TOP, BOTTOM = 40, 292, 8, 156  # the frame within it
_MARGIN = 14  # between the sides of the frame and the outermost dots
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)  # possible distances of the accuracy ticks
_MOST_STEPS = 6

Series = Mapping[int, tuple[float, float]]
"""Mean and standard deviation of the overall accuracy in %, by samples per class."""


@dataclasses.dataclass(frozen=True)
class Trace:
  """One series in SVG units, with a gap where a row of the table is missing.

  Attributes:
    line: SVG path of the means.
    band: SVG path around mean ± standard deviation.
    dots: x and y of every mean.
  """

  line: str
  band: str
  dots: list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Plot:
  """The plot of one column of a table.

  Attributes:
    ours: our series.
    paper: the series of the letter.
    samples: x and label of the ticks below the frame.
    accuracies: y and label of the ticks beside the frame.
  """

  ours: Trace
  paper: Trace
  samples: list[tuple[float, str]]
  accuracies: list[tuple[float, str]]


def plots(samples: Sequence[int], columns: Sequence[tuple[Series, Series]]) -> list[Plot]:
  """Returns the plot of every column, all on the same axes.

  Args:
    samples: samples per class of the rows of the table, ascending; a series may lack some.
    columns: our series and that of the letter, for every column.
  """
  ticks = _accuracies(columns)
  low, high = ticks[0], ticks[-1]

  def x(n):
    share = (n - samples[0]) / (samples[-1] - samples[0]) if len(samples) > 1 else 0.5
    return LEFT + _MARGIN + share * (RIGHT - LEFT - 2 * _MARGIN)

  def y(accuracy):
    return BOTTOM - (min(max(accuracy, low), high) - low) / (high - low) * (BOTTOM - TOP)

  def trace(series):
    return _trace([(x(n), *_heights(*series[n], y)) if n in series else None for n in samples])

  below = [(x(n), str(n)) for n in samples]
  beside = [(y(accuracy), f"{accuracy:g}") for accuracy in ticks]
  return [Plot(trace(ours), trace(paper), below, beside) for ours, paper in columns]


def _accuracies(columns: Sequence[tuple[Series, Series]]) -> list[float]:
  """Returns round numbers, in 0 to 100, that enclose every mean ± standard deviation."""
  values = [pair for both in columns for series in both for pair in series.values()]
  low = max(min((mean - std for mean, std in values), default=0.0), 0.0)
  high = min(max((mean + std for mean, std in values), default=100.0), 100.0)
  step = next((step for step in _STEPS if high - low <= (_MOST_STEPS - 1) * step), _STEPS[-1])
  # Rounded, because 97.6 / 0.1 is a little less than 976.
  first, last = math.floor(round(low / step, 6)), math.ceil(round(high / step, 6))
  if first == last:
    first, last = (first, last + 1) if high < 100 else (first - 1, last)
  return [round(step * i, 1) for i in range(first, last + 1)]


def _heights(mean: float, std: float, y: Callable[[float], float]) -> tuple[float, float, float]:
  return y(mean), y(mean + std), y(mean - std)


def _trace(points: Sequence[tuple[float, float, float, float] | None]) -> Trace:
  """Returns the series of x and the y of mean, upper and lower edge of every row; None makes a gap."""
  parts, part = [], []
  for point in [*points, None]:
    if point is not None:
      part.append(point)
    elif part:
      parts.append(part)
      part = []
  edges = [[(x, top) for x, _, top, _ in p] + [(x, low) for x, _, _, low in reversed(p)] for p in parts]
  return Trace(
    line=" ".join(_path([(x, mean) for x, mean, _, _ in part]) for part in parts),
    band=" ".join(_path(edge) + "Z" for edge in edges),
    dots=[(x, mean) for part in parts for x, mean, _, _ in part],
  )


def _path(points: Sequence[tuple[float, float]]) -> str:
  return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)

"""The histogram of the confidence of a map, as SVG shapes."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

_BINS = 20
# Finer bins, from which the median is read.
_FINE = 200
_WIDTH, _HEIGHT = 520, 240  # the drawing, in SVG units
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 508, 10, 200  # the frame within it
_TICKS = (0, 20, 40, 60, 80, 100)
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MOST_STEPS = 5


@dataclasses.dataclass(frozen=True)
class Histogram:
  """Bars and axes in SVG units.

  Attributes:
    bars: `x`, `y`, `width`, `height` and `text` of every bin that has pixels.
    across: x and label of the ticks below the frame, in %.
    up: y and label of the ticks beside it, in % of the pixels.
    median: the largest confidence that at least half of the pixels have, in whole %.
    low_share: share of the pixels with a confidence below 0.5.
    width: of the drawing; likewise height.
    left: of the frame; likewise right, top and bottom.
  """

  bars: Sequence[Mapping]
  across: Sequence[tuple[float, str]]
  up: Sequence[tuple[float, str]]
  median: int
  low_share: float
  width: int = _WIDTH
  height: int = _HEIGHT
  left: int = _LEFT
  right: int = _RIGHT
  top: int = _TOP
  bottom: int = _BOTTOM


def histogram(probability: np.ndarray, measured: np.ndarray) -> Histogram | None:
  """Returns the histogram of confidences from 0 to 1 `[H, W]`, or None if no pixel has a measurement.

  Args:
    probability: of the predicted classes, `[H, W]`.
    measured: which pixels have a measurement, bool `[H, W]`.
  """
  counts = np.zeros(_FINE, np.int64)
  # Row by row, so that no large map is copied as 8-byte numbers.
  for row, valid in zip(probability, measured, strict=True):
    positions = (_FINE * np.asarray(row, np.float32)[valid]).astype(int).clip(0, _FINE - 1)
    counts += np.bincount(positions, minlength=_FINE)
  if not counts.any():
    return None
  shares = counts / counts.sum()
  bins = shares.reshape(_BINS, -1).sum(axis=1).tolist()
  step = next((step for step in _STEPS if max(bins) <= _MOST_STEPS * step), _STEPS[-1])
  top = step * int(np.ceil(max(bins) / step - 1e-9))
  # From above: the largest confidence that at least half of the pixels have.
  median = _FINE - 1 - int(np.searchsorted(np.cumsum(shares[::-1]), 0.5))
  return Histogram(
    bars=[_bar(position, share, top) for position, share in enumerate(bins) if share],
    across=[(_x(tick / 100), str(tick)) for tick in _TICKS],
    up=[(_y(number * step, top), f"{100 * number * step:g}") for number in range(round(top / step) + 1)],
    median=round(100 * median / _FINE),
    low_share=float(shares[: _FINE // 2].sum()),
  )


def _bar(position: int, share: float, top: float) -> dict:
  low, high = position / _BINS, (position + 1) / _BINS
  return {
    "x": round(_x(low) + 0.5, 1),
    "y": _y(share, top),
    "width": round(_x(high) - _x(low) - 1, 1),
    "height": round(_BOTTOM - _y(share, top), 1),
    "text": f"{100 * low:.0f} to {100 * high:.0f}%: {100 * share:.1f}% of the map",
  }


def _x(confidence: float) -> float:
  return round(_LEFT + (_RIGHT - _LEFT) * confidence, 1)


def _y(share: float, top: float) -> float:
  return round(_BOTTOM - (_BOTTOM - _TOP) * share / top, 1)

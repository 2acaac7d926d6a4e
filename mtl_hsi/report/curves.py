"""Training loss curves as SVG paths."""

import dataclasses
from collections.abc import Sequence

import numpy as np

WIDTH, HEIGHT = 480, 240  # the drawing, in SVG units
LEFT, RIGHT, TOP, BOTTOM = 48, 470, 26, 200  # the frame within it
_SMALLEST = 1e-6  # losses below are drawn at this height
_MOST_TICKS = 8


@dataclasses.dataclass(frozen=True)
class Curve:
  """One scene's loss over the epochs on a logarithmic axis, in SVG units.

  Attributes:
    line: SVG path of the mean over replicas.
    dots: x and y of every mean without neighbours, which a path would not show.
    band: SVG path around the smallest and largest loss of the replicas.
    epochs: x and label of the ticks below the frame.
    losses: y and label of the ticks beside it.
    ends: x of the end of each phase.
    last: mean loss in the last epoch of each phase.
  """

  line: str
  dots: list[tuple[float, float]]
  band: str
  epochs: list[tuple[float, str]]
  losses: list[tuple[float, str]]
  ends: list[float]
  last: list[float]


def loss_curves(losses: np.ndarray, phases: Sequence[tuple[str, int]]) -> list[Curve]:
  """Returns the curve of each scene of `losses` `[epochs, R, T]`, all on the same axes.

  An epoch whose loss is finite in no replica leaves a gap.
  """
  losses = np.ma.masked_invalid(losses)
  low, high = _decades(losses)
  x = _x(np.arange(1, len(losses) + 1), len(losses))

  def y(loss):
    fraction = (np.log10(np.maximum(loss, _SMALLEST)) - low) / (high - low)
    return BOTTOM - fraction * (BOTTOM - TOP)

  ends = np.cumsum([epochs for _, epochs in phases])
  drawn = []
  for scene in range(losses.shape[2]):
    values = losses[:, :, scene]
    mean = values.mean(1)
    drawn.append(
      Curve(
        line=_line(x, y(mean)),
        dots=_dots(x, y(mean)),
        band=_band(x, y(values.min(1)), y(values.max(1))),
        epochs=[(_x(epoch, len(losses)), str(epoch)) for epoch in _round_numbers(len(losses))],
        losses=[(float(y(10.0**power)), f"{10.0**power:g}") for power in range(low, high + 1)],
        ends=_x(ends, len(losses)).tolist(),
        last=mean.filled(np.nan)[ends - 1].tolist(),
      )
    )
  return drawn


def _decades(losses: np.ma.MaskedArray) -> tuple[int, int]:
  """Returns the exponents of the powers of ten around all finite losses, at least one apart."""
  finite = np.maximum(losses.compressed(), _SMALLEST) if losses.count() else np.ones(1)
  low = int(np.floor(np.log10(finite.min())))
  return low, max(int(np.ceil(np.log10(finite.max()))), low + 1)


def _x(epoch, epochs: int):
  return LEFT + (RIGHT - LEFT) * epoch / epochs


def _round_numbers(largest: int) -> list[int]:
  """Returns at most eight round numbers from 0 to `largest`."""
  power = 10 ** len(str(largest))
  steps = [power * thousandths // 1000 for thousandths in (10, 20, 50, 100, 200, 500)]
  step = next(step for step in steps if step and largest / step < _MOST_TICKS)
  return list(range(0, largest + 1, step))


def _line(x: np.ndarray, y: np.ma.MaskedArray) -> str:
  return " ".join(_points(x[run], y[run]) for run in np.ma.clump_unmasked(np.ma.asarray(y)))


def _dots(x: np.ndarray, y: np.ma.MaskedArray) -> list[tuple[float, float]]:
  runs = np.ma.clump_unmasked(np.ma.asarray(y))
  return [(float(x[run.start]), float(y[run.start])) for run in runs if run.stop - run.start == 1]


def _band(x: np.ndarray, bottom: np.ma.MaskedArray, top: np.ma.MaskedArray) -> str:
  closed = []
  for run in np.ma.clump_unmasked(np.ma.asarray(top)):
    outline = np.concatenate([top[run], bottom[run][::-1]])
    closed.append(_points(np.concatenate([x[run], x[run][::-1]]), outline) + "Z")
  return " ".join(closed)


def _points(x: np.ndarray, y: np.ndarray) -> str:
  return "M" + "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

"""Draws the results: a panel for every kind of row, a bar for every side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from benchmarks.rows import SIDES

# Colours of Okabe and Ito, which colour-blind readers can distinguish.
_COLOURS = {
  "ours": "#0072b2",
  "keras": "#e69f00",
  "pytorch": "#999999",
  "scipy": "#009e73",
  "scikit-learn": "#cc79a7",
}
_NAMES = {
  "ours": "ours",
  "keras": "Keras (the author's design)",
  "pytorch": "PyTorch",
  "scipy": "SciPy",
  "scikit-learn": "scikit-learn",
}

# Title, axis label, and labels of the rows of every panel.
_PANELS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
  (
    "Training",
    "seconds per epoch and network",
    {
      f"train/{network}/{scenes}replicas={replicas}": f"{name}, {words}{replicas} network{plural}"
      for network, name in (("hresnet", "HResNet"), ("ccnn", "CCNN"))
      for scenes, words in (("", ""), ("scenes=4/", "4 scenes, "))
      for replicas, plural in ((1, ""), (10, "s"))
    },
  ),
  (
    "Classification of every pixel of Indian Pines",
    "seconds per network",
    {
      f"classify/indian_pines{network}{replicas}": f"{name}, {words}"
      for network, name in (("", "HResNet"), ("/ccnn", "CCNN"))
      for replicas, words in (("/replicas=1", "1 network"), ("", "10 networks"))
    },
  ),
  (
    "Whole processes",
    "seconds",
    {
      "end_to_end": "Indian Pines, n = 10,\nten networks, start to end",
      "start/cold": "start to first step,\nnothing cached",
      "start/warm": "start to first step,\nprograms cached",
    },
  ),
  ("Peak memory of a run from start to end", "GB", {"memory": "Indian Pines,\nten networks"}),
  (
    "Share of the machine's matrix-product speed in training",
    "%",
    {"train/hresnet/share": "HResNet, 10 networks", "train/ccnn/share": "CCNN, 10 networks"},
  ),
  (
    "Default recipe: training of its context network, Indian Pines",
    "seconds per 100 steps and network",
    {"default/train/networks=1": "1 network", "default/train/networks=10": "10 networks"},
  ),
  (
    "Default recipe: every pixel of Indian Pines by one network",
    "seconds",
    {
      "default/classify": "no smoothing",
      "default/classify/smoothed": "with smoothing",
      "default/smooth": "smoothing alone",
    },
  ),
  (
    "Default recipe: whole processes",
    "seconds",
    {
      "default/end_to_end": "image of 200 x 200 x 200\nand 40 polygons to map",
      "default/start/cold": "start to first step,\nnothing cached",
      "default/start/warm": "start to first step,\nprograms cached",
      "default/start/import": "imports of a run",
    },
  ),
)

_BAR, _GAP = 0.26, 0.24  # height of a bar, and between two jobs
_LOG_FROM = 20  # times the smallest value, from which on an axis is logarithmic


def draw(results: Mapping, path: Path) -> None:
  """Draws the rows of `run.measure` as a PNG; panels without a row are omitted.

  Args:
    results: {"machine", "rows"}.
    path: of the PNG.
  """
  matplotlib.use("agg")
  from matplotlib import pyplot

  found = {(row["what"], row["who"]): row for row in results["rows"]}
  panels = [(title, axis, _jobs(labels, found)) for title, axis, labels in _PANELS]
  panels = [panel for panel in panels if panel[2]]
  if not panels:
    return
  heights = [_height(jobs) for _, _, jobs in panels]
  inches = sum(heights) + 0.95 * len(panels) + 0.9
  figure, axes = pyplot.subplots(
    len(panels),
    1,
    figsize=(8.5, inches),
    squeeze=False,
    layout="constrained",
    gridspec_kw={"height_ratios": heights},
  )
  for axis, (title, unit, jobs) in zip(axes[:, 0], panels, strict=True):
    _panel(axis, title, unit, jobs)
  sides = [who for who in SIDES if any(key[1] == who for key in found)]
  handles = [pyplot.Rectangle((0, 0), 1, 1, color=_COLOURS[who]) for who in sides]
  figure.legend(handles, [_NAMES[who] for who in sides], loc="outside upper center", ncols=3, frameon=False)
  figure.supxlabel(_caption(results), fontsize=8, color="#333333")
  figure.savefig(path, dpi=150)
  pyplot.close(figure)


def _jobs(labels, found):
  """Returns the label and rows of every job that was timed."""
  jobs = [
    (label, [found[what, who] for who in SIDES if (what, who) in found]) for what, label in labels.items()
  ]
  return [job for job in jobs if job[1]]


def _height(jobs):
  return 0.56 * sum(_BAR * len(rows) + _GAP for _, rows in jobs)


def _panel(axes: Axes, title: str, unit: str, jobs: Sequence[tuple[str, Sequence[Mapping]]]) -> None:
  factor = 100 if unit == "%" else 1
  low = min(factor * row["min"] for _, rows in jobs for row in rows)
  high = max(factor * row["max"] for _, rows in jobs for row in rows)
  if high > _LOG_FROM * low:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.minorticks_off()
    # Space for the figures beside the bars.
    axes.set_xlim(low / 2, high * (high / low) ** 0.25)
  else:
    axes.set_xlim(0, high * 1.2)
  top, ticks = 0.0, []
  for label, rows in jobs:
    ticks.append((top + _BAR * (len(rows) - 1) / 2, label))
    for row in rows:
      _bar(axes, row, top, factor)
      top += _BAR
    top += _GAP
  axes.set_yticks(*zip(*ticks))
  axes.set_ylim(top - _GAP, -_BAR)
  axes.tick_params(axis="y", length=0)
  axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
  axes.set_xlabel(unit)
  axes.spines[["top", "right", "left"]].set_visible(False)
  axes.grid(axis="x", color="#dddddd", linewidth=0.6)
  axes.set_axisbelow(True)


def _bar(axes, row, top, factor):
  median, low, high = (factor * row[key] for key in ("median", "min", "max"))
  axes.barh(top, median, _BAR * 0.9, color=_COLOURS[row["who"]], alpha=0.5 if row.get("estimated") else 1.0)
  if high > low:
    axes.plot([low, high], [top, top], color="#222222", linewidth=1)
  digits = f"{median:.0f}" if median >= 100 else f"{median:#.3g}"
  text = digits + (" (estimated)" if row.get("estimated") else "")
  axes.annotate(
    text, (max(median, high), top), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
  )


def _caption(results):
  machine = results["machine"]
  speed = [row["median"] for row in results["rows"] if row["what"] == "matmul"]
  product = f", {np.round(speed[0]):g} GFLOP/s in a large float32 product" if speed else ""
  where = "GPU" if machine["backend"] == "gpu" else "on the CPU"
  return (
    f"{machine['cpu']}, {machine['cores']} cores, {where}{product}\n"
    "Bars: medians. Lines: minimum to maximum. Lower is better, except for the share"
  )

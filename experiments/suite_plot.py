"""Draws the accuracies of the suite."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

# Colours of Okabe and Ito, which colour-blind people can distinguish. Markers differ as well.
_STYLES = {
  "default": ("#000000", "o", 60),
  "fields": ("#e69f00", "s", 45),
  "svm_bands": ("#0072b2", "^", 28),
  "svm_mnf": ("#0072b2", "v", 28),
  "forest_bands": ("#009e73", "^", 28),
  "forest_mnf": ("#009e73", "v", 28),
  "regression_bands": ("#cc79a7", "^", 28),
  "regression_mnf": ("#cc79a7", "v", 28),
  "regression_smoothed": ("#d55e00", "D", 28),
}
_PANELS = {
  "n5": "5 random pixels per class",
  "n10": "10 random pixels per class",
  "folds": "all labels, five folds of blocks",
}
# Width that the markers of a scene share, in distances of scenes.
_SPREAD = 0.7


def draw(rows: Sequence[Mapping], titles: Mapping[str, str]) -> bytes:
  """Returns a PNG with a panel per protocol, the scenes in a row, and a marker per method.

  Args:
    rows: the rows of suite.json.
    titles: title of every method.
  """
  matplotlib.use("agg")
  from matplotlib import pyplot

  protocols = [protocol for protocol in _PANELS if any(row["protocol"] == protocol for row in rows)]
  figure, axes = pyplot.subplots(
    len(protocols), figsize=(9, 1 + 2.7 * len(protocols)), squeeze=False, sharex=True, layout="constrained"
  )
  scenes = list(dict.fromkeys(row["scene"] for row in rows))
  for axis, protocol in zip(axes.flat, protocols, strict=True):
    _draw_panel(axis, scenes, [row for row in rows if row["protocol"] == protocol], titles)
    axis.set_title(_PANELS[protocol], fontsize=10, loc="left")
  axes[-1, 0].set_xticks(range(len(scenes)), scenes, fontsize=9)
  handles, labels = axes[0, 0].get_legend_handles_labels()
  figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
  buffer = io.BytesIO()
  # Without the version of Matplotlib, equal plots have equal bytes.
  figure.savefig(buffer, dpi=150, metadata={"Software": None})
  pyplot.close(figure)
  return buffer.getvalue()


def _draw_panel(axis, scenes, rows, titles):
  offsets = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(titles))
  for offset, (method, title) in zip(offsets, titles.items(), strict=True):
    colour, marker, size = _STYLES[method]
    shown = [row for row in rows if method in row["methods"]]
    places = [scenes.index(row["scene"]) + offset for row in shown]
    found = [row["methods"][method]["overall_accuracy"] for row in shown]
    means, deviations = (np.array([100 * one[key] for one in found]) for key in ("mean", "std"))
    axis.errorbar(places, means, deviations, fmt="none", ecolor=colour, elinewidth=0.8, alpha=0.6)
    axis.scatter(places, means, size, colour, marker=marker, label=title, zorder=3)
  axis.set_ylabel("overall accuracy in %")
  axis.grid(axis="y", color="#dddddd", linewidth=0.6)
  axis.set_xlim(-0.5, len(scenes) - 0.5)
  for place in np.arange(len(scenes) - 1) + 0.5:
    axis.axvline(place, color="#dddddd", linewidth=0.6)
  axis.spines[["top", "right"]].set_visible(False)

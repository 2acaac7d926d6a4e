"""The table that a run ends with on the console."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from mtl_hsi.report import leakage_words
from mtl_hsi.report.contents import RunReport, SceneReport

_WIDTH = 80
_GAP = "  "


def summary(run: RunReport, directory: Path) -> str:
  """Returns the table of all scenes, what its figures are, and where the results lie; plain text."""
  notes = "In %"
  notes += f", mean +- standard deviation over {run.replicas} replicas" if run.replicas > 1 else ""
  notes += ". OA: overall accuracy, AA: average accuracy."
  if any(report.paper for report in run.scenes):
    notes += " diff: our OA less the paper's, in percentage points."
  if any(report.scene.simulated for report in run.scenes):
    notes += " A simulated scene is no measurement: its figures say nothing about real scenes."
  notes = [notes, *_leakages(run.scenes)]
  places = [f"Report: {directory / 'report.html'}", f"Maps:   {directory / 'maps'}"]
  if any(report.proposals is not None for report in run.scenes):
    places.append(f"Pixels to label next: {directory / 'proposals'}")
  return "\n\n".join([table(run.scenes), *(textwrap.fill(note, _WIDTH) for note in notes), "\n".join(places)])


def _leakages(reports):
  """How close training and test pixels of each scene are, and once what that means."""
  known = [report for report in reports if report.leakage is not None]
  for report in known:
    words = leakage_words.words(report.leakage, report.patch_overlap, report.reach)
    yield f"{report.scene.title}: {words}"
  high = [report for report in known if leakage_words.is_high(report.leakage, report.patch_overlap)]
  yield from dict.fromkeys(leakage_words.warning(report.given) for report in high)


def table(reports: Sequence[SceneReport]) -> str:
  """Returns OA, AA and kappa of each scene in %, beside the paper's OA where it has one.

  Lines keep to 80 columns; where the names would not leave room for the
  figures, each name has a line of its own.
  """
  heads = ["OA", "AA", "kappa"]
  rows = [[_percent(report, key) for key in _MEASURES] for report in reports]
  if any(report.paper for report in reports):
    heads += ["paper's OA", "diff"]
    for row, report in zip(rows, reports, strict=True):
      row += _beside_paper(report)
  widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
  lines = [_GAP.join(map(str.rjust, row, widths)) for row in [heads, *rows]]
  names = ["scene", *(report.scene.title for report in reports)]
  longest = max(map(len, names))
  if longest + len(_GAP) + len(lines[0]) <= _WIDTH:
    lines = [f"{name:{longest}}{_GAP}{line}" for name, line in zip(names, lines, strict=True)]
  else:
    stacked = [f"{name}\n{_GAP}{line}" for name, line in zip(names[1:], lines[1:], strict=True)]
    lines = [_GAP + lines[0], *stacked]
  return "\n".join(line.rstrip() for line in [lines[0], "-" * len(lines[0]), *lines[1:]])


_MEASURES = ("overall_accuracy", "average_accuracy", "kappa")


def _percent(report: SceneReport, key: str) -> str:
  mean, std = report.metrics[key]["mean"], report.metrics[key]["std"]
  if mean is None:
    return "undefined"
  return f"{100 * mean:.2f}" + (f" +- {100 * std:.2f}" if report.replicas > 1 else "")


def _beside_paper(report: SceneReport) -> list[str]:
  if report.paper is None:
    return ["", ""]
  difference = "" if report.difference is None else f"{report.difference:+.2f}"
  return [f"{report.paper.mean:.2f} +- {report.paper.std:.2f}", difference]

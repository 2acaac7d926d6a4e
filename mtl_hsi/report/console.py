"""The summary that a run prints at its end."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mtl_hsi.report import experts, left_out_text
from mtl_hsi.report.run_report import RunReport, SceneReport

_WIDTH = 80
_GAP = "  "
_MEASURES = ("overall_accuracy", "average_accuracy", "kappa")


def summary(run: RunReport, directory: Path) -> str:
  """Returns the table of all scenes, what its figures mean, and where the results are; plain text."""
  tested = [report for report in run.scenes if report.scored]
  blocks = [table(tested)] if tested else []
  blocks += [_experts(report, len(run.scenes) > 1) for report in run.scenes if "mixture" in report.metrics]
  blocks += [textwrap.fill(note, _WIDTH) for note in _notes(run, tested)]
  places = [f"Report: {directory / 'report.html'}", f"Maps:   {directory / 'maps'}"]
  if any(report.proposals is not None for report in run.scenes):
    places.append(f"Pixels to label next: {directory / 'proposals'}")
  return "\n\n".join([*blocks, "\n".join(places)])


def _notes(run: RunReport, tested: Sequence[SceneReport]) -> Iterator[str]:
  if tested:
    yield _about_figures(run, tested)
  yield from _about_left_out(tested)
  for report in run.scenes:
    if report not in tested:
      yield f"{report.scene.title}: all labels were used for training, so no accuracy can be computed."
  yield from _about_leakage(tested)


def _about_figures(run: RunReport, tested: Sequence[SceneReport]) -> str:
  text = "OA: overall accuracy, AA: average accuracy, all in %"
  text += f"; mean +- standard deviation over {run.replicas} replicas." if run.replicas > 1 else "."
  if run.left_out:
    text += " In brackets: 95% interval."
  if any(report.paper for report in tested):
    text += " diff: our OA minus the letter's, in percentage points."
  if any(report.scene.simulated for report in tested):
    text += " The figures of simulated scenes say nothing about real scenes."
  return text


def _about_left_out(tested: Sequence[SceneReport]) -> Iterator[str]:
  """Yields what the accuracies of left-out labels mean; scenes with equal texts share one."""
  texts = [
    (
      report,
      f"{left_out_text.describe(report.left_out)} {left_out_text.of_map(report.metrics.get('mixture'))}",
    )
    for report in tested
    if report.left_out
  ]
  for titles, text in _shared(texts):
    yield f"{titles}: {text}" if len(tested) > 1 else text


def _shared(texts: Iterable[tuple[SceneReport, str]]) -> Iterator[tuple[str, str]]:
  """Yields every text once, after the titles of its scenes."""
  titles = {}
  for report, text in texts:
    titles.setdefault(text, []).append(report.scene.title)
  return ((", ".join(names), text) for text, names in titles.items())


def _about_leakage(tested: Sequence[SceneReport]) -> Iterator[str]:
  """Yields warnings, then how close training and test pixels are; scenes with equal texts share one."""
  yield from dict.fromkeys(filter(None, (report.leakage_warning for report in tested)))
  texts = [(report, report.leakage_description) for report in tested if report.leakage_description]
  yield from (f"{titles}: {text}" for titles, text in _shared(texts))


def table(reports: Sequence[SceneReport]) -> str:
  """Returns OA, AA and kappa of each scene in %, beside the letter's OA if there is one.

  Lines have at most 80 columns; if the names do not leave enough room for the figures, each name has its
  own line.
  """
  heads = ["OA", "AA", "kappa"]
  rows = [[_percent(report, key) for key in _MEASURES] for report in reports]
  if any(report.paper for report in reports):
    heads += ["letter's OA", "diff"]
    for row, report in zip(rows, reports, strict=True):
      row += _beside_paper(report)
  return _aligned(["scene", *(report.scene.title for report in reports)], [heads, *rows])


def _experts(report: SceneReport, named: bool) -> str:
  """Returns the experts of a scene, their accuracy on left-out labels and weight, and what was chosen."""
  mixture = report.metrics["mixture"]
  found = experts.summarise(mixture)
  rows = [[_share(row.accuracy), f"{row.weight:.2f}"] for row in found.rows]
  names = [row.name for row in found.rows]
  text = _aligned(
    ["expert", *names, found.mixture], [["left-out OA", "weight"], *rows, [_share(found.accuracy), ""]]
  )
  chosen = f"Smoothing: {found.smoothing}; {_confidence(found, mixture['calibration'])}"
  title = f"{report.scene.title}\n" if named else ""
  return f"{title}{text}\n{textwrap.fill(chosen, _WIDTH)}"


def _confidence(found: experts.Experts, calibration: Mapping | None) -> str:
  text = f"temperature {found.temperature:.2f}"
  if calibration is None:
    return f"{text}."
  if found.temperature == 1:
    return f"no temperature, because it would not reduce the calibration error, {calibration['before']:.2f}."
  return f"{text}; calibration error {calibration['before']:.2f} -> {calibration['after']:.2f}."


def _share(value: float | None) -> str:
  return "undefined" if value is None else f"{100 * value:.2f}"


def _aligned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Returns a table of at most 80 columns from its first column and its other columns, the heads first."""
  widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
  lines = [_GAP.join(map(str.rjust, row, widths)) for row in rows]
  longest = max(map(len, names))
  if longest + len(_GAP) + len(lines[0]) <= _WIDTH:
    lines = [f"{name:{longest}}{_GAP}{line}" for name, line in zip(names, lines, strict=True)]
  else:
    stacked = [f"{name}\n{_GAP}{line}" for name, line in zip(names[1:], lines[1:], strict=True)]
    lines = [_GAP + lines[0], *stacked]
  return "\n".join(line.rstrip() for line in [lines[0], "-" * len(lines[0]), *lines[1:]])


def _percent(report: SceneReport, key: str) -> str:
  mean, std = report.metrics[key]["mean"], report.metrics[key]["std"]
  if mean is None:
    return "undefined"
  if report.left_out and (interval := report.metrics[key]["interval"]):
    return f"{100 * mean:.2f} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"
  return f"{100 * mean:.2f}" + (f" +- {100 * std:.2f}" if report.replicas > 1 else "")


def _beside_paper(report: SceneReport) -> list[str]:
  if report.paper is None:
    return ["", ""]
  difference = "" if report.difference is None else f"{report.difference:+.2f}"
  return [f"{report.paper.mean:.2f} +- {report.paper.std:.2f}", difference]

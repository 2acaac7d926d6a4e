"""The accuracies of several runs on every scene, each with its difference from the first run."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from mtl_hsi.comparison.finished_run import MEASURES, FinishedRun
from mtl_hsi.comparison.pairs import Pair, pair
from mtl_hsi.report.csv_cells import csv_text, escape_formula

_COLUMNS = (
  *("scene", "run", "tested_on", "maps"),
  *(f"{measure}_{part}" for measure in MEASURES for part in ("mean", "std", "low", "high")),
  *("difference", "difference_low", "difference_high", "p", "note"),
)


@dataclasses.dataclass(frozen=True)
class Row:
  """One run on one scene.

  Attributes:
    name: of the run.
    tested_on: see `FinishedRun.tested_on`; None without accuracies.
    metrics: of the scene, as in `metrics.json`; None if the run does not have the scene.
    pair: the difference from the reference; None for the reference itself.
  """

  name: str
  tested_on: str | None
  metrics: dict[str, Any] | None
  pair: Pair | None


def scenes_of(runs: Sequence[FinishedRun]) -> list[str]:
  """Returns the scenes of all runs, in the order in which they first occur."""
  return list(dict.fromkeys(scene for run in runs for scene in run.metrics["scenes"]))


def rows(runs: Sequence[FinishedRun], names: Sequence[str], scene: str) -> list[Row]:
  """Returns the rows of a scene; the first run is the reference.

  Raises:
    RequestError: an array of a run is damaged.
  """
  found = []
  for run, name in zip(runs, names, strict=True):
    has = scene in run.metrics["scenes"]
    found.append(
      Row(
        name,
        run.tested_on(scene) if has else None,
        run.metrics["scenes"][scene] if has else None,
        None if run is runs[0] else pair(run, runs[0], scene),
      )
    )
  return found


def as_csv(table: dict[str, list[Row]]) -> str:
  """Returns the rows of all scenes as CSV; accuracies in %, differences in percentage points."""
  return csv_text([_COLUMNS, *(_cells(scene, row) for scene, found in table.items() for row in found)])


def as_json(table: dict[str, list[Row]]) -> dict[str, list[dict]]:
  """Returns the overall accuracies and differences of all scenes, as values of JSON."""
  return {scene: [_record(row) for row in found] for scene, found in table.items()}


def _record(row):
  measured = row.metrics and row.metrics["overall_accuracy"]
  change = dataclasses.asdict(row.pair) if row.pair else None
  return {"run": row.name, "tested_on": row.tested_on, "overall_accuracy": measured, "pair": change}


def _cells(scene, row):
  cells = [scene, escape_formula(row.name), row.tested_on]
  if row.metrics is None:
    cells += [None] * (1 + 4 * len(MEASURES))
  else:
    cells.append(len(row.metrics["overall_accuracy"]["replicas"]))
    for measure in MEASURES:
      found = row.metrics[measure]
      cells += [
        _percent(value) for value in (found["mean"], found["std"], *(found["interval"] or (None,) * 2))
      ]
  if row.pair is None:
    return [*cells, None, None, None, None, "reference"]
  ends = row.pair.interval or (None, None)
  changes = [None if value is None else f"{value:.4f}" for value in (row.pair.difference, *ends)]
  return [
    *cells,
    *changes,
    None if row.pair.p is None else f"{row.pair.p:.4g}",
    escape_formula(row.pair.note),
  ]


def _percent(share):
  return None if share is None else f"{100 * share:.4f}"

"""Writes the results of an assessment as CSV, JSON and a page, and as lines for the console."""

from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.assessment.design import HECTARES
from mtl_hsi.assessment.estimators import Estimate
from mtl_hsi.assessment.results import Results, as_json, plus_minus
from mtl_hsi.report import csv_cells, templates
from mtl_hsi.storage.atomic_files import json_bytes
from mtl_hsi.storage.file_set import with_ending

TABLE, MATRIX, PAGE = "_estimates.csv", "_error_matrix.csv", "_estimates.html"
# The last one marks a complete set.
ENDINGS = (TABLE, MATRIX, PAGE, "_estimates.json")

_HEADS = ("measure", "class", "name", "estimate", "standard_error", "plus_minus", "lower", "upper")


def write(stem: Path, results: Results, map_page: str | None) -> None:
  """Writes all files.

  Args:
    stem: their common path without endings.
    results: the results.
    map_page: what shows the map, as a path relative to the page; None: nothing does.
  """
  page = _page(results, map_page).encode(errors="backslashreplace")
  contents = (_table(results), _matrix(results), page)
  for ending, content in zip(ENDINGS, (*contents, json_bytes(as_json(results))), strict=True):
    with_ending(stem, ending).write_bytes(content)


def lines(results: Results) -> Iterator[str]:
  """Yields the main results as text."""
  unit = results.design.area_unit
  yield f"Overall accuracy: {percent(results.overall)}"
  for found in results.classes:
    yield (
      f"{found.id} {found.name}: {area(found.area, unit)}; the map has {number(found.mapped, unit)} {unit}"
    )
  yield from results.assumptions


def percent(estimate: Estimate | None) -> str:
  """Returns an accuracy with its interval, in percent."""
  if estimate is None:
    return "-"
  value, lower, upper = (100 * part for part in (estimate.value, estimate.lower, estimate.upper))
  return f"{value:.1f}% ({lower:.1f} to {upper:.1f}%)"


def area(estimate: Estimate, unit: str) -> str:
  """Returns an area with its interval."""
  value, lower, upper = (number(part, unit) for part in (estimate.value, estimate.lower, estimate.upper))
  return f"{value} {unit} ({lower} to {upper})"


def number(value: float, unit: str) -> str:
  """Returns an area as text: hectares with two decimals if they are few, pixels as whole numbers."""
  # "z": a small negative bias is 0, not -0.
  return f"{value:z,.2f}" if unit == HECTARES and abs(value) < 1000 else f"{value:z,.0f}"


def _table(results: Results) -> bytes:
  unit = results.design.area_unit
  rows = [["overall_accuracy", "", "", *_cells(results.overall)]]
  for found in results.classes:
    measures = {
      "users_accuracy": found.users,
      "producers_accuracy": found.producers,
      "area_share": found.share,
      f"area_{unit}": found.area,
    }
    name = csv_cells.escape_formula(found.name)
    rows += [
      [measure, found.id, name, *_cells(value)] for measure, value in measures.items() if value is not None
    ]
    rows.append([f"mapped_area_{unit}", found.id, name, f"{found.mapped:.6g}", "", "", "", ""])
    rows.append([f"bias_{unit}", found.id, name, f"{found.bias:.6g}", *_cells(found.area)[1:3], "", ""])
  return _csv([_HEADS, *rows])


def _cells(estimate: Estimate) -> list[str]:
  parts = estimate.value, estimate.standard_error, plus_minus(estimate), estimate.lower, estimate.upper
  return [f"{part:.6g}" for part in parts]


def _matrix(results: Results) -> bytes:
  """The error matrix twice, in units of the sample and in shares of the area; columns are the reference."""
  names = [csv_cells.escape_formula(found.name) for found in results.classes]
  rows = [["matrix", "map class", *names]]
  for kind, matrix, form in (("units", results.counts, "d"), ("shares", results.shares, ".6f")):
    for name, row in zip(names, matrix.tolist(), strict=True):
      rows.append([kind, name, *(format(value, form) for value in row)])
  return _csv(rows)


def _csv(rows) -> bytes:
  return csv_cells.csv_text(rows).encode(errors="backslashreplace")


def _page(results: Results, map_page: str | None) -> str:
  environment = templates.environment(Path(__file__).parent)
  environment.filters |= {"percent": percent, "area": area, "number": number, "plus_minus": plus_minus}
  values = {"results": results, "unit": results.design.area_unit, "map_page": map_page}
  return environment.get_template("estimate.html").render(values)

"""The pixels to label next as a table: for the page, and as CSV to fill in."""

import csv
from collections.abc import Iterator

import numpy as np

from mtl_hsi.report import csv_cells
from mtl_hsi.report.run_report import SceneReport
from mtl_hsi.scenes.scene import Georeference

# Decimals of coordinates; of a degree, the seventh is about a centimetre.
_DECIMALS = 7
_CLASS = "class"


def encode_csv(report: SceneReport) -> bytes:
  """Returns the proposals as CSV with an empty column `class`; once filled in, it is a file of labels."""
  heads = ["row", "column", _CLASS, "taken_for", "support"]
  if report.scene.georeference is not None:
    heads += ["x", "y"]
  rows = (
    [
      *(row["row"], row["column"], "", csv_cells.escape_formula(row["name"])),
      *(f"{row['support']:.3f}", *row["xy"]),
    ]
    for row in proposal_rows(report)
  )
  return csv_cells.csv_text([heads, *rows]).encode(errors="backslashreplace")


def is_filled_in(text: str) -> bool:
  """Returns whether a table differs from what `encode_csv` writes by a class or by its columns."""
  try:
    return any(row.get(_CLASS, "changed") for row in csv.DictReader(text.splitlines()))
  # A field is longer than the csv module reads, so it is not from `encode_csv`.
  except csv.Error:
    return True


def proposal_rows(report: SceneReport) -> Iterator[dict]:
  """Yields `row`, `column`, `name` of the class, `support` and `xy` of each proposal.

  `xy` are the coordinates of the pixel's centre as texts, or empty without a georeference.
  """
  found = report.proposals
  for (row, column), class_id, support in zip(
    found.pixels.tolist(), found.class_ids.tolist(), found.support.tolist(), strict=True
  ):
    xy = _centre(report.scene.georeference, row, column)
    name = report.scene.class_names[class_id]
    yield {"row": row, "column": column, "name": name, "support": support, "xy": xy}


def _centre(georeference: Georeference | None, row: int, column: int) -> list[str]:
  if georeference is None:
    return []
  a, b, c, d, e, f = georeference.transform
  x, y = a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f
  return [np.format_float_positional(round(number, _DECIMALS), trim="-") for number in (x, y)]

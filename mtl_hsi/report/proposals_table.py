"""The pixels to label next as a table: in the page, and as CSV to fill in."""

import csv as reader
from collections.abc import Iterator

import numpy as np

from mtl_hsi.report import csv_cells
from mtl_hsi.report.contents import SceneReport

# Of features of a metre, or of a degree to a centimetre.
_DECIMALS = 7
_CLASS = "class"


def csv(report: SceneReport) -> bytes:
  """Encodes the proposals with an empty column `class`, as labels are read once that is filled in."""
  heads = ["row", "column", _CLASS, "taken_for", "support", *(["x", "y"] if _placed(report) else [])]
  rows = (
    [row["row"], row["column"], "", csv_cells.guarded(row["name"]), f"{row['support']:.3f}", *row["place"]]
    for row in rows_of(report)
  )
  return csv_cells.text([heads, *rows]).encode(errors="backslashreplace")


def is_filled_in(text: str) -> bool:
  """Whether a table is no longer as `csv` wrote it: a class stands there, or other columns do."""
  try:
    return any(row.get(_CLASS, "changed") for row in reader.DictReader(text.splitlines()))
  # A field is longer than `csv` makes any.
  except reader.Error:
    return True


def rows_of(report: SceneReport) -> Iterator[dict]:
  """What is to be said of every proposal: `row`, `column`, `name` of the class, `support` and, of its centre,
  `place` with x and y, which is empty without a georeference.
  """
  found = report.proposals
  for (row, column), class_id, support in zip(
    found.pixels.tolist(), found.class_ids.tolist(), found.support.tolist(), strict=True
  ):
    place = _centre(report, row, column) if _placed(report) else []
    name = report.scene.class_names[class_id]
    yield {"row": row, "column": column, "name": name, "support": support, "place": place}


def _placed(report):
  return report.scene.georeference is not None


def _centre(report, row, column):
  a, b, c, d, e, f = report.scene.georeference.transform
  x, y = a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f
  return [np.format_float_positional(round(number, _DECIMALS), trim="-") for number in (x, y)]

"""The confusion matrix as a table of the page, and the pairs of classes that are confused most."""

from collections.abc import Mapping

import numpy as np

from mtl_hsi.report import maps

# A larger matrix would be too large to read on the page.
_MOST_CLASSES = 64
_MOST_PAIRS = 3


def table(metrics: Mapping) -> dict | None:
  """Returns `rows`, `totals` of the columns and the `total`, or None if there are too many classes.

  A row has `id`, `name`, `pixels` and `cells`: `count` and its share of the row and of the column.
  """
  matrix = np.array(metrics["confusion"])
  if len(matrix) > _MOST_CLASSES:
    return None
  of_rows = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
  of_columns = matrix / np.maximum(matrix.sum(0, keepdims=True), 1)
  rows = [
    {
      "id": entry["id"],
      "name": entry["name"],
      "pixels": sum(counts),
      "cells": [
        {"count": count, "row": row, "column": column}
        for count, row, column in zip(counts, *shares, strict=True)
      ],
    }
    for entry, counts, *shares in zip(
      metrics["per_class"], matrix.tolist(), of_rows.tolist(), of_columns.tolist(), strict=True
    )
  ]
  return {"rows": rows, "totals": matrix.sum(0).tolist(), "total": int(matrix.sum())}


def confused_pairs(metrics: Mapping) -> list[dict]:
  """Returns the largest cells off the diagonal: names of the `truth` and `predicted` class, and `pixels`."""
  matrix = np.array(metrics["confusion"])
  np.fill_diagonal(matrix, 0)
  names = [maps.class_label(entry["id"], entry["name"]) for entry in metrics["per_class"]]
  largest = np.argsort(-matrix, axis=None, kind="stable")[:_MOST_PAIRS]
  cells = zip(*np.unravel_index(largest, matrix.shape), strict=True)
  return [
    {"truth": names[row], "predicted": names[column], "pixels": int(matrix[row, column])}
    for row, column in cells
    if matrix[row, column]
  ]

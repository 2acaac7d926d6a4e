from mtl_hsi.report import confusion_table


def metrics(matrix):
  names = ["Maize", "class 2", "Roof"] + [f"class {i}" for i in range(4, len(matrix) + 1)]
  per_class = [{"id": i, "name": name} for i, name in enumerate(names[: len(matrix)], start=1)]
  return {"confusion": matrix, "per_class": per_class}


def test_cells_have_count_and_shares_of_row_and_column():
  table = confusion_table.table(metrics([[3, 1, 0], [2, 1, 0], [0, 0, 0]]))
  row = table["rows"][0]
  assert (row["id"], row["name"], row["pixels"]) == (1, "Maize", 4)
  assert row["cells"][0] == {"count": 3, "row": 0.75, "column": 0.6}
  assert row["cells"][1] == {"count": 1, "row": 0.25, "column": 0.5}
  assert table["rows"][2]["cells"][2] == {"count": 0, "row": 0, "column": 0}
  assert (table["totals"], table["total"]) == ([5, 2, 0], 7)


def test_a_matrix_of_too_many_classes_is_not_in_the_page():
  assert confusion_table.table(metrics([[1] * 65 for _ in range(65)])) is None
  assert confusion_table.table(metrics([[1] * 64 for _ in range(64)])) is not None


def test_pairs_are_the_largest_confusions():
  found = confusion_table.confused_pairs(metrics([[9, 1, 0], [4, 1, 0], [0, 2, 9]]))
  assert found == [
    {"truth": "class 2", "predicted": "1  Maize", "pixels": 4},
    {"truth": "3  Roof", "predicted": "class 2", "pixels": 2},
    {"truth": "1  Maize", "predicted": "class 2", "pixels": 1},
  ]
  assert confusion_table.confused_pairs(metrics([[9, 0, 0], [0, 1, 0], [0, 0, 9]])) == []

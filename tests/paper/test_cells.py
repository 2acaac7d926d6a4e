"""The tables' cells and the trainings that fill them, with the numbers written out."""

import collections

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.paper import protocol, published
from mtl_hsi.paper.cells import Cell, Training, cells_of, select, training_of

ALL = [cell for table in protocol.TABLES for cell in cells_of(table)]


def test_every_table_has_72_cells_and_every_figure_of_the_paper_its_cell():
  assert collections.Counter(cell.table for cell in ALL) == {"I": 72, "II": 72, "III": 72, "IV": 72}
  known = [cell for cell in ALL if published.figure(cell.target, cell.column, cell.samples_per_class)]
  assert len(known) == len(set(known)) == 251


def test_columns_in_the_papers_order():
  assert published.columns_of("IN") == (
    *("svm", "hresnet/single", "hresnet/with/SA", "hresnet/with/PC", "hresnet/with/PU", "hresnet/with/ALL"),
    *("hresnet/without/SA", "hresnet/without/PC", "hresnet/without/PU", "hresnet/without/INVERSE-SA"),
    *("ccnn/single", "ccnn/with/SA"),
  )
  # After the preprint's end, by the pattern of Table III.
  assert published.columns_of("SA")[6:] == (
    *("hresnet/without/IN", "hresnet/without/PC", "hresnet/without/PU", "hresnet/without/INVERSE-IN"),
    *("ccnn/single", "ccnn/with/IN"),
  )


@pytest.mark.parametrize(
  ("target", "column", "expected"),
  [
    ("IN", "svm", ("svm", (), True, False)),
    ("PU", "ccnn/single", ("ccnn", (), True, False)),
    ("PU", "hresnet/with/SA", ("hresnet", ("SA",), True, False)),
    ("PC", "hresnet/without/IN", ("hresnet", ("IN",), False, False)),
    ("PC", "hresnet/without/INVERSE-PU", ("hresnet", ("PU",), True, True)),
    ("SA", "hresnet/with/ALL", ("hresnet", ("IN", "PU", "PC"), True, False)),
  ],
)
def test_what_a_column_trains(target, column, expected):
  assert published.parse_column(target, column) == expected


@pytest.mark.parametrize("cell", [cell for cell in ALL if cell.samples_per_class == 5])
def test_parsing_a_column_undoes_naming_it(cell):
  if published.figure(cell.target, cell.column, 5) is None:
    pytest.skip("the preprint breaks off before this column, so no experiment is named after it")
  names = {short: name for name, short in protocol.SHORT_NAMES.items()}
  column = published.parse_column(cell.target, cell.column)
  partners = [names[name] for name in column.partners]
  named = published.column_of(
    names[cell.target], partners, column.model, column.spectral_knowledge, partners if column.inverse else []
  )
  assert named == cell.column


@pytest.mark.parametrize(
  ("cell", "training", "name"),
  [
    (("III", "IN", "svm", 30), (("IN",), 160, "svm", True, (), 30), "svm-in-160-n30"),
    (
      ("I", "PU", "hresnet/with/PC", 5),
      (("PU", "PC"), 103, "hresnet", True, (), 5),
      "hresnet-pu+pc-103-n5",
    ),
    (
      ("II", "PC", "hresnet/with/PU", 5),
      (("PU", "PC"), 103, "hresnet", True, (), 5),
      "hresnet-pu+pc-103-n5",
    ),
    (
      ("II", "PC", "hresnet/without/IN", 5),
      (("IN", "PC"), 103, "hresnet", False, (), 5),
      "hresnet-in+pc-103-without-n5",
    ),
    (
      ("II", "PC", "hresnet/without/INVERSE-PU", 5),
      (("PU", "PC"), 103, "hresnet", True, ("PU",), 5),
      "hresnet-pu+pc-103-inverse_pu-n5",
    ),
    (
      ("IV", "SA", "hresnet/with/ALL", 10),
      (("IN", "SA", "PU", "PC"), 160, "hresnet", True, (), 10),
      "hresnet-in+sa+pu+pc-160-n10",
    ),
  ],
)
def test_what_a_cell_trains(cell, training, name):
  assert training_of(Cell(*cell)) == Training(*training)
  assert training_of(Cell(*cell)).name == name


def test_288_cells_are_filled_by_246_trainings_of_different_names():
  trainings = {training_of(cell) for cell in ALL}
  assert len(ALL) == 288
  assert len(trainings) == len({training.name for training in trainings}) == 246


def test_a_multitask_cell_is_compared_with_the_same_network_alone():
  cell = Cell("III", "IN", "ccnn/with/SA", 5)
  assert cell.alone == Cell("III", "IN", "ccnn/single", 5)
  assert cell.alone.alone is None
  assert Cell("III", "IN", "svm", 5).alone is None


def test_cells_are_chosen_by_patterns_and_rows():
  cells = cells_of("III")
  chosen = select(cells, ["svm", "hresnet/without/*"], [5, 30])
  assert [cell.samples_per_class for cell in chosen] == [5] * 5 + [30] * 5
  assert [cell.column for cell in chosen[:5]] == [
    "svm",
    *(f"hresnet/without/{partner}" for partner in ("SA", "PC", "PU", "INVERSE-SA")),
  ]
  assert select(cells, [], protocol.SAMPLES_PER_CLASS) == cells
  of_one = select(ALL, ["IN:hresnet/with/SA", "*:ccnn/single"], [5])
  assert [(cell.target, cell.column) for cell in of_one] == [
    *(("PU", "ccnn/single"), ("PC", "ccnn/single"), ("IN", "hresnet/with/SA"), ("IN", "ccnn/single")),
    ("SA", "ccnn/single"),
  ]


@pytest.mark.parametrize(
  ("columns", "rows", "message"),
  [
    (
      ["hresnet/with/IN"],
      [5],
      "cells: no column matches 'hresnet/with/IN'; the columns are svm, hresnet/sin",
    ),
    (["SVM"], [5], "no column matches 'SVM'"),
    ([], [7], "samples_per_class: the tables have no row 7; the rows are 5, 10, 15, 20, 25, 30"),
  ],
)
def test_a_choice_of_nothing_is_refused(columns, rows, message):
  with pytest.raises(RequestError, match=message):
    select(cells_of("III"), columns, rows)

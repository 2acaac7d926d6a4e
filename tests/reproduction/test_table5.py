"""Table V, from work directories made by hand."""

import json

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.paper.cells import Cell
from mtl_hsi.reproduction import table5
from mtl_hsi.reproduction.table5 import Row, Times
from tests import launching

TITLES = {"IN": "Indian Pines", "SA": "salinas_a (stand-in)", "PU": "Pavia University", "PC": "Pavia Centre"}

SECONDS = {
  "train": 30.0,
  "classify": 4.0,
  "total": 34.0,
  "compile": 7.0,
  "compile_train": 5.0,
  "compile_classify": 2.0,
}

MACHINE = {"cpu": "AMD EPYC", "backend": "gpu", "devices": ["H100"], "processes": 1}


def times(train, classify, starts, **machine):
  return Times(train, classify, starts, MACHINE | machine)


def test_the_runs_of_two_pairs_are_needed():
  assert table5.cells() == [
    Cell("I", "PU", "hresnet/single", 10),
    Cell("II", "PC", "hresnet/single", 10),
    Cell("I", "PU", "hresnet/with/PC", 10),
    Cell("III", "IN", "hresnet/single", 10),
    Cell("IV", "SA", "hresnet/single", 10),
    Cell("III", "IN", "hresnet/with/SA", 10),
  ]


@pytest.fixture
def directory(tmp_path):
  (tmp_path / "metrics.json").write_text(json.dumps({"schema": 1, "seconds": SECONDS}))
  launching.list_metrics_only(tmp_path)
  (tmp_path / "environment.json").write_text(json.dumps({"starts": ["then", "now"], **MACHINE, "cores": 8}))
  return tmp_path


def test_each_activity_has_its_own_compilation_left_out_and_starts_are_counted(directory):
  assert table5.read(directory) == times(25.0, 2.0, 2)


@pytest.mark.parametrize(
  ("name", "text"),
  [
    ("metrics.json", "{"),
    ("metrics.json", '{"schema": 1, "seconds": {"compile_train": 1}}'),
    ("metrics.json", '{"schema": 1, "seconds": {"train": 3, "classify": 2, "compile": 1, "total": 5}}'),
    ("environment.json", "[]"),
    ("environment.json", '{"starts": 5}'),
  ],
)
def test_a_file_that_no_run_writes_is_named(directory, name, text):
  (directory / name).write_text(text)
  launching.list_metrics_only(directory)
  with pytest.raises(RequestError, match=f"{directory / name} is not what a run writes"):
    table5.read(directory)


def test_a_pair_lacks_what_has_not_finished(directory):
  pavia, aviris = table5.rows(lambda cell: directory if cell.column == "hresnet/single" else None)
  assert pavia == Row(("PU", "PC"), (times(25.0, 2.0, 2), times(25.0, 2.0, 2)), None)
  assert aviris.scenes == ("IN", "SA")
  nothing = table5.rows(lambda cell: None)
  assert [(row.alone, row.together) for row in nothing] == [(None, None)] * 2


def test_times_stand_beside_each_other():
  rows = [
    Row(("PU", "PC"), (times(30.0, 2.0, 1), times(50.0, 4.0, 1)), times(40.0, 12.0, 1)),
    Row(("IN", "SA"), None, times(9.0, 1.0, 1)),
  ]
  text = table5.markdown(rows, TITLES)
  assert [line for line in text.splitlines() if line.startswith("| ")][2:] == [
    "| Pavia University and Pavia Centre | training | 80.0 | 40.0 | 2.00 |",
    "| Pavia University and Pavia Centre | classification | 6.0 | 12.0 | 0.50 |",
    "| Indian Pines and salinas_a (stand-in) | training | not run | 9.0 |  |",
    "| Indian Pines and salinas_a (stand-in) | classification | not run | 1.0 |  |",
  ]
  assert "The letter's figures are unknown" in text
  assert "interrupted" not in text


def test_an_interrupted_run_is_no_measure():
  text = table5.markdown([Row(("IN", "SA"), None, times(9.0, 1.0, 3))], TITLES)
  assert "**Indian Pines and salinas_a (stand-in): a run was interrupted and " in text


def test_runs_of_different_machines_are_no_measure():
  known = times(9.0, 1.0, 1)
  for other in ({"devices": ["H100", "H100"]}, {"cpu": "other"}, {"backend": "cpu"}, {"processes": 2}):
    row = Row(("PU", "PC"), (known, times(9.0, 1.0, 1, **other)), known)
    (key,) = other
    text = table5.markdown([row], TITLES)
    assert f"**Pavia University and Pavia Centre: the runs are from different machines ({key}), so" in text
    assert "without --shard" in text
  # Rows may be of different machines.
  rows = [Row(("PU", "PC"), None, known), Row(("IN", "SA"), None, times(9.0, 1.0, 1, cpu="other"))]
  assert "different machines" not in table5.markdown(rows, TITLES)

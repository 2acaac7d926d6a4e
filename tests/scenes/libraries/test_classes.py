import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.classes import find_classes
from mtl_hsi.scenes.libraries.spectra import Spectra
from tests.scenes.libraries.writing import NAMES, save_csv


def library(names=NAMES, **columns):
  return Spectra(np.zeros((3, 2)), np.array([450.0, 550.0]), None, names, columns, "soils.sli")


def test_a_table_names_the_spectra_to_use(tmp_path):
  table = save_csv(tmp_path / "t.csv", ("name", "class"), [("lake", "water"), ("dark soil", "soil")])
  assert find_classes(library(), table, None) == ["", "soil", "water"]


@pytest.mark.parametrize("given", ["Material", "material", None])
def test_a_column_has_the_classes(given):
  columns = {"CLASS": ["a", "b", ""]} if given is None else {"class": ["x"] * 3, "Material": ["a", "b", ""]}
  assert find_classes(library(**columns), None, given) == ["a", "b", ""]


@pytest.mark.parametrize(
  ("rows", "message"),
  [
    ([("laek", "water")], r"the library has no spectrum 'laek'; it has 'lake'"),
    ([("lake", "water"), ("lake", "soil")], "line 3 has another class for 'lake' than a line above"),
  ],
)
def test_a_wrong_table_is_refused(tmp_path, rows, message):
  with pytest.raises(RequestError, match=message):
    find_classes(library(), save_csv(tmp_path / "t.csv", ("name", "class"), rows), None)


def test_classes_must_be_given(tmp_path):
  with pytest.raises(
    RequestError, match=r"has no columns with classes; list the spectra .* as library_classes"
  ):
    find_classes(library(), None, None)
  with pytest.raises(
    RequestError, match=r"no column 'class' or .*\(columns: kind\); give library_column, or"
  ):
    find_classes(library(kind=["a"] * 3), None, None)
  with pytest.raises(
    RequestError, match=r"no column 'knid' has the classes \(columns: kind\); give one of them"
  ):
    find_classes(library(kind=["a"] * 3), None, "knid")
  table = save_csv(tmp_path / "t.csv", ("name", "class"), [("lake", "water")])
  with pytest.raises(RequestError, match="library_classes and library_column both give classes"):
    find_classes(library(), table, "kind")
  with pytest.raises(RequestError, match="has not one name for each of its 3 spectra"):
    find_classes(library(names=None), table, None)

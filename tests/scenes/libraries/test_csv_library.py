import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.csv_library import read_csv_library
from tests.scenes.libraries.writing import save_csv


@pytest.mark.parametrize(
  "titles",
  [
    ("450", "550.5", "650"),
    ("X450", "X550.5", "X650"),
    ("450 nm", "550.5nm", "650_nm"),
    ("wl_450", "wl_550.5", "wl_650"),
    ("0.45um", "0.5505um", "0.65um"),
    ("0.45", "0.5505", "0.65"),
  ],
)
def test_columns_of_wavelengths_have_the_values(tmp_path, titles):
  path = save_csv(
    tmp_path / "a.csv",
    ("Campaign", "Spectrum Name", *titles, "class"),
    [("2021", "s1", 0.1, 0.2, 0.3, "soil"), ("2021", "s2", 0.4, "", "NaN", "")],
  )
  found = read_csv_library(path)
  np.testing.assert_allclose(found.wavelengths, [450, 550.5, 650])
  np.testing.assert_array_equal(found.values, np.float32([[0.1, 0.2, 0.3], [0.4, np.nan, np.nan]]))
  assert found.names == ["s1", "s2"]
  assert found.columns["class"] == ["soil", ""]


def test_wavelengths_may_be_in_the_first_column(tmp_path):
  path = save_csv(
    tmp_path / "a.csv", ("Wavelength", "1", "2"), [("class", "soil", "lake"), (650, 3, 4), (450, 1, 2)]
  )
  found = read_csv_library(path)
  assert found.names == ["1", "2"]
  assert found.columns["class"] == ["soil", "lake"]
  np.testing.assert_array_equal(found.wavelengths, [450, 650])
  np.testing.assert_array_equal(found.values, [[1, 3], [2, 4]])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_are_read_between_other_separators(tmp_path, separator):
  path = save_csv(tmp_path / "a.csv", ("name", "450,5", "650"), [("a", "0,25", "0,5")], separator)
  found = read_csv_library(path)
  assert found.wavelengths.tolist() == [450.5, 650]
  assert found.values.tolist() == [[0.25, 0.5]]


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("", "is empty; expected a table of spectra"),
    ("\n\n", "is empty"),
    ("name,class\na,soil\n", r"has no columns of wavelengths \(columns: name, class\)"),
    ("name,450,550\n", "has no spectra"),
    ("name,450,550\na,1\n", "line 2 has 2 columns, and the first line 3"),
    ("name,450,550\na,1,dark\n", "spectrum 1 has 'dark' in the column '550'; expected a number"),
    ("name,450 nm,0.55 um\na,1,2\n", "its titles mix units"),
    ("name,1,2,500\na,1,2,3\n", "wavelengths range from 1 to 500 nm"),
    ("name,450,450\na,1,2\n", "has 1 wavelength; a library needs at least two"),
    ("\xff\xfe,\n", "cannot read .* as a table"),
    ("a" * 200_000 + ",450,550\n", "cannot read .* as a table: field larger than field limit"),
  ],
)
def test_other_tables_are_refused(tmp_path, text, message):
  path = tmp_path / "a.csv"
  path.write_bytes(text.encode("latin-1"))
  with pytest.raises(RequestError, match=message):
    read_csv_library(path)


def test_infinite_and_huge_values_are_missing(tmp_path):
  path = save_csv(tmp_path / "a.csv", ("name", "450", "550", "650"), [("a", "inf", "1e300", "0.5")])
  assert np.isnan(read_csv_library(path).values).tolist() == [[True, True, False]]


def test_a_missing_file_is_named(tmp_path):
  with pytest.raises(RequestError, match=r"none.csv as a table: .*No such file"):
    read_csv_library(tmp_path / "none.csv")
  with pytest.raises(RequestError, match="is a directory"):
    read_csv_library(tmp_path)

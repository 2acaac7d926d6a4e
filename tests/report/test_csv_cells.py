import pytest

from mtl_hsi.report import csv_cells


@pytest.mark.parametrize(
  ("given", "expected"),
  [
    ("winter wheat; early", "winter wheat; early"),
    ("=1+1", "'=1+1"),
    ("\uff1d1+1", "'\uff1d1+1"),
    ("a;=1+1", "a;'=1+1"),
    ("a\t@sum", "a\t'@sum"),
    ("two\r\nlines", "two lines"),
  ],
)
def test_no_text_is_a_formula(given, expected):
  assert csv_cells.escape_formula(given) == expected


@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
@pytest.mark.parametrize("blank", [" ", "  ", "\u00a0", "\u3000", "\v", " \t", "\x1f", "\u2028"])
def test_blanks_hide_no_formula(blank, sign):
  assert csv_cells.escape_formula(f"{blank}{sign}1").startswith(f"'{blank[0]}")
  assert csv_cells.escape_formula(f"a;{blank}{sign}1").startswith(f"a;'{blank[0]}")


@pytest.mark.parametrize("sign", "=+-@\t\r\uff1d\uff0b\uff0d\uff20")
def test_every_sign_of_a_formula_is_known(sign):
  assert csv_cells.escape_formula(f"{sign}1")[0] == "'"
  assert csv_cells.escape_formula(f"a;{sign}1")[:3] == "a;'"


@pytest.mark.parametrize("name", [" winter wheat", "winter - wheat", "a; b+c", " 1"])
def test_blanks_and_signs_within_a_text_stay(name):
  assert csv_cells.escape_formula(name) == name


def test_cells_are_quoted_where_they_need_to_be():
  assert csv_cells.csv_text([["a", 1, None], ["b, c", '"', 2.5]]) == 'a,1,\n"b, c","""",2.5\n'

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
  assert csv_cells.guarded(given) == expected


def test_cells_are_quoted_where_they_need_to_be():
  assert csv_cells.text([["a", 1, None], ["b, c", '"', 2.5]]) == 'a,1,\n"b, c","""",2.5\n'

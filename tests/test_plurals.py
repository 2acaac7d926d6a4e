"""Nouns after numbers."""

import pytest

from mtl_hsi.plurals import noun


@pytest.mark.parametrize(
  ("number", "nouns", "expected"),
  [
    (0, ("pixel",), "pixels"),
    (1, ("pixel",), "pixel"),
    (2, ("pixel",), "pixels"),
    (1, ("class", "classes"), "class"),
    (2, ("class", "classes"), "classes"),
  ],
)
def test_the_noun_fits_its_number(number, nouns, expected):
  assert noun(number, *nouns) == expected

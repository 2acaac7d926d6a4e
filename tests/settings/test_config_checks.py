"""Numbers that a config stores as text."""

import math

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import number


@pytest.mark.parametrize(
  ("text", "expected"), [("-9999", -9999), ("1e-4", 1e-4), ("-.inf", -math.inf), (".5", 0.5), ("", None)]
)
def test_numbers_in_the_spelling_of_python_and_of_yaml(text, expected):
  assert number("nodata", text) == expected


@pytest.mark.parametrize("text", ["nan", "NaN", ".nan", ".NaN"])
def test_no_number(text):
  assert math.isnan(number("nodata", text))


@pytest.mark.parametrize("text", ["none", "..nan", ".", "1,5"])
def test_other_text_is_refused(text):
  with pytest.raises(RequestError, match="config key nodata is"):
    number("nodata", text)

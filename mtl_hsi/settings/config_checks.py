"""Checks of single values of a config, and their errors."""

import re
from collections.abc import Sequence
from typing import Any

from mtl_hsi.errors import RequestError

_YAML_NUMBER = re.compile(r"^([+-]?)\.(nan|inf)$", re.IGNORECASE)


def require(condition: bool, key: str, value: Any, expected: str) -> None:
  """Raises a RequestError that names key, value and what was expected, unless the condition holds."""
  if not condition:
    raise RequestError(f"config key {key} is {value!r}; expected {expected}")


def one_of(choices: Sequence[Any], key: str, value: Any) -> Any:
  """Returns a value that is one of the choices.

  Raises:
    RequestError: it is not one of the choices.
  """
  require(value in choices, key, value, f"one of {', '.join(map(repr, choices))}")
  return value


def number(key: str, text: str) -> float | None:
  """Returns a number that a config stores as text, or None for empty text; ".nan" is YAML's spelling of nan.

  Raises:
    RequestError: the text is not a number.
  """
  try:
    return float(_YAML_NUMBER.sub(r"\1\2", text)) if text else None
  except ValueError:
    raise RequestError(f"config key {key} is {text!r}; expected a number, such as -9999 or nan") from None


def numbers_of(key: str, text: str) -> tuple[float, ...]:
  """Returns the numbers of a list that a config stores as text, such as "-9999,nan"; none for empty text.

  Raises:
    RequestError: an item is not a number.
  """
  found = tuple(number(key, item.strip()) for item in text.split(",")) if text else ()
  require(None not in found, key, text, "numbers with commas between them, such as -9999,nan")
  return found

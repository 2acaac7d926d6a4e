"""The grid of a sweep: keys of a config with several values each, and the config of every combination."""

import ast
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.settings import config_keys

_MOST_CELLS = 10_000
_FORM = "expected KEY=VALUE,VALUE,..., such as --over seed=0,10,20"
# These keys are used before the cells exist.
_REFUSED = ("check_only", "scenes_file")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def read(texts: Sequence[str], config: config_dict.ConfigDict) -> dict[str, dict[str, Any]]:
  """Returns the values of every swept key by their text, from texts such as "replicas=1,5".

  Commas within brackets belong to a value.

  Raises:
    RequestError: a text has the wrong form, a key is unknown or given twice, or a value has the wrong type.
  """
  grid = {}
  for text in texts:
    key, equals, values = text.partition("=")
    key, words = key.strip(), _divided(values)
    if not (key and equals and words and all(words)):
      raise RequestError(f"--over is {text!r}; {_FORM}")
    if key in grid:
      raise RequestError(f"--over names {key} twice; list all its values once")
    if len(set(words)) < len(words):
      raise RequestError(f"--over is {text!r}; expected different values")
    if key in _REFUSED:
      raise RequestError(f"--over cannot vary {key}; remove it")
    config_keys.check(key, list(config_keys.kinds(config)), "")
    grid[key] = {word: _value(config, key, word) for word in words}
  cells = math.prod(map(len, grid.values()))
  if cells > _MOST_CELLS:
    raise RequestError(f"--over gives {cells} combinations; expected at most {_MOST_CELLS}")
  return grid


def combinations(grid: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
  """Returns every combination of the values, as text by key; the last key varies fastest."""
  return [dict(zip(grid, words, strict=True)) for words in itertools.product(*grid.values())]


def changed(config: config_dict.ConfigDict, values: Mapping[str, Any]) -> config_dict.ConfigDict:
  """Returns a locked copy of a config with other values.

  If the optimiser changes, it has only the arguments in `values`.

  Raises:
    RequestError: a value has the wrong type.
  """
  copy = config.copy_and_resolve_references()
  with copy.unlocked():
    if values.get("optimizer.name", copy.optimizer.name) != copy.optimizer.name:
      copy.optimizer = config_dict.ConfigDict({"name": copy.optimizer.name})
    for key, value in values.items():
      *groups, last = key.split(".")
      group = copy
      for name in groups:
        group = group[name]
      try:
        group[last] = value
      except TypeError as error:
        raise RequestError(f"--over gives {key} the value {value!r}: {error}") from error
  return copy.lock()


def _divided(text: str) -> list[str]:
  """Divides a text at the commas outside of brackets."""
  words, depth = [""], 0
  for letter in text:
    depth += _BRACKETS.get(letter, 0)
    if letter == "," and depth <= 0:
      words.append("")
    else:
      words[-1] += letter
  return [word.strip() for word in words]


def _value(config, key, word):
  """Returns the value that a text means for a key."""
  kind = config_keys.kinds(config).get(key)
  if kind is str:
    return word
  if word == "None" and key in _unset(config):
    return None
  try:
    value = ast.literal_eval(word)
  # Python raises various errors for text that is not a value.
  except (ValueError, SyntaxError, MemoryError, RecursionError):
    value = word
  if kind is float and type(value) is int:
    value = float(value)
  # A single value of a key that has several is a tuple of one.
  if kind is tuple and not isinstance(value, tuple):
    value = tuple(value) if isinstance(value, list) else (value,)
  if kind is not None and type(value) is not kind:
    raise RequestError(
      f"--over gives {key} the value {word!r}; expected {_EXPECTED.get(kind, kind.__name__)}"
    )
  return value


_EXPECTED = {int: "a whole number", float: "a number", bool: "True or False", tuple: "values in brackets"}


def _unset(config):
  """Returns the keys that have no value."""
  return {path for path, _, value in config_keys.leaves(config) if value is None}

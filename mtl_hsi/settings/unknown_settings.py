"""Reads what to do with pixels that are unlike every class: from keys to checked, typed values."""

from typing import Any, NamedTuple

from mtl_hsi.settings.config_checks import one_of, require

# Nothing, write the distances, or also mark unknown pixels in the map.
NONE, SCORE, MARK = "none", "score", "mark"


class UnknownSettings(NamedTuple):
  """What to do with pixels that are unlike every class.

  Attributes:
    action: `NONE`, `SCORE` or `MARK`.
    rate: share of pixels of known classes that may be called unknown, above 0 and below 1.
  """

  action: str
  rate: float


def read(config: Any) -> UnknownSettings:
  """Reads the keys `unknown` and `unknown_rate`.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  rate = config.unknown_rate
  require(0 < rate < 1, "unknown_rate", rate, "a number above 0 and below 1")
  return UnknownSettings(one_of((NONE, SCORE, MARK), "unknown", config.unknown), rate)

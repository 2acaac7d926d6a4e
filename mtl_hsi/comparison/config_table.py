"""The keys of the configs of several runs whose values differ."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ABSENT = "\N{EN DASH}"


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
  """Returns the values of all configs, as text, for every key whose values differ, by the path of the key.

  A key without a value, such as "", counts as absent.
  """
  flat = [dict(_leaves(config)) for config in configs]
  keys = dict.fromkeys(key for one in flat for key in one)
  values = {key: [one.get(key, ABSENT) for one in flat] for key in sorted(keys)}
  return {key: texts for key, texts in values.items() if len(set(texts)) > 1}


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
  if isinstance(value, Mapping):
    for name, inner in value.items():
      yield from _leaves(inner, f"{key}.{name}" if key else str(name))
  elif value not in ("", None, [], {}):
    yield key, value if isinstance(value, str) else json.dumps(value)

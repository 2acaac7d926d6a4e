"""The keys of a config: their paths and types, and errors about keys that it does not have."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ml_collections import config_dict

from mtl_hsi.errors import RequestError

# Names that users try, and the last part of the key that they mean.
_SYNONYMS = {"lr": "learning_rate", "epoch": "epochs", "column": "label_column"}


def leaves(config: config_dict.ConfigDict, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
  """Yields the path, group and value of every key that is not a group."""
  for key, value in config.items():
    if isinstance(value, config_dict.ConfigDict):
      yield from leaves(value, f"{prefix}{key}.")
    else:
      yield prefix + key, config, value


def kinds(config: config_dict.ConfigDict) -> dict[str, type]:
  """Returns the type of every key that is not a group, by the path of the key."""
  return {path: group.get_type(path.rpartition(".")[2]) for path, group, _ in leaves(config)}


def check(key: str, known: Sequence[str], argument: str) -> None:
  """Rejects unknown keys and groups of keys; any argument of the optimiser is accepted.

  Args:
    key: path of the key.
    known: paths of all keys of the config.
    argument: the config as given on the command line, `<file>.py[:<argument>]`.

  Raises:
    RequestError: names the key, and what the user probably meant.
  """
  if key in known or re.fullmatch(r"optimizer\.\w+", key):
    return
  _check_scene(key, known, argument)
  inner = [path for path in known if path.startswith(f"{key}.")]
  if inner:
    raise RequestError(f"config key {key!r} is a group; its keys are {', '.join(inner)}")
  parent, _, last = key.rpartition(".")
  name = _SYNONYMS.get(last, last)
  close = [path for path in known if path == f"{parent}.{name}"]
  close = close or [path for path in known if path.endswith(f".{name}")]
  close = close or difflib.get_close_matches(key, known, n=1)
  hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"known keys: {', '.join(known)}"
  raise RequestError(f"unknown config key {key!r}; {hint}")


def _check_scene(key: str, known: Sequence[str], argument: str) -> None:
  """Rejects options of a scene that is missing after the colon of a config that lists its scenes there."""
  found = re.fullmatch(r"files\.([^.]+)\.\w+", key)
  if not found or "scenes_file" not in known:
    return
  scene, scenes = found[1], {path.split(".")[1] for path in known if path.startswith("files.")}
  if scene in scenes or difflib.get_close_matches(scene, scenes):
    return
  file, _, names = argument.partition(":")
  raise RequestError(
    f"unknown config key {key!r}: name the scene after the colon, --config={file}:"
    f"{','.join(filter(None, [names, scene]))}"
  )

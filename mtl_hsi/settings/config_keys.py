"""The keys of a config: their paths and types, and errors about keys that it does not have."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.scene_options import OPTIONS

# Names that users try, and the last part of the key that they mean.
SYNONYMS = {"lr": "learning_rate", "epoch": "epochs", "column": "label_column"}


def split_argument(text: str) -> tuple[str, str, str]:
  """Returns the file of `<file>.py[:<argument>]`, the colon or "", and the argument or "".

  A path may have a colon too, such as that behind the letter of a drive. Without .py, the first colon counts.
  """
  if text.endswith(".py"):
    return text, "", ""
  file, ending, rest = text.partition(".py:")
  return (f"{file}.py", ":", rest) if ending else text.partition(":")


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
  _check_option(key, known)
  inner = [path for path in known if path.startswith(f"{key}.")]
  if inner:
    raise RequestError(f"config key {key!r} is a group; its keys are {', '.join(inner)}")
  parent, _, last = key.rpartition(".")
  close = [path for path in known if path == f"{parent}.{SYNONYMS.get(last, last)}"]
  close = close or meant_by_last_part(last, [path for path in known if "." in path], 1.0)
  close = close or difflib.get_close_matches(key, known, n=1) or meant_by_last_part(last, known, 0.7)
  hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"known keys: {', '.join(known)}"
  raise RequestError(f"unknown config key {key!r}; {hint}")


def _check_option(key: str, known: Sequence[str]) -> None:
  """Rejects an option of a scene without its scene, where no scene is named whose option it could be."""
  option = SYNONYMS.get(key, key)
  if "scenes_file" in known and option in OPTIONS and not any(path.startswith("files.") for path in known):
    raise RequestError(
      f"unknown config key {key!r}: it is an option of a scene, --config.files.<scene>.{option}=<value>"
    )


def meant_by_last_part(name: str, known: Sequence[str], cutoff: float) -> list[str]:
  """Returns the paths of the keys whose last part is a name or a synonym of it, or else similar to it.

  Args:
    name: the last part of a key.
    known: paths of all keys.
    cutoff: smallest similarity, from 0 to 1.
  """
  lasts = {path: path.rpartition(".")[2] for path in known}
  close = difflib.get_close_matches(SYNONYMS.get(name, name), set(lasts.values()), n=1, cutoff=cutoff)
  return [path for path, last in lasts.items() if last in close]


def _check_scene(key: str, known: Sequence[str], argument: str) -> None:
  """Rejects options of a scene that is missing after the colon of a config that lists its scenes there."""
  found = re.fullmatch(r"files\.([^.]+)\.\w+", key)
  if not found or "scenes_file" not in known:
    return
  scene, scenes = found[1], {path.split(".")[1] for path in known if path.startswith("files.")}
  if scene in scenes or difflib.get_close_matches(scene, scenes):
    return
  file, _, names = split_argument(argument)
  raise RequestError(
    f"unknown config key {key!r}: name the scene as well, --config={file}:"
    f"{','.join(filter(None, [names, scene]))}"
  )

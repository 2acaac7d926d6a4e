"""The YAML or TOML file that lists scenes from files and their options."""

import collections
import difflib
import keyword
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.scene_checks import SCENE_NAME
from mtl_hsi.settings.config_keys import SYNONYMS
from mtl_hsi.settings.scene_options import OPTIONS, PATHS

_NULL = "tag:yaml.org,2002:null"
_SUFFIXES = (".yaml", ".yml", ".toml")
# Bytes: some thousand scenes. Reading YAML takes a second per few hundred thousand bytes.
_LARGEST = 1 << 20
# Nesting of brackets; options need two levels.
_DEEPEST = 16


def is_name(name: str) -> bool:
  """Returns whether a name is valid for a scene and for a config key; methods of a config are not."""
  return bool(
    SCENE_NAME.fullmatch(name) and not keyword.iskeyword(name) and not hasattr(config_dict.ConfigDict, name)
  )


def merge(config: config_dict.ConfigDict) -> None:
  """Adds the scenes of the config's `scenes_file` to its `files`; values in `files` take precedence.

  If the config lists no scenes, it gets all scenes of the file, the first as its target.

  Raises:
    RequestError: as for `read`, or the file lacks a scene that the config lists.
  """
  path = Path(config.scenes_file)
  found = read(path)
  if not config.scenes:
    config.scenes = tuple(found)
    config.target = config.scenes[0]
  for name in config.scenes:
    given = {key: value for key, value in config.files.get(name, {}).items() if value}
    if name in found:
      config.files[name] = {**dict.fromkeys(OPTIONS, ""), **found[name], **given}
    elif "cube" not in given and name not in PUBLIC_SCENES:
      raise RequestError(f"{path.absolute()} has no scene {name!r}; it has {', '.join(found)}")


def read(path: Path) -> dict[str, dict[str, str]]:
  """Reads the options of every scene, as text like that of a command line.

  Args:
    path: a file with the names of scenes at its top level and their options below.

  Returns:
    The options by scene, in the order of the file. Paths are relative to the directory of the file.

  Raises:
    RequestError: the file is missing or malformed, or an option is unknown or has no plain value.
  """
  where = str(path.absolute())
  content = _load(path)
  if not isinstance(content, dict) or not content:
    raise RequestError(f"{where} contains no scenes; expected scene names, each with its options below it")
  return {name: _scene(path, name, given, where) for name, given in content.items()}


def _load(path: Path) -> Any:
  suffix = path.suffix.lower()
  if suffix not in _SUFFIXES:
    raise RequestError(f"scenes_file is {path.absolute()}; expected a file ending in {', '.join(_SUFFIXES)}")
  try:
    if path.stat().st_size > _LARGEST:
      raise ValueError(f"it has {path.stat().st_size} bytes; at most {_LARGEST} are read")
    text = path.read_text("utf-8-sig")
    return tomllib.loads(text) if suffix == ".toml" else yaml.load(text, _TextLoader)
  except FileNotFoundError:
    raise RequestError(f"no such file: {path.absolute()} (config key scenes_file)") from None
  except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
    reason = " ".join(str(error).split())
    raise RequestError(f"{path.absolute()} cannot be read (config key scenes_file): {reason}") from error


def _scene(path: Path, name: str, given: Any, where: str) -> dict[str, str]:
  if not is_name(name):
    raise RequestError(
      f"{where}: {name[:80]!r} is not a valid scene name; use at most 64 lower-case letters, digits and _"
    )
  if not isinstance(given, dict):
    raise RequestError(f"{where}: {name} has no options below it; expected at least cube, its image's file")
  options = {key: _text(key, value, f"{where}: {name}") for key, value in given.items()}
  if not options.get("cube"):
    raise RequestError(f"{where}: {name} has no cube; expected the file of its image")
  for key in PATHS:
    if options.get(key):
      options[key] = str(path.parent / options[key])
  return options


def _text(key: str, value: Any, where: str) -> str:
  if key not in OPTIONS:
    close = difflib.get_close_matches(SYNONYMS.get(key, key), OPTIONS, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise RequestError(f"{where}: unknown option {key!r}; {hint}known are {', '.join(OPTIONS)}")
  items = value if isinstance(value, list) else [value]
  # A bool is an int to Python.
  if not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in items):
    raise RequestError(f"{where}: {key} is not a plain value; expected text, a number or a list of these")
  try:
    return ",".join(map(str, items))
  # Python writes no whole numbers of thousands of digits.
  except ValueError as error:
    raise RequestError(f"{where}: {key} has too many digits; expected text, a number or a list") from error


class _TextLoader(yaml.BaseLoader):
  """YAML with only text, lists and mappings, and without repeated keys; null is empty text.

  YAML's types would read the range 40:59 as a number to base 60.
  """

  def fetch_flow_collection_start(self, kind: type[yaml.Token]) -> None:
    # The scanner visits all open brackets again for every new one.
    if self.flow_level == _DEEPEST:
      raise yaml.scanner.ScannerError(None, None, "brackets are nested too deeply", self.get_mark())
    super().fetch_flow_collection_start(kind)

  def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Mapping:
    names = collections.Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
    twice = [name for name, count in names.items() if count > 1]
    if twice:
      raise yaml.constructor.ConstructorError(None, None, f"{twice[0]!r} occurs twice", node.start_mark)
    return super().construct_mapping(node, deep)


_TextLoader.add_implicit_resolver(_NULL, re.compile(r"(~|null|Null|NULL)$"), list("~nN"))
_TextLoader.add_constructor(_NULL, lambda _loader, _node: "")

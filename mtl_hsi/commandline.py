"""From a command line to a resolved config, and from errors to exit statuses."""

import difflib
import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import app, flags
from ml_collections import config_dict, config_flags

from mtl_hsi.errors import RequestError

_LONGEST_NAME = 100


def main(run: Callable[[Sequence[str]], None]) -> None:
  """Parses the flags and calls `run`.

  A RequestError or a bad flag ends the process with one line on stderr and status 2.
  """
  try:
    app.run(run, flags_parser=_parse)
  except RequestError as error:
    _exit(2, f"error: {error}")
  except KeyboardInterrupt:
    _exit(130, "interrupted; the same command goes on from the last checkpoint")


def resolve(flag: flags.FlagHolder) -> config_dict.ConfigDict:
  """The config of a `DEFINE_config_file` flag with the command line's overrides, checked and locked.

  The optimiser's arguments are those of the optimiser that is chosen: keys
  under `optimizer` may be new, and defaults of another one are dropped.

  Raises:
    RequestError: an override of a key that the config does not have.
  """
  config = flag.value
  original, overrides = _load(config_flags.get_config_filename(flags.FLAGS[flag.name])), _overrides(flag)
  known = set(_paths(original))
  for path in overrides:
    if path not in known and not path.startswith("optimizer."):
      close = difflib.get_close_matches(path, known, n=1)
      hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(known))}"
      raise RequestError(f"unknown config key {path!r}{hint}")
  if config.optimizer.name != original.optimizer.name:
    for key in original.optimizer:
      if key != "name" and f"optimizer.{key}" not in overrides:
        del config.optimizer[key]
  return config.lock()


def default_workdir(flag: flags.FlagHolder) -> Path:
  """`runs/`, and there a name made of the config's and of what was changed on the command line."""
  filename, _, argument = config_flags.get_config_filename(flags.FLAGS[flag.name]).partition(":")
  parts = [Path(filename).stem, argument, *(f"{key}={value}" for key, value in sorted(_overrides(flag).items()))]
  name = "-".join(re.sub(r"[^A-Za-z0-9_.=+]+", "_", part) for part in parts if part)
  if len(name) > _LONGEST_NAME:
    name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
  return Path("runs") / name


def _overrides(flag):
  return config_flags.get_override_values(flags.FLAGS[flag.name])


def _load(filename):
  """The config as its file has it, without overrides."""
  path, colon, argument = filename.partition(":")
  spec = importlib.util.spec_from_file_location("config", path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module.get_config(argument) if colon else module.get_config()


def _paths(config, prefix=""):
  for key, value in config.items():
    yield prefix + key
    if isinstance(value, config_dict.ConfigDict):
      yield from _paths(value, f"{prefix}{key}.")


def _parse(argv):
  try:
    return flags.FLAGS(argv)
  except RequestError:
    raise
  except (flags.Error, FileNotFoundError, AttributeError, KeyError, TypeError, ValueError, SyntaxError) as error:
    raise RequestError(" ".join(str(error).split())) from error


def _exit(status, message):
  print(message, file=sys.stderr)
  sys.exit(status)

"""From a command line to a resolved config, and from errors to exit statuses."""

import ast
import difflib
import functools
import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import app, flags
from ml_collections import config_dict, config_flags

from mtl_hsi.errors import RequestError
from mtl_hsi.runtime import interruption

# --help shows the flags of the module that asks for them, not of this one.
flags.disclaim_key_flags()

_LONGEST_NAME = 100

# Keys that tell a kind of config from the others, and are read before a reader looks at all of them.
_NEEDED = {
  "prediction": {"run", "image"},
  "adaptation": {"run", "stem", "optimizer.name", "replicas"},
  "grid": {"tables", "optimizer.name", "replicas"},
  "experiment": {"optimizer.name", "replicas"},
}

# Keys that choose among a grid's runs, which lie side by side.
_CHOOSING = ("cells", "samples_per_class", "dry_run")

_EXPECTED = {
  int: "a whole number",
  float: "a number",
  bool: "True or False",
  tuple: "one value, or several by repeating the flag",
}


def main(run: Callable[[Sequence[str]], None], flag: flags.FlagHolder) -> None:
  """Parses the flags, that of the config among them, and calls `run`.

  A RequestError or a bad flag ends the process with one line on stderr and status 2. SIGTERM and Ctrl-C end
  it with one that says what is left and status 143 and 130; where it trains, as soon as the state is saved.
  """
  try:
    with interruption.sigterm_raises():
      app.run(run, flags_parser=functools.partial(_parse, flag.name))
  except RequestError as error:
    _exit(2, f"error: {error}")
  except KeyboardInterrupt as interrupt:
    word = "terminated" if isinstance(interrupt, interruption.Terminated) else "interrupted"
    _exit(interruption.status(interrupt), f"{word}; {_left_behind(flag)}")


def define_config(name: str, text: str) -> flags.FlagHolder:
  """Declares the flag of a config file whose keys `--<name>.<key>=<value>` overrides.

  A file that is no config and a key that it does not have are RequestErrors;
  keys under `optimizer` may be new, since every optimiser has its own.
  """
  # lock_config and accept_new_attributes let the optimiser's keys through; `resolve` locks.
  flag = config_flags.DEFINE_config_file(name, None, text, lock_config=False, accept_new_attributes=True)
  flags.FLAGS[name].parser = _ConfigFile(name)
  return flag


def resolve(flag: flags.FlagHolder) -> config_dict.ConfigDict:
  """The config of a flag of `define_config` with the command line's overrides, locked.

  Another optimiser than the file's drops the arguments that the file has for its own; scenes are added from
  a `scenes_file`.

  Raises:
    RequestError: no config was named, or its `scenes_file` cannot be used.
  """
  config = flag.value
  if config is None:
    raise RequestError(f"no config; name one, such as --{flag.name}=configs/mtl.py:in (see configs/)")
  original, overrides = flags.FLAGS[flag.name].parser.optimizer, _overrides(flag)
  if original and config.optimizer.name != original["name"]:
    for key in original:
      if key != "name" and f"optimizer.{key}" not in overrides:
        del config.optimizer[key]
  if config.get("scenes_file"):
    from mtl_hsi.settings import scenes_file

    scenes_file.merge(config)
  return config.lock()


def kind(config: config_dict.ConfigDict) -> str:
  """What a config asks for: a "grid" of experiments (configs/paper.py), a "prediction" (configs/predict.py),
  an "adaptation" (configs/adapt.py), or one "experiment"; "" for what is no config of ours.
  """
  keys = _kinds(config).keys()
  return next((name for name, needed in _NEEDED.items() if keys >= needed), "")


def default_workdir(flag: flags.FlagHolder) -> Path:
  """`runs/`, and there a name made of the config's and of what was changed on the command line.

  A grid's directory is the same for all its tables and whatever is chosen of them, since they share runs. A
  prediction has that of the run that predicts.
  """
  if kind(flag.value) == "prediction":
    return Path(flag.value.run)
  filename, _, argument = config_flags.get_config_filename(flags.FLAGS[flag.name]).partition(":")
  changes = _overrides(flag)
  if kind(flag.value) == "grid":
    argument, changes = "", {key: value for key, value in changes.items() if key not in _CHOOSING}
  parts = [Path(filename).stem, argument, *(f"{key}={value}" for key, value in sorted(changes.items()))]
  name = "-".join(re.sub(r"[^A-Za-z0-9_.=+]+", "_", part) for part in parts if part)
  if len(name) > _LONGEST_NAME:
    name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
  return Path("runs") / name


def _left_behind(flag: flags.FlagHolder) -> str:
  """What remains of a request that is interrupted."""
  config = flag.value if flags.FLAGS.is_parsed() else None
  if config is not None and kind(config) == "prediction":
    return "nothing is left of a map that was not finished; the same command begins it anew"
  if config is not None and config.get("check_only"):
    return "nothing was written"
  return "the same command goes on from the last checkpoint"


class _ConfigFile(flags.ArgumentParser):
  """Parser of `<file>.py[:<argument>]`; what ml_collections brings gives tracebacks or no reason at all.

  Attributes:
    optimizer: the optimiser as the file has it, without overrides; empty where nothing is trained.
    kinds: type of every key.
  """

  def __init__(self, name: str):
    self._override = re.compile(rf"--?(?:no)?{name}\.([^=]+)")
    self.optimizer, self.kinds = {}, {}

  def parse(self, argument: str) -> config_dict.ConfigDict:
    config = _load(argument)
    self.optimizer, self.kinds = dict(config.get("optimizer", {})), _kinds(config)
    for found in filter(None, map(self._override.match, sys.argv[1:])):
      _check_key(found[1], list(self.kinds))
    return config


def _file(argument: str) -> Path:
  path = Path(argument.partition(":")[0]).absolute()
  if path.suffix != ".py" or not path.is_file():
    raise RequestError(f"no config file {path}; expected a Python file, such as configs/mtl.py")
  return path


def _load(argument: str) -> config_dict.ConfigDict:
  _, colon, cell = argument.partition(":")
  path = _file(argument)
  try:
    config = _call(path, [cell] if colon else [])
  except RequestError:
    raise
  # The file is a program of its own: anything can happen in it.
  except Exception as error:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    place = f" at line {lines[-1]}" if lines else ""
    raise RequestError(f"config {path} fails{place}: {type(error).__name__}: {error}") from error
  if not isinstance(config, config_dict.ConfigDict) or not kind(config):
    raise RequestError(
      f"config {path}: what get_config returns must start from configs/common.py's ConfigDict"
    )
  return config


def _call(path: Path, arguments: Sequence[str]) -> Any:
  spec = importlib.util.spec_from_file_location("config", path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  if not hasattr(module, "get_config"):
    raise RequestError(f"config {path} has no function get_config")
  try:
    inspect.signature(module.get_config).bind(*arguments)
  except TypeError as error:
    verb = "takes no" if arguments else "needs an"
    raise RequestError(f"config {path} {verb} argument behind a colon") from error
  return module.get_config(*arguments)


def _check_key(key: str, known: Sequence[str]) -> None:
  """Refuses what is no key of the config, or one with keys below it; the optimiser's arguments are free."""
  if key in known or re.fullmatch(r"optimizer\.\w+", key):
    return
  inner = [path for path in known if path.startswith(f"{key}.")]
  if inner:
    raise RequestError(f"config key {key!r} is a group; its keys are {', '.join(inner)}")
  close = difflib.get_close_matches(key, known, n=1)
  hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
  raise RequestError(f"unknown config key {key!r}; {hint}")


def _kinds(config: config_dict.ConfigDict) -> dict[str, type]:
  """Type of every key that has no further keys below it, by its path."""
  return {path: group.get_type(path.rpartition(".")[2]) for path, group, _ in _leaves(config)}


def _leaves(config: config_dict.ConfigDict, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
  """Path, group and value of every key that has no further keys below it."""
  for key, value in config.items():
    if isinstance(value, config_dict.ConfigDict):
      yield from _leaves(value, f"{prefix}{key}.")
    else:
      yield prefix + key, config, value


def _overrides(flag: flags.FlagHolder) -> dict[str, Any]:
  return config_flags.get_override_values(flags.FLAGS[flag.name])


def _help(name: str, argument: str) -> None:
  """Says what a config does and lists its keys."""
  try:
    print(ast.get_docstring(ast.parse(_file(argument).read_text("utf-8"))) or "")
  except (OSError, SyntaxError, ValueError) as error:
    raise RequestError(f"cannot read {_file(argument)}: {error}") from error
  try:
    config = _load(argument)
  except RequestError as error:
    print(f"\nIts keys cannot be listed: {error}")
    return
  print(f"\nKeys, which --{name}.<key>=<value> changes and docs/configs.md explains:\n")
  for path, _, value in _leaves(config):
    print(f"  {path} = {value!r}")
  print("\nOther flags: launch.py --help")


def _named(name: str, argv: Sequence[str]) -> str | None:
  """The config file and argument that a command line names, None where there are none."""
  for place, word in enumerate(argv):
    found = re.fullmatch(rf"--?{name}(?:=(.*))?", word)
    if found:
      return found[1] if found[1] is not None else "".join(argv[place + 1 : place + 2])
  return None


def _parse(name: str, argv: Sequence[str]) -> Sequence[str]:
  """Parses all flags; where a config is named beside --help, that shows the config and not the flags."""
  if {"--help", "-help"} & set(argv) and (argument := _named(name, argv)):
    _help(name, argument)
    sys.exit(0)
  try:
    program, *rest = flags.FLAGS(argv)
  except flags.IllegalFlagValueError as error:
    raise RequestError(_expectation(str(error))) from error
  except TypeError as error:
    if "Could not override field" not in str(error):
      raise
    # A key that the config does not have takes the type of its first value.
    raise RequestError(f"a key is given twice, with values of two types; give it once: {error}") from error
  except (flags.Error, ValueError) as error:
    raise RequestError(str(error)) from error
  if rest:
    raise RequestError(
      f"unexpected argument {rest[0]!r}; all arguments are flags, such as --workdir=runs/mine"
    )
  return [program]


def _expectation(problem: str) -> str:
  """absl's words for a value of the wrong type, with what was expected in place of Python's reason."""
  found = re.match(r"flag --(\w+)\.([^=]+)=", problem)
  if not found:
    return problem
  kind = flags.FLAGS[found[1]].parser.kinds[found[2]]
  return f"{problem.partition(': ')[0]}: expected {_EXPECTED[kind]}"


def _exit(status: int, message: str) -> None:
  line = " ".join(message.split())
  # What a file says must not command the terminal.
  print("".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in line), file=sys.stderr)
  sys.exit(status)

"""Parsing of the command line into a config, and conversion of errors into exit statuses."""

import ast
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import app, flags
from ml_collections import config_dict, config_flags

from mtl_hsi.errors import RequestError
from mtl_hsi.runtime import interruption, streams
from mtl_hsi.settings import config_files, config_keys

# Makes --help show the flags as those of launch.py, not of this module.
flags.disclaim_key_flags()

_LONGEST_NAME = 100

# Keys that choose among the runs of a grid, which all have the same directory.
_CHOOSING = ("cells", "samples_per_class", "dry_run")

_EXPECTED = {
  int: "a whole number",
  float: "a number",
  bool: "True or False",
  tuple: "one value, or several by repeating the flag",
}


def main(
  run: Callable[[Sequence[str]], None],
  flag: flags.FlagHolder,
  failed: Callable[[int, str], None] = lambda status, message: None,
) -> None:
  """Parses the flags of `sys.argv`, including the config, and calls `run`.

  A RequestError or an invalid flag ends the process with one line on stderr and status 2. SIGTERM and Ctrl-C
  end it with status 143 and 130, and with a line that says what remains. A run that is training first saves
  its state. Before such an end `failed` is called with the status and the line.
  """
  streams.prepare()
  try:
    with interruption.signals_raise():
      app.run(run, flags_parser=functools.partial(_parse, flag.name))
  except RequestError as error:
    _tell(2, f"error: {error}", failed)
    sys.exit(2)
  except KeyboardInterrupt as interrupt:
    word = "terminated" if isinstance(interrupt, interruption.Terminated) else "interrupted"
    _tell(interruption.status(interrupt), f"{word}; {_what_remains(flag)}", failed)
    interruption.end(interrupt)


def define_config(name: str, text: str) -> flags.FlagHolder:
  """Declares the flag of a config file, whose keys `--<name>.<key>=<value>` overrides.

  A file that is not a config and an unknown key are RequestErrors. Keys under
  `optimizer` can be added, since every optimiser has different arguments.
  """
  # Both options are needed for new keys under `optimizer`. `resolve` locks the config.
  flag = config_flags.DEFINE_config_file(name, None, text, lock_config=False, accept_new_attributes=True)
  flags.FLAGS[name].parser = _ConfigFile(name)
  return flag


def resolve(flag: flags.FlagHolder) -> config_dict.ConfigDict:
  """Returns the locked config of a flag of `define_config`, with the overrides of the command line.

  If the command line chooses another optimiser, the arguments that the file has for its optimiser are
  dropped. The scenes of a `scenes_file` are added.

  Raises:
    RequestError: no config was given, or its `scenes_file` cannot be used.
  """
  config = flag.value
  if config is None:
    raise RequestError(f"no config given; add one, such as --{flag.name}=configs/mtl.py:in (see configs/)")
  original, changes = flags.FLAGS[flag.name].parser.optimizer, overrides(flag)
  if original and config.optimizer.name != original["name"]:
    for key in original:
      if key != "name" and f"optimizer.{key}" not in changes:
        del config.optimizer[key]
  if config.get("scenes_file"):
    from mtl_hsi.settings import scenes_file

    scenes_file.merge(config)
  return config.lock()


def default_workdir(flag: flags.FlagHolder) -> Path:
  """Returns a directory in `runs/` that is named after the config and the overrides.

  All tables of a grid, and all selections of them, share runs and therefore one directory. Predictions,
  reports and exports use the work directory of their run.
  """
  if config_files.kind(flag.value) == "prediction":
    return Path(flag.value.run)
  if config_files.kind(flag.value) == "report":
    return Path(flag.value.report_of)
  if config_files.kind(flag.value) == "export":
    return Path(flag.value.export_of)
  filename, _, argument = config_keys.split_argument(config_flags.get_config_filename(flags.FLAGS[flag.name]))
  changes = overrides(flag)
  if config_files.kind(flag.value) == "grid":
    argument, changes = "", {key: value for key, value in changes.items() if key not in _CHOOSING}
  return workdir_of((Path(filename).stem, argument), changes)


def workdir_of(names: Sequence[str], changes: Mapping[str, Any]) -> Path:
  """Returns a directory in `runs/` named after some names and after config values, by key."""
  parts = [*names, *(f"{key}={value}" for key, value in sorted(changes.items()))]
  name = "-".join(re.sub(r"[^A-Za-z0-9_.=+]+", "_", part) for part in parts if part)
  if len(name) > _LONGEST_NAME:
    name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
  return Path("runs") / name


def _what_remains(flag: flags.FlagHolder) -> str:
  """Describes what remains of an interrupted request."""
  config = flag.value if flags.FLAGS.is_parsed() else None
  if config is not None and config_files.kind(config) == "prediction":
    return "the incomplete map was removed; run the same command again to start from scratch"
  if config is not None and (
    config_files.kind(config) in ("draw", "estimate", "export", "comparison") or config.get("check_only")
  ):
    return "nothing was written"
  if config is not None and config_files.kind(config) == "report":
    return "the run is as it was; if it is unfinished now, its own command completes it"
  return "run the same command again to resume from the last checkpoint"


class _ConfigFile(flags.ArgumentParser):
  """Parser of `<file>.py[:<argument>]`; that of ml_collections gives tracebacks or no reason at all.

  Attributes:
    optimizer: the optimiser of the file, without overrides; empty if the config trains nothing.
    kinds: the type of every key.
  """

  def __init__(self, name: str):
    self._override = re.compile(rf"--?(?:no)?{name}\.([^=]+)")
    self.optimizer, self.kinds = {}, {}

  def parse(self, argument: str) -> config_dict.ConfigDict:
    config = config_files.load(argument)
    self.optimizer, self.kinds = dict(config.get("optimizer", {})), config_keys.kinds(config)
    for found in filter(None, map(self._override.match, sys.argv[1:])):
      config_keys.check(found[1], list(self.kinds), argument)
    return config


def overrides(flag: flags.FlagHolder) -> dict[str, Any]:
  """Returns the values of config keys that are set on the command line, by key."""
  return config_flags.get_override_values(flags.FLAGS[flag.name])


def _help(name: str, argument: str) -> None:
  """Prints what a config does, and its keys."""
  try:
    print(ast.get_docstring(ast.parse(config_files.file(argument).read_text("utf-8"))) or "")
  except (OSError, SyntaxError, ValueError) as error:
    raise RequestError(f"cannot read {config_files.file(argument)}: {error}") from error
  try:
    lines = config_files.list_keys(argument)
  except RequestError as error:
    print(f"\nIts keys cannot be listed: {error}")
    return
  print(f"\nKeys (change one by --{name}.<key>=<value>; see docs/configs.md):\n")
  print("\n".join(f"  {line}" for line in lines))
  print("\nOther flags: launch.py --help")


def _named(name: str, argv: Sequence[str]) -> str | None:
  """Returns the config file and its argument as given on a command line, or None."""
  for place, word in enumerate(argv):
    found = re.fullmatch(rf"--?{name}(?:=(.*))?", word)
    if found:
      return found[1] if found[1] is not None else "".join(argv[place + 1 : place + 2])
  return None


def _parse(name: str, argv: Sequence[str]) -> Sequence[str]:
  """Parses all flags; --help shows the flags or, with a config, that config instead."""
  if {"--help", "-help"} & set(argv):
    if argument := _named(name, argv):
      _help(name, argument)
    else:
      app.usage(shorthelp=True, writeto_stdout=True)
      print(f"Add --{name}=<file> to --help to see what a config does, and its keys.")
    # absl's own --help ends with status 1.
    sys.exit(0)
  try:
    program, *rest = flags.FLAGS(argv)
  except flags.IllegalFlagValueError as error:
    raise RequestError(_expectation(str(error))) from error
  except TypeError as error:
    if "Could not override field" not in str(error):
      raise
    # A key that is not in the config gets the type of its first value.
    raise RequestError(
      f"a key is given twice, with values of different types; give it once: {error}"
    ) from error
  except flags.UnrecognizedFlagError as error:
    close = config_files.keys_like(error.flagname, _named(name, argv))
    hint = " or ".join(f"--{name}.{key}=<value>" for key in close)
    raise RequestError(f"{error}. Did you mean {hint}?" if close else str(error)) from error
  except (flags.Error, ValueError) as error:
    raise RequestError(str(error)) from error
  if rest:
    raise RequestError(
      f"unexpected argument {rest[0]!r}; all arguments are flags, such as --workdir=runs/mine"
    )
  return [program]


def _expectation(problem: str) -> str:
  """Returns absl's message for a value of the wrong type, with the expected type as the reason."""
  found = re.match(r"flag --(\w+)\.([^=]+)=(.*?)(: |$)", problem)
  if not found:
    return problem
  kind = flags.FLAGS[found[1]].parser.kinds[found[2]]
  return f"config key {found[2]} is {found[3]!r}; expected {_EXPECTED[kind]}"


def _tell(status: int, message: str, failed: Callable[[int, str], None]) -> None:
  line = streams.one_line(message)
  print(line, file=sys.stderr)
  failed(status, line)

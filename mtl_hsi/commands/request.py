"""What a subcommand requests: a config with changes, carried out as by launch.py."""

import contextlib
import dataclasses
import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtl_hsi.runtime import spelling, streams

# Options that all subcommands spell alike.
OPTIONS = {"check_only": "mtl-hsi check", "scenes_file": "a scenes file"}


@dataclasses.dataclass(frozen=True)
class Request:
  """A config, its changes and the flags of launch.py.

  Attributes:
    config: config file with its argument, `<file>.py[:<argument>]`.
    changes: keys and values as text, in the order of the command line; keys may occur several times.
    flags: values of further flags of launch.py, by name; None is no value, a tuple repeats the flag.
    options: see `spelling.spelled`.
    json: whether to print the outcome as JSON, and everything else on standard error.
  """

  config: str
  changes: Sequence[tuple[str, str]]
  flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  options: Mapping[str, str] = dataclasses.field(default_factory=dict)
  json: bool = False

  def arguments(self) -> list[str]:
    """Returns the command line of launch.py, without the program."""
    given = {name: value for name, value in self.flags.items() if value is not None}
    return [
      f"--config={self.config}",
      *(f"--{name}={one}" for name, value in given.items() for one in _several(value)),
      *(f"--config.{key}={value}" for key, value in self.changes),
    ]


def _several(value: Any) -> tuple:
  return value if isinstance(value, tuple) else (value,)


def config_path(name: str) -> str:
  """Returns the path of a config file, by its name in configs/ or as a path ending in .py, and the argument.

  Args:
    name: such as "own", "mtl:in", "own:fields,town" or "mine/config.py:x".
  """
  from mtl_hsi.settings import config_keys

  file, colon, argument = config_keys.split_argument(name)
  if not file.endswith(".py"):
    (folder,) = importlib.util.find_spec("configs").submodule_search_locations
    file = str(Path(folder) / f"{file}.py")
  return f"{file}{colon}{argument}"


def carry_out(request: Request, command: Sequence[str]) -> None:
  """Does what a request asks for, in this process; ends it with a status if that fails.

  Args:
    request: the request.
    command: program, subcommand and arguments as the user typed them.
  """
  from mtl_hsi.commands import launching

  streams.prepare()
  options, answer = {**OPTIONS, **request.options}, sys.stdout
  err = spelling.Spelled(sys.stderr, options)
  out = err if request.json else spelling.Spelled(sys.stdout, options)

  def done(outcome):
    if request.json and outcome is not None:
      print(as_json(0, None, outcome), file=answer)

  def failed(status, message):
    if request.json:
      print(as_json(status, spelling.spelled(message, options)), file=answer, flush=True)

  # ml_collections reads the overrides of a config from sys.argv.
  sys.argv = [command[0], *request.arguments()]
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    launching.main(launching.define_flags(), command, done, failed)


def as_json(status: int, error: str | None, outcome: Mapping[str, Any] | None = None) -> str:
  """Returns the machine-readable outcome of a command, in one line; docs/command.md explains it."""
  error = error and error.removeprefix("error: ")
  return json.dumps({"status": status, "error": error, **(outcome or {})}, allow_nan=False)

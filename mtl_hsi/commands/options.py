"""Options and arguments that several subcommands have, and the class of subcommands."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from mtl_hsi.commands import request
from mtl_hsi.errors import RequestError

Decorator = Callable[[Callable], Callable]


class ConfigCommand(click.Command):
  """A subcommand whose config has keys that `--set` changes.

  Attributes:
    config_file: the config in configs/ that has the keys, with an argument if it needs one.
  """

  def __init__(self, *args: Any, config_file: str, **kwargs: Any):
    super().__init__(*args, **kwargs)
    self.config_file = config_file


def changes(example: str = "replicas=5") -> Decorator:
  """Declares `--set`, with an example of KEY=VALUE, and `--keys`."""
  return _all(
    click.option(
      "--set",
      "changes",
      metavar="KEY=VALUE",
      multiple=True,
      callback=functools.partial(_pairs, example),
      help=f"Change a key of the config, such as --set {example}. May be repeated.",
    ),
    click.option(
      "--keys",
      is_flag=True,
      is_eager=True,
      expose_value=False,
      callback=_show_keys,
      help="List all keys of --set with their defaults, and stop.",
    ),
  )


def output(text: str) -> Decorator:
  """Declares `--output`."""
  return click.option("-o", "--output", metavar="PATH", help=text)


def json_flag() -> Decorator:
  """Declares `--json`."""
  return click.option(
    "--json", "as_json", is_flag=True, help="Print the outcome as JSON, and messages on standard error."
  )


def compile_cache() -> Decorator:
  """Declares `--compile-cache`."""
  return click.option(
    "--compile-cache",
    metavar="DIR",
    help="Directory for compiled programs (default: next to the work directory).",
  )


def processes() -> Decorator:
  """Declares the options of training in several processes."""
  return _all(
    click.option(
      "--coordinator",
      metavar="ADDRESS:PORT",
      help="Train in several processes: address of the first one, or 'auto' under SLURM, Open MPI or on TPU "
      "pods.",
    ),
    click.option("--processes", type=click.IntRange(min=1), help="Number of processes."),
    click.option("--process", type=click.IntRange(min=0), help="Index of this process, counted from 0."),
  )


def _all(*decorators: Decorator) -> Decorator:
  def decorate(function):
    for decorator in reversed(decorators):
      function = decorator(function)
    return function

  return decorate


def _pairs(example: str, _context: click.Context, _parameter: click.Parameter, texts: Sequence[str]):
  """Divides KEY=VALUE."""
  pairs = [text.partition("=") for text in texts]
  for text, (key, equals, _) in zip(texts, pairs, strict=True):
    if not (key and equals):
      raise RequestError(f"--set is {text!r}; expected KEY=VALUE, such as --set {example}")
  return tuple((key.strip(), value) for key, _, value in pairs)


def _show_keys(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
  if not wanted or context.resilient_parsing:
    return
  from mtl_hsi.settings import config_files

  lines = config_files.list_keys(request.config_path(context.command.config_file))
  click.echo("Keys of --set, with their defaults (docs/configs.md explains them):\n")
  click.echo("\n".join(f"  {line}" for line in lines))
  context.exit()

"""The command `mtl-hsi`: its subcommands, and what it does with an invalid command line."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from mtl_hsi import __version__
from mtl_hsi.commands import maps, new, research, training
from mtl_hsi.commands.options import ConfigCommand
from mtl_hsi.commands.request import OPTIONS, Request, as_json, carry_out, config_path
from mtl_hsi.commands.scene_files import SPELLED
from mtl_hsi.errors import RequestError
from mtl_hsi.runtime.spelling import PROGRAM, spelled

_STATUS = 2
_INTERRUPTED = 130


class _InOrder(click.Group):
  """A group whose help lists the subcommands in the order of their use."""

  def list_commands(self, ctx: click.Context) -> list[str]:
    return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name=PROGRAM, message="%(prog)s %(version)s")
def group() -> None:
  """Land cover maps from hyperspectral images and a few labels.

  \b
  The shortest way, from an image and polygons to a map and its accuracy:
    mtl-hsi map image.tif polygons.gpkg --column crop -o runs/fields

  \b
  With a scenes file, which can list many images and their options:
    mtl-hsi new image.tif polygons.gpkg --column crop
    mtl-hsi check scenes.yaml
    mtl-hsi train scenes.yaml -o runs/fields
    mtl-hsi predict runs/fields flight.tif -o maps/flight

  `mtl-hsi COMMAND --help` explains a command with examples. Exit status: 0 if it is done, 2 with one line
  on standard error if it cannot be done, 130 and 143 after Ctrl-C and SIGTERM; docs/command.md has more.
  """


for command in (
  *(training.map_image, new.new, training.check, training.train),
  *(maps.predict, training.adapt, maps.report, maps.export, maps.assess),
  *(research.compare, training.sweep, training.paper),
):
  group.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
  """Runs the command and ends the process with its status.

  Args:
    arguments: the command line without the program; None takes that of the process.
  """
  arguments = sys.argv[1:] if arguments is None else list(arguments)
  sys.exit(_run(arguments))


def _run(arguments: Sequence[str]) -> int:
  try:
    request = group.main(arguments, prog_name=PROGRAM, standalone_mode=False)
  except click.exceptions.NoArgsIsHelpError as error:
    error.show()
    return _STATUS
  except click.Abort:
    return _fail(arguments, _INTERRUPTED, "interrupted; nothing was written")
  except click.UsageError as error:
    return _fail(arguments, _STATUS, f"error: {_usage(error)}")
  except RequestError as error:
    return _fail(arguments, _STATUS, f"error: {error}")
  if isinstance(request, Request):
    carry_out(request, [PROGRAM, *arguments])
  # click returns a status, such as that of --help.
  return request if isinstance(request, int) else 0


def _fail(arguments: Sequence[str], status: int, message: str) -> int:
  """Prints why the command line is refused, and returns the status."""
  from mtl_hsi.runtime import streams

  streams.prepare()
  line = spelled(streams.one_line(message), {**OPTIONS, **SPELLED})
  print(line, file=sys.stderr)
  if "--json" in arguments:
    print(as_json(status, line))
  return status


def _usage(error: click.UsageError) -> str:
  """Returns what is wrong with a command line, and what to do."""
  context = error.ctx
  where = PROGRAM if context is None else context.command_path
  if isinstance(error, click.NoSuchOption) and context and isinstance(context.command, ConfigCommand):
    hint = _option_hint(error, context.command)
    return f"no such option {error.option_name}; {hint or f'see {where} --help'}"
  message = error.format_message().rstrip(".")
  return f"{message[:1].lower()}{message[1:]}; see {where} --help"


def _option_hint(error: click.NoSuchOption, command: ConfigCommand) -> str:
  from mtl_hsi.settings import config_files

  name, config = error.option_name.lstrip("-"), config_path(command.config_file)
  keys = config_files.keys_like(name, config, exactly=True)
  if not keys and not error.possibilities:
    keys = config_files.keys_like(name, config)
  close = [f"--set {key}=<value>" for key in keys] or error.possibilities
  return f"did you mean {' or '.join(close)}?" if close else ""

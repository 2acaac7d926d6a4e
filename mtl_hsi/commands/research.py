"""The subcommands that compare finished runs."""

import os
from collections.abc import Sequence

import click

from mtl_hsi.commands import options
from mtl_hsi.commands.request import Request, config_path

_COMPARE = "compare"


@click.command(cls=options.ConfigCommand, config_file=_COMPARE)
@click.argument("runs", nargs=-1, metavar="RUN RUN ...")
@options.output("Directory of the comparison.")
@options.json_flag()
def compare(runs: Sequence[str], output: str | None, as_json: bool) -> Request:
  """Compare finished runs: accuracies, maps, and the keys that differ.

  Every RUN is the work directory of a finished run. Differences are from the first RUN. They have intervals
  and tests if both runs have the same test pixels or left-out labels.

  \b
  Output in the directory:
    comparison.html   accuracies, maps side by side and differing keys, for a browser
    accuracies.csv    accuracies of every scene and run, and differences
    configs.csv       keys of the configs that differ

  \b
  Example:
    mtl-hsi compare runs/fields runs/fields_no_mnf -o runs/comparison
  """
  # A name such as 2024 would be read as a number.
  changes = [("runs", os.path.join(os.curdir, run)) for run in runs]
  changes += [] if output is None else [("output", output)]
  spelled = {"runs": "RUN", "output": "--output"}
  return Request(config_path(_COMPARE), changes, options=spelled, json=as_json)

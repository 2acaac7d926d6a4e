"""Runs an experiment, or a grid of them: python launch.py --config=configs/mtl.py:pu_all."""

import contextlib
import sys
from pathlib import Path

from absl import flags

from mtl_hsi import commandline, local_processes
from mtl_hsi.errors import RequestError

_CONFIG = commandline.define_config("config", "Config file, with its argument behind a colon.")
_WORKDIR = flags.DEFINE_string(
  "workdir", None, "Where results go; by default under runs/, named after the config."
)
_COMPILE_CACHE = flags.DEFINE_string(
  "compile_cache", None, "Compiled programs; by default beside the work directory."
)
_SHARD = flags.DEFINE_string(
  "shard", "1/1", "Which part of a grid to do, i/n: the i-th of n parts that may run at the same time."
)
_COORDINATOR = flags.DEFINE_string(
  "coordinator",
  None,
  "Joins several processes, on one machine or many, into one run: address:port of the first of them, or "
  "'auto' under SLURM, Open MPI or on TPU pods.",
)
_PROCESSES = flags.DEFINE_integer(
  "processes",
  None,
  "How many processes --coordinator joins; without it, how many to start on the cores of this machine.",
  lower_bound=1,
)
_PROCESS = flags.DEFINE_integer(
  "process", None, "Which of those that --coordinator joins this one is, from 0.", lower_bound=0
)


def main(_):
  config = commandline.resolve(_CONFIG)
  workdir = Path(_WORKDIR.value) if _WORKDIR.value else commandline.default_workdir(_CONFIG)
  if (_COORDINATOR.value or _PROCESSES.value) and commandline.is_grid(config):
    raise RequestError(
      "--coordinator and --processes make one run of several processes; a grid is cut by --shard=i/n"
    )
  with _coordinator() as coordinator:
    # JAX is imported only when the request has proved readable.
    from mtl_hsi import devices

    cache = Path(_COMPILE_CACHE.value or workdir.absolute().parent / ".compile_cache")
    devices.configure(cache, config.replicas)
    if coordinator:
      from mtl_hsi import processes

      index = _PROCESS.value if _COORDINATOR.value else 0
      processes.join(coordinator, _PROCESSES.value, index)
    if commandline.is_grid(config):
      from mtl_hsi import grid, paper_grid

      paper_grid.run(config, workdir, grid.parse_shard(_SHARD.value), sys.argv)
    else:
      from mtl_hsi import experiment

      experiment.run(config, workdir, sys.argv)


def _coordinator():
  """Where to join other processes, if there are any: those given, or those started here."""
  if _COORDINATOR.value or not _PROCESSES.value:
    return contextlib.nullcontext(_COORDINATOR.value)
  return local_processes.started(_PROCESSES.value, sys.argv)


if __name__ == "__main__":
  commandline.main(main)

"""Runs an experiment, or a grid of them: python launch.py --config=configs/mtl.py:pu_all."""

import sys
from pathlib import Path

from absl import flags

from mtl_hsi import commandline
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
_PROCESSES = flags.DEFINE_integer("processes", None, "How many processes --coordinator joins.", lower_bound=1)
_PROCESS = flags.DEFINE_integer("process", None, "Which of them this one is, from 0.", lower_bound=0)


def main(_):
  config = commandline.resolve(_CONFIG)
  workdir = Path(_WORKDIR.value) if _WORKDIR.value else commandline.default_workdir(_CONFIG)
  if _COORDINATOR.value and commandline.is_grid(config):
    raise RequestError("--coordinator joins processes into one run; a grid is cut into parts by --shard=i/n")
  # JAX is imported only when the request has proved readable.
  from mtl_hsi import devices

  cache = Path(_COMPILE_CACHE.value or workdir.absolute().parent / ".compile_cache")
  devices.configure(cache, config.replicas)
  if _COORDINATOR.value:
    from mtl_hsi import processes

    processes.join(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
  if commandline.is_grid(config):
    from mtl_hsi import grid, paper_grid

    paper_grid.run(config, workdir, grid.parse_shard(_SHARD.value), sys.argv)
  else:
    from mtl_hsi import experiment

    experiment.run(config, workdir, sys.argv)


if __name__ == "__main__":
  commandline.main(main)

"""Trains, alone or in grids, adapts and predicts: python launch.py --config=configs/mtl.py:pu_all."""

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
  kind = commandline.kind(config)
  workdir = Path(_WORKDIR.value) if _WORKDIR.value else commandline.default_workdir(_CONFIG)
  if _COORDINATOR.value and kind == "grid":
    raise RequestError("--coordinator joins processes into one run; a grid is cut into parts by --shard=i/n")
  if _COORDINATOR.value and kind == "adaptation":
    raise RequestError("an adaptation runs in one process; leave out --coordinator")
  if kind == "prediction" and (_COORDINATOR.value or _WORKDIR.value):
    raise RequestError(
      "a prediction runs in one process and writes where --config.output says; leave out --coordinator and "
      "--workdir"
    )
  # JAX is imported only when the request has proved readable.
  from mtl_hsi import devices

  cache = Path(_COMPILE_CACHE.value or workdir.absolute().parent / ".compile_cache")
  # Tiles of an image fill all cores, as networks that train do where there are enough of them; how many an
  # adaptation trains, its run may know.
  devices.configure(cache, config.replicas if kind in ("grid", "experiment") else devices.usable_cores())
  if _COORDINATOR.value:
    from mtl_hsi import processes

    processes.join(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
  _REQUESTS[kind](config, workdir)


def _grid(config, workdir):
  from mtl_hsi import grid, paper_grid

  paper_grid.run(config, workdir, grid.parse_shard(_SHARD.value), sys.argv)


def _prediction(config, _):
  from mtl_hsi import predict

  predict.run(config)


def _adaptation(config, workdir):
  from mtl_hsi import adapt

  adapt.run(config, workdir, sys.argv)


def _experiment(config, workdir):
  from mtl_hsi import experiment

  experiment.run(config, workdir, sys.argv)


_REQUESTS = {"grid": _grid, "prediction": _prediction, "adaptation": _adaptation, "experiment": _experiment}


if __name__ == "__main__":
  commandline.main(main)

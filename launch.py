"""Trains, alone or in grids, adapts and predicts: python launch.py --config=configs/mtl.py:pu_all.

A config is one of configs/quickstart.py, own.py, best.py, letter.py, predict.py, adapt.py, mtl.py, paper.py
and rehearsal.py, some with an argument behind a colon. --config=<file> --help says what it does and lists its
keys; --config.<key>=<value> changes any of them, and docs/configs.md explains them.
"""

import contextlib
import sys
from pathlib import Path

from absl import flags

from mtl_hsi import commandline
from mtl_hsi.errors import RequestError
from mtl_hsi.runtime import local_processes

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
  kind = commandline.kind(config)
  workdir = Path(_WORKDIR.value) if _WORKDIR.value else commandline.default_workdir(_CONFIG)
  together = _COORDINATOR.value or _PROCESSES.value
  if together and kind == "grid":
    raise RequestError(
      "--coordinator and --processes make one run of several processes; a grid is cut by --shard=i/n"
    )
  if together and kind == "adaptation":
    raise RequestError("an adaptation runs in one process; leave out --coordinator and --processes")
  if kind == "prediction" and (together or _WORKDIR.value):
    raise RequestError(
      "a prediction runs in one process and writes where --config.output says; leave out --coordinator, "
      "--processes and --workdir"
    )
  with _coordinator() as coordinator:
    # JAX is imported only when the request has proved readable.
    from mtl_hsi.runtime import devices

    cache = Path(_COMPILE_CACHE.value or workdir.absolute().parent / ".compile_cache")
    # Tiles of an image fill all cores, as networks that train do where there are enough of them; how many an
    # adaptation trains, its run may know.
    devices.configure(cache, config.replicas if kind in ("grid", "experiment") else devices.usable_cores())
    if coordinator:
      from mtl_hsi.runtime import processes

      index = _PROCESS.value if _COORDINATOR.value else 0
      processes.join(coordinator, _PROCESSES.value, index)
    _REQUESTS[kind](config, workdir)


def _coordinator():
  """Where to join other processes, if there are any: those given, or those started here."""
  if _COORDINATOR.value or not _PROCESSES.value:
    return contextlib.nullcontext(_COORDINATOR.value)
  return local_processes.started(_PROCESSES.value, sys.argv)


def _grid(config, workdir):
  from mtl_hsi.reproduction import grid, paper_grid

  paper_grid.run(config, workdir, grid.parse_shard(_SHARD.value), sys.argv)


def _prediction(config, _):
  from mtl_hsi.prediction import predict

  predict.run(config)


def _adaptation(config, workdir):
  from mtl_hsi.experiment import adapt

  adapt.run(config, workdir, sys.argv)


def _experiment(config, workdir):
  from mtl_hsi.experiment.run import run_experiment

  run_experiment(config, workdir, sys.argv)


_REQUESTS = {"grid": _grid, "prediction": _prediction, "adaptation": _adaptation, "experiment": _experiment}


if __name__ == "__main__":
  commandline.main(main, _CONFIG)

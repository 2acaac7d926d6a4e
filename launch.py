"""Trains, adapts and applies networks: python launch.py --config=configs/mtl.py:pu_all.

The configs are configs/quickstart.py, own.py, best.py, fields.py, letter.py, predict.py, adapt.py,
assess_draw.py, assess_estimate.py, mtl.py, paper.py and rehearsal.py. Some have an argument after a colon.
--config=<file> --help describes a config and lists its keys, --config.<key>=<value> changes a key, and
docs/configs.md explains all keys.
"""

import sys
from pathlib import Path

from absl import flags

from mtl_hsi import commandline
from mtl_hsi.errors import RequestError

_CONFIG = commandline.define_config("config", "Config file, with its argument after a colon.")
_WORKDIR = flags.DEFINE_string(
  "workdir", None, "Directory for the results (default: in runs/, named after the config)."
)
_COMPILE_CACHE = flags.DEFINE_string(
  "compile_cache", None, "Directory for compiled programs (default: next to the work directory)."
)
_SHARD = flags.DEFINE_string(
  "shard", "1/1", "Part of a grid to run: i/n is the i-th of n parts, which can run at the same time."
)
_COORDINATOR = flags.DEFINE_string(
  "coordinator",
  None,
  "Runs one experiment in several processes, on one machine or many: <address>:<port> of the first process, "
  "or 'auto' under SLURM, Open MPI or on TPU pods.",
)
_PROCESSES = flags.DEFINE_integer(
  "processes",
  None,
  "Number of processes that --coordinator joins.",
  lower_bound=1,
)
_PROCESS = flags.DEFINE_integer(
  "process",
  None,
  "Index of this process among those that --coordinator joins, counted from 0.",
  lower_bound=0,
)


def main(_):
  config = commandline.resolve(_CONFIG)
  kind = commandline.kind(config)
  workdir = Path(_WORKDIR.value) if _WORKDIR.value else commandline.default_workdir(_CONFIG)
  _check_flags(kind)
  if kind in _WITHOUT_JAX:
    _REQUESTS[kind](config, workdir)
    return
  devices, processes = _import_runtime()
  cache = Path(_COMPILE_CACHE.value or workdir.absolute().parent / ".compile_cache")
  # Prediction uses all cores. Training uses as many cores as there are replicas, a number that an adaptation
  # only knows once it has read its run.
  devices.configure(cache, config.replicas if kind in ("grid", "experiment") else devices.usable_cores())
  if _COORDINATOR.value:
    processes.join(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
  if not config.get("check_only"):
    devices.check_backend()
  _REQUESTS[kind](config, workdir)


def _import_runtime():
  """Imports JAX, only after the flags have been checked, since that takes seconds."""
  try:
    from mtl_hsi.runtime import devices, processes
  except ValueError as error:
    raise RequestError(f"JAX cannot read an environment variable: {error}; unset it") from error
  return devices, processes


def _check_flags(kind):
  """Rejects flags that this kind of request does not use."""
  several = (_COORDINATOR.value, _PROCESSES.value, _PROCESS.value) != (None, None, None)
  if several and kind == "grid":
    raise RequestError("a grid runs in one process; remove --coordinator and use --shard=i/n")
  if several and kind == "adaptation":
    raise RequestError("an adaptation runs in one process; remove --coordinator and --processes")
  if kind in ("prediction", *_WITHOUT_JAX) and (several or _WORKDIR.value):
    name = "a prediction" if kind == "prediction" else "an assessment"
    raise RequestError(
      f"{name} runs in one process and writes to --config.output; remove --coordinator, --processes and "
      "--workdir"
    )
  if several and not _COORDINATOR.value:
    raise RequestError("--processes and --process need --coordinator=<address>:<port> of the first process")


def _grid(config, workdir):
  from mtl_hsi.reproduction import grid, paper_grid

  paper_grid.run(config, workdir, grid.parse_shard(_SHARD.value), sys.argv)


def _prediction(config, _):
  from mtl_hsi.prediction import predict

  predict.run(config)


def _draw(config, _):
  from mtl_hsi.assessment import draw

  draw.run(config)


def _estimate(config, _):
  from mtl_hsi.assessment import estimate

  estimate.run(config)


def _adaptation(config, workdir):
  from mtl_hsi.experiment import adapt

  adapt.run(config, workdir, sys.argv)


def _experiment(config, workdir):
  from mtl_hsi.experiment.run import run_experiment

  run_experiment(config, workdir, sys.argv)


_REQUESTS = {
  "grid": _grid,
  "prediction": _prediction,
  "draw": _draw,
  "estimate": _estimate,
  "adaptation": _adaptation,
  "experiment": _experiment,
}
# Requests that use no network.
_WITHOUT_JAX = ("draw", "estimate")


if __name__ == "__main__":
  commandline.main(main, _CONFIG)

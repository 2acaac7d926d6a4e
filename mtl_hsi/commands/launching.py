"""The flags of launch.py, and the start of whatever a config requests."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from mtl_hsi import commandline
from mtl_hsi.errors import RequestError
from mtl_hsi.settings import config_files

# Makes --help show the flags as those of launch.py, not of this module.
flags.disclaim_key_flags()


class Flags(NamedTuple):
  """The flags of launch.py; their values are known once a command line is parsed."""

  config: flags.FlagHolder
  workdir: flags.FlagHolder
  compile_cache: flags.FlagHolder
  shard: flags.FlagHolder
  over: flags.FlagHolder
  status: flags.FlagHolder
  coordinator: flags.FlagHolder
  processes: flags.FlagHolder
  process: flags.FlagHolder


def define_flags() -> Flags:
  """Declares the flags; they can be declared once in a process."""
  return Flags(
    config=commandline.define_config("config", "Config file, with its argument after a colon."),
    workdir=flags.DEFINE_string(
      "workdir", None, "Directory for the results (default: in runs/, named after the config)."
    ),
    compile_cache=flags.DEFINE_string(
      "compile_cache", None, "Directory for compiled programs (default: next to the work directory)."
    ),
    shard=flags.DEFINE_string(
      "shard", "1/1", "Part of a grid to run: i/n is the i-th of n parts, which can run at the same time."
    ),
    over=flags.DEFINE_multi_string(
      "over",
      None,
      "Runs an experiment with every combination of values: <key>=<value>,<value>. May be repeated.",
    ),
    status=flags.DEFINE_bool(
      "status", False, "With --over: only lists the runs and compares the finished ones."
    ),
    coordinator=flags.DEFINE_string(
      "coordinator",
      None,
      "Runs one experiment in several processes, on one machine or many: <address>:<port> of the first "
      "process, or 'auto' under SLURM, Open MPI or on TPU pods.",
    ),
    processes=flags.DEFINE_integer(
      "processes", None, "Number of processes that --coordinator joins.", lower_bound=1
    ),
    process=flags.DEFINE_integer(
      "process",
      None,
      "Index of this process among those that --coordinator joins, counted from 0.",
      lower_bound=0,
    ),
  )


def main(
  given: Flags,
  command: Sequence[str],
  done: Callable[[Any], None] = lambda outcome: None,
  failed: Callable[[int, str], None] = lambda status, message: None,
) -> None:
  """Parses the flags of `sys.argv`, and does what the config requests; see `commandline.main`.

  Args:
    given: the flags of this process.
    command: program and arguments as the user typed them, for the records of a run.
    done: called with what the request returns.
    failed: called with exit status and message before the process ends with an error.
  """
  commandline.main(lambda _: done(_start(given, command)), given.config, failed)


def _start(given: Flags, command: Sequence[str]) -> Any:
  config = commandline.resolve(given.config)
  kind = config_files.kind(config)
  workdir = Path(given.workdir.value) if given.workdir.value else commandline.default_workdir(given.config)
  _check_flags(given, kind)
  _check_effects(given, config)
  start = _STARTS[kind]
  if kind in _WITHOUT_JAX:
    return start(config)
  devices, processes = _import_runtime()
  cache = Path(given.compile_cache.value or workdir.absolute().parent / ".compile_cache")
  devices.configure(cache, _networks(config, kind) or devices.usable_cores())
  if given.coordinator.value:
    processes.join(given.coordinator.value, given.processes.value, given.process.value)
  if not config.get("check_only"):
    devices.check_backend()
  if kind in _WITHOUT_WORKDIR:
    return start(config)
  if given.over.value:
    return _sweep(given, config, workdir, command)
  if kind == "grid":
    return start(config, workdir, given.shard.value, command)
  return start(config, workdir, command)


def _networks(config, kind: str) -> int | None:
  """Returns the number of networks trained at the same time; None for all cores.

  Prediction uses all cores. Training uses one core for each replica; an adaptation knows their number
  only once it has read its run. The last bits of results depend on it.
  """
  if kind == "report" and config.report_of:
    from mtl_hsi.experiment import remake

    return remake.replicas(Path(config.report_of))
  return config.replicas if kind in ("grid", "experiment") else None


def _import_runtime():
  """Imports JAX, only after the flags have been checked, since that takes seconds."""
  _say_that_it_loads()
  try:
    from mtl_hsi.runtime import devices, processes
  except ValueError as error:
    raise RequestError(f"JAX cannot read an environment variable: {error}; unset it") from error
  return devices, processes


def _say_that_it_loads() -> None:
  """Prints on a terminal, but not in a log, that the command has started; the next message replaces it."""
  if sys.stderr.isatty():
    print("Loading ...", end="\r", file=sys.stderr, flush=True)


def _check_flags(given: Flags, kind: str) -> None:
  """Rejects flags that this kind of request does not use."""
  joining = given.coordinator.value, given.processes.value, given.process.value
  several = joining != (None, None, None)
  if several and kind == "grid":
    raise RequestError("a grid runs in one process; remove --coordinator and use --shard=i/n")
  if (given.over.value or given.status.value) and kind != "experiment":
    raise RequestError("--over and --status only apply to configs of experiments; remove them")
  if given.over.value and not given.workdir.value:
    raise RequestError("a sweep needs a directory; name one with --workdir=<path>")
  if given.over.value and several:
    raise RequestError("a sweep runs in one process; remove --coordinator and use --shard=i/n")
  if given.status.value and not given.over.value:
    raise RequestError("--status needs the sweep; add its --over=<key>=<values>")
  if several and kind == "adaptation":
    raise RequestError("an adaptation runs in one process; remove --coordinator and --processes")
  if kind in _WITHOUT_WORKDIR and (several or given.workdir.value):
    raise RequestError(f"{_WITHOUT_WORKDIR[kind]}; remove --coordinator, --processes and --workdir")
  if several and not given.coordinator.value:
    raise RequestError("--processes and --process need --coordinator=<address>:<port> of the first process")


def _check_effects(given: Flags, config: Any) -> None:
  """Rejects values that would have no effect: given twice for a key, or without the key that they need."""
  changed = commandline.overrides(given.config)
  over = [text.partition("=")[0].strip() for text in given.over.value or ()]
  for key in over:
    if key in changed:
      raise RequestError(f"--over and --config.{key} both give values for {key}; remove one of them")
  named = "unknown" in changed or "unknown" in over
  if "unknown_rate" in changed and not named and config.get("unknown") == "none":
    raise RequestError(
      "config key unknown_rate has no effect without unknown; add --config.unknown=mark, or remove "
      "unknown_rate"
    )


def _grid(config, workdir, shard, command):
  from mtl_hsi.reproduction import grid, paper_grid

  paper_grid.run(config, workdir, grid.parse_shard(shard), command)


def _sweep(given, config, workdir, command):
  from mtl_hsi.reproduction import grid, sweep

  shard = grid.parse_shard(given.shard.value)
  return sweep.run(config, given.over.value, workdir, shard, command, only_status=given.status.value)


def _prediction(config):
  from mtl_hsi.prediction import predict

  return predict.run(config)


def _draw(config):
  from mtl_hsi.assessment import draw

  return draw.run(config)


def _estimate(config):
  from mtl_hsi.assessment import estimate

  return estimate.run(config)


def _adaptation(config, workdir, command):
  from mtl_hsi.experiment import adapt

  return adapt.run(config, workdir, command)


def _report(config):
  from mtl_hsi.experiment import remake

  return remake.run(config)


def _export(config):
  from mtl_hsi.sharing import export

  return export.run(config)


def _comparison(config):
  from mtl_hsi.comparison import compare

  return compare.run(config)


def _experiment(config, workdir, command):
  from mtl_hsi.experiment.run import run_experiment

  return run_experiment(config, workdir, command)


_STARTS: Mapping[str, Callable] = {
  "grid": _grid,
  "prediction": _prediction,
  "draw": _draw,
  "estimate": _estimate,
  "adaptation": _adaptation,
  "experiment": _experiment,
  "report": _report,
  "export": _export,
  "comparison": _comparison,
}
# Requests that use no network.
_WITHOUT_JAX = ("draw", "estimate", "comparison")
# Requests that start in one process and are not given a work directory, and where they write.
_WITHOUT_WORKDIR = {
  "prediction": "a prediction runs in one process and writes to --config.output",
  "draw": "an assessment runs in one process and writes to --config.output",
  "estimate": "an assessment runs in one process and writes to --config.output",
  "export": "an export runs in one process and writes to --config.output",
  "comparison": "a comparison runs in one process and writes to --config.output",
  "report": "a report is made in one process, in the work directory of its run",
}

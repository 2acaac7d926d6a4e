"""Makes the results of a finished run again from its saved networks."""

import contextlib
from pathlib import Path
from typing import Any

from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import read_record
from mtl_hsi.settings import experiment_settings
from mtl_hsi.storage import checksums
from mtl_hsi.storage.json_files import read_json, well_formed


def run(config: Any) -> dict | None:
  """Classifies the scenes of a finished run again, and writes maps, accuracies and report.

  Relative paths of scenes start at the directory in which the run was started. If scenes or networks have
  changed since the run, its files stay as they are.

  Args:
    config: a ConfigDict with the keys of `configs/report.py`.

  Returns:
    As `run_experiment`.

  Raises:
    RequestError: the run is missing, unfinished or damaged, or its scenes were never in files.
  """
  if not config.report_of:
    raise RequestError("no run to report on; name a finished work directory with --config.report_of=<path>")
  directory = Path(config.report_of).absolute()
  of_run = read_record(directory, "config.json")
  with well_formed(directory / "environment.json"):
    environment = read_json(directory / "environment.json")
    command, place = list(environment["command"]), Path(environment["directory"])
  if not workdir.is_complete(directory, of_run):
    raise RequestError(
      f"the run in {directory} is not finished; continue it with {workdir.command_line(environment)}"
    )
  if "in_memory" in of_run:
    raise RequestError(f"the scenes of {directory} were in memory; train again with the same Python program")
  checksums.verify(directory)
  of_run = {**config.lacking, **of_run}
  with contextlib.chdir(place) if place.is_dir() else contextlib.nullcontext():
    with well_formed(directory / "config.json"):
      experiment_settings.read(config_dict.ConfigDict(of_run))
    return run_experiment(config_dict.ConfigDict(of_run).lock(), directory, command, again=True)


def replicas(directory: Path) -> int:
  """Returns the number of replicas of a run, by which the devices are configured before JAX is used.

  Raises:
    RequestError: the directory has no valid config.json.
  """
  of_run = read_record(directory, "config.json")
  with well_formed(directory / "config.json"):
    return int(of_run["replicas"])

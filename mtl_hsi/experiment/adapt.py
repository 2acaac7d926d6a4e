"""New scenes on a trained network: what configs/adapt.py leaves to the finished run is filled in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.runs.trained_run import TrainedRun, read_run

_STEMS = ("run", "new")
# What a network must be given in the same way again.
_INHERITED = ("model", "spectral_knowledge", "scaling", "mnf_components", "precision")
_ALIGNMENT = ("alignment", "grid", "bands")


def run(config: Any, directory: Path, command: Sequence[str]) -> None:
  """Trains the scenes of a config of `configs/adapt.py`; arguments and errors as in `experiment.run`."""
  run_experiment(complete(config), directory, command)


def complete(config: Any) -> config_dict.ConfigDict:
  """The config of an experiment that starts from the run.

  A new stem takes the scenes' bands as they are and is trained in every phase.

  Raises:
    RequestError: the run is missing or not finished, or is of no use for what is asked.
  """
  if not config.run:
    raise RequestError("no run to start from: give the work directory of a finished one, --config.run=<path>")
  if config.stem not in _STEMS:
    raise RequestError(f"config key stem is {config.stem!r}; expected one of {', '.join(map(repr, _STEMS))}")
  trained = read_run(Path(config.run))
  whole = config.copy_and_resolve_references()
  with whole.unlocked():
    whole.run = str(Path(config.run).absolute())
    for key in _INHERITED:
      whole[key] = trained.config[key]
    _align(whole, trained)
    if config.replicas is None:
      whole.replicas = trained.replicas
    if config.stem == "new":
      for phase in whole.phases.values():
        phase.frozen = tuple(group for group in phase.frozen if group != "stem")
  return whole.lock()


def _align(whole: config_dict.ConfigDict, trained: TrainedRun) -> None:
  """Bands as the run's stem reads them, or as they are."""
  if whole.stem == "new":
    whole.alignment, whole.grid, whole.bands = "index", "", None
    return
  if not trained.network.shared_stem:
    raise RequestError(
      f"the run in {trained.directory} has a first convolution for each of its scenes "
      "(spectral_knowledge=False) and none for new ones; give --config.stem=new"
    )
  for key in _ALIGNMENT:
    whole[key] = trained.config[key]
  if trained.channels is not None:
    whole.channels = {key: tuple(values.tolist()) for key, values in trained.channels._asdict().items()}

"""Adapts a finished run to new scenes: adds the settings of the run to a config of configs/adapt.py."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_collections import config_dict

from mtl_hsi.channels import scaling
from mtl_hsi.classification import mixture
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.runs.trained_run import TrainedRun, read_run

_STEMS = ("run", "new")
# Keys that the run decides.
_INHERITED = ("model", "spectral_knowledge", "scaling", "mnf_components", "precision")
_ALIGNMENT = ("alignment", "grid", "bands")


def run(config: Any, directory: Path, command: Sequence[str]) -> dict | None:
  """Trains the scenes of a config of `configs/adapt.py`; all else is that of `run_experiment`."""
  return run_experiment(complete(config), directory, command)


def complete(config: Any) -> config_dict.ConfigDict:
  """Returns the config of an experiment that starts from the run.

  A new stem reads the bands of the scenes unchanged and trains in every phase.

  Raises:
    RequestError: the run is missing, unfinished or unsuitable.
  """
  if not config.run:
    raise RequestError("no run to start from; name a finished work directory with --config.run=<path>")
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
      whole.replicas = trained.voters
    _mix_as_possible(whole, trained)
    if config.stem == "new":
      for phase in whole.phases.values():
        phase.frozen = tuple(group for group in phase.frozen if group != "stem")
  return whole.lock()


def _mix_as_possible(whole, trained):
  """Leaves out the members of the mixture that the networks of the run do not allow."""
  whole.mixture.local_patch = trained.config.mixture.local_patch
  if whole.scaling not in scaling.STANDARDISED:
    # A regression needs standardised bands.
    whole.mixture.regression = ()
  elif not whole.mnf_components:
    whole.mixture.regression = tuple(name for name in whole.mixture.regression if name == mixture.BANDS)


def _align(whole: config_dict.ConfigDict, trained: TrainedRun) -> None:
  """Sets the alignment of the run's stem, or none for a new stem."""
  if whole.stem == "new":
    whole.alignment, whole.grid, whole.bands = "index", "", None
    return
  if not trained.network.shared_stem:
    raise RequestError(
      f"the run in {trained.path} has separate first layers for its scenes (spectral_knowledge=False) "
      "and none for new scenes; use --config.stem=new"
    )
  for key in _ALIGNMENT:
    whole[key] = trained.config[key]
  if trained.channels is not None:
    whole.channels = {key: tuple(values.tolist()) for key, values in trained.channels._asdict().items()}

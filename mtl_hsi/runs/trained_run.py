"""A finished run, read from its work directory: scenes, inputs, network and the snapshots that vote."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import config_dict

from mtl_hsi.channels.by_wavelength import SpectralBands
from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import Network
from mtl_hsi.runs import mixture_record, trained_scene
from mtl_hsi.runs.mixture_record import MapMixtures
from mtl_hsi.runs.model_file import ModelFile
from mtl_hsi.runs.networks import make_networks
from mtl_hsi.runs.run_files import RunFiles, WorkDirectoryFiles
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.legend import Legend, make_legend
from mtl_hsi.settings import (
  image_settings,
  inference_settings,
  legend_settings,
  mixture_settings,
  model_settings,
  scene_settings,
  split_settings,
  training_settings,
)
from mtl_hsi.settings.inference_settings import InferenceSettings
from mtl_hsi.settings.split_settings import ensemble_of
from mtl_hsi.storage.json_files import well_formed
from mtl_hsi.training.ensemble import Ensemble


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedRun:
  """A finished run.

  Attributes:
    files: where its networks and records are read from.
    config: its resolved config.
    scenes: by name, in the order of training.
    legend: which output of the network stands for which class of each scene.
    target: name of the scene that the run was about.
    channels: bands to which all scenes were resampled, or None where they were aligned by index.
    network: the architecture.
    local: that with smaller patches, or None.
    ensemble: its networks.
    mixtures: the mixtures of every scene, by name; empty if the run mixes nothing.
    snapshot_epochs: the epochs whose networks vote.
    precision: precision of matrix products, a name of `products.PRECISIONS`.
    inference: how the networks classify.
  """

  files: RunFiles
  config: config_dict.ConfigDict
  scenes: Mapping[str, TrainedScene]
  legend: Legend
  target: str
  channels: SpectralBands | None
  network: Network
  local: Network | None
  ensemble: Ensemble
  mixtures: Mapping[str, MapMixtures]
  snapshot_epochs: tuple[int, ...]
  precision: str
  inference: InferenceSettings

  @property
  def path(self) -> Path:
    """The work directory, or the file that the run was exported to."""
    return self.files.path

  def scene(self, name: str | None) -> TrainedScene:
    """Returns a scene by name; without a name, the target.

    Raises:
      RequestError: the run has no such scene.
    """
    name = name or self.target
    if name not in self.scenes:
      raise RequestError(f"config key scene is {name!r}; the run in {self.path} has {', '.join(self.scenes)}")
    return self.scenes[name]

  @property
  def voters(self) -> int:
    """Number of networks that make maps; those of folds follow them on the replica axis."""
    return self.ensemble.maps * self.ensemble.voters

  @property
  def networks_of_mixture(self) -> tuple[Network, ...]:
    """The architectures: that of the largest patches, and the local one if there is one."""
    return (self.network,) if self.local is None else (self.network, self.local)

  def networks(self, epoch: int) -> dict:
    """Returns {"params", "stats"} and "local" of networks after an epoch of `snapshot_epochs`, stacked.

    The first ones are those that make maps. In a work directory, those that left out a fold follow.

    Raises:
      RequestError: the snapshot is missing, damaged or belongs to another network.
    """
    tree = self._restore(self.network, epoch, local=False)
    return tree if self.local is None else tree | {"local": self._restore(self.local, epoch, local=True)}

  def _restore(self, network, epoch, *, local):
    params, stats = jax.eval_shape(network.init, jax.random.key(0))
    return self.files.networks(epoch, {"params": params, "stats": stats}, self.ensemble, local=local)


def read_run(path: Path) -> TrainedRun:
  """Reads a finished run; its networks are restored when they are needed.

  Args:
    path: its work directory, or the file that it was exported to.

  Raises:
    RequestError: there is no run, or it is unfinished or has no network.
  """
  files = ModelFile(path) if path.is_file() else WorkDirectoryFiles(path)
  config = files.record("config.json")
  files.check_complete(config)
  with well_formed(path / "config.json"):
    config = config_dict.ConfigDict(config)
    model = model_settings.read(config)
    shared = legend_settings.read(config)
    inference = inference_settings.read(config)
    names = scene_settings.names(config)
    target, precision = config.target, config.precision
    split = split_settings.read(config, all_can_train=True)
    mixture = mixture_settings.read(config)
    mixed = split.by_folds or mixture.chosen
    ensemble = ensemble_of(split, config.replicas)
    snapshot_epochs = training_settings.schedule(config).snapshot_epochs
    image_keys = {name: _image_keys(config.get("files", {}).get(name, {})) for name in names}
  if model.name == model_settings.SVM:
    raise RequestError(
      f"the run in {path} has model.name=svm, and SVMs are not saved; expected a run with a network"
    )
  smoothed = inference.options.smoothing.steps > 0 or bool(mixture.smoothings)
  scenes, channels = _read_scenes(files, target, image_keys, smoothed=smoothed)
  with well_formed(path / "scenes.json"):
    legend = make_legend({name: scene.class_names for name, scene in scenes.items()}, shared=shared)
    inputs = [scene.inputs for scene in scenes.values()]
    network, local = make_networks(model, mixture, inputs, legend)
  return TrainedRun(
    files=files,
    config=config,
    scenes=scenes,
    legend=legend,
    target=target,
    channels=channels,
    network=network,
    local=local,
    ensemble=ensemble,
    mixtures=_read_mixtures(files, names, ensemble, mixture, network) if mixed else {},
    snapshot_epochs=snapshot_epochs,
    precision=precision,
    inference=inference,
  )


def _read_scenes(files, target, image_keys, *, smoothed):
  """Returns the scenes by name, and the bands to which they were resampled, or None."""
  record = files.record("scenes.json")
  with well_formed(files.path / "scenes.json"):
    entries = record["scenes"]
    scenes = {
      name: trained_scene.read_scene(name, index, entries[name], keys)
      for index, (name, keys) in enumerate(image_keys.items())
    }
    for scene in scenes.values():
      trained_scene.check_scene(scene, smoothed=smoothed)
    return scenes, _channels(entries[target])


def _read_mixtures(files, names, ensemble, mixture, network):
  regression = (network.stem.bands, network.classes) if mixture.regression else None
  return mixture_record.read(
    files, names, maps=ensemble.maps, members=len(mixture.members), regression=regression
  )


def _image_keys(options: Mapping[str, Any]) -> dict[str, str]:
  keys = {key: options.get(key, "") for key in image_settings.KEYS}
  if not all(isinstance(text, str) for text in keys.values()):
    raise ValueError("expected text in all options of a scene")
  image_settings.read(keys)
  return keys


def _channels(entry):
  if "channels" not in entry:
    return None
  return SpectralBands(**{key: np.array(values, float) for key, values in entry["channels"].items()})

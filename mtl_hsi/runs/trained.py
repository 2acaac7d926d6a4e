"""A finished run, read back from its work directory: scenes, inputs, network and the snapshots that vote."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import config_dict

from mtl_hsi.channels.by_wavelength import SpectralBands
from mtl_hsi.channels.inputs import Inputs, read_inputs
from mtl_hsi.classification.classify import InferenceOptions
from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import Network
from mtl_hsi.models.registry import make_network
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import read_record
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.scenes.scene_checks import SCENE_NAME
from mtl_hsi.settings import image_settings, training_settings
from mtl_hsi.storage.json_files import read_json, well_formed
from mtl_hsi.training.checkpoints import Checkpoints

# Channels of zeros that a run may have behind its bands.
_MOST_CHANNELS = 100_000


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedScene:
  """What a run remembers of one of its scenes.

  Attributes:
    name: of the scene.
    index: its place in the network.
    inputs: from pixels of an image to what the network reads.
    class_names: name of every class by its id, ascending.
    class_colours: colour of classes by id, or None for the palette of the reports.
    wavelengths: band centres of the scene in nm `[bands]`, or None.
    widths: full widths at half maximum in nm `[bands]`, or None.
    image_keys: what was said of its image besides its file (see `image_settings`), "" where nothing was.
  """

  name: str
  index: int
  inputs: Inputs
  class_names: Mapping[int, str]
  class_colours: Mapping[int, tuple[int, int, int]] | None
  wavelengths: np.ndarray | None
  widths: np.ndarray | None
  image_keys: Mapping[str, str]

  @property
  def class_ids(self) -> np.ndarray:
    """Class ids in the order of the network's outputs, int32 `[classes]`."""
    return np.array(list(self.class_names), np.int32)


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedRun:
  """A finished run.

  Attributes:
    directory: its work directory.
    config: as it was resolved.
    scenes: by name, in the order of training.
    target: name of the scene that the run was about.
    channels: bands to which all scenes were resampled, or None where they were aligned by index.
    network: the architecture.
    replicas: R.
    snapshot_epochs: the epochs whose networks vote.
    precision: of matrix products, of `products.PRECISIONS`.
    tile_pixels: bound on the pixels classified at once.
    inference: how they classify.
  """

  directory: Path
  config: config_dict.ConfigDict
  scenes: Mapping[str, TrainedScene]
  target: str
  channels: SpectralBands | None
  network: Network
  replicas: int
  snapshot_epochs: tuple[int, ...]
  precision: str
  tile_pixels: int
  inference: InferenceOptions

  def networks(self, epoch: int) -> dict:
    """{"params", "stats"} of all replicas after an epoch of `snapshot_epochs`, leading axis R.

    Raises:
      RequestError: the snapshot is missing, damaged or of another network.
    """
    params, stats = jax.eval_shape(self.network.init, jax.random.key(0))
    shapes = Replicas(self.replicas, jax.devices()).shapes({"params": params, "stats": stats})
    return Checkpoints(self.directory / "checkpoints").restore_snapshot(epoch, shapes)


def read_run(directory: Path) -> TrainedRun:
  """Reads a finished run back; its networks are restored when they are asked for.

  Raises:
    RequestError: the directory holds no run, one that is not finished, or one without a network.
  """
  config = read_record(directory, "config.json")
  if not workdir.is_complete(directory, config):
    raise RequestError(f"the run in {directory} is not finished; go on with it by {_command(directory)}")
  with well_formed(directory / "config.json"):
    config = config_dict.ConfigDict(config)
    told = training_settings.read(config)
    image_keys = {name: _image_keys(config.get("files", {}).get(name, {})) for name in told.scenes}
  if told.model.name == training_settings.SVM:
    raise RequestError(
      f"the run in {directory} has model.name=svm, whose machines are not kept; expected a run of a network"
    )
  record = read_record(directory, "scenes.json")
  with well_formed(directory / "scenes.json"):
    entries = record["scenes"]
    smoothed = told.inference.smoothing.steps > 0
    scenes = {
      name: _scene(name, index, entries[name], image_keys[name], smoothed)
      for index, name in enumerate(told.scenes)
    }
    channels = _channels(entries[told.target])
    network = make_network(
      bands=scenes[told.target].inputs.channels,
      class_counts=[len(scene.class_names) for scene in scenes.values()],
      **dataclasses.asdict(told.model),
    )
  return TrainedRun(
    directory,
    config,
    scenes,
    told.target,
    channels,
    network,
    told.replicas,
    told.schedule.snapshot_epochs,
    told.precision,
    told.tile_pixels,
    told.inference,
  )


def _image_keys(options: Mapping[str, Any]) -> dict[str, str]:
  keys = {key: options.get(key, "") for key in image_settings.KEYS}
  if not all(isinstance(text, str) for text in keys.values()):
    raise ValueError("options of a scene are texts")
  image_settings.read(keys)
  return keys


def _scene(
  name: str, index: int, entry: Mapping[str, Any], image_keys: Mapping[str, str], smoothed: bool
) -> TrainedScene:
  names = {int(class_id): title for class_id, title in entry["classes"].items()}
  colours = entry.get("colours")
  scene = TrainedScene(
    name=name,
    index=index,
    inputs=read_inputs(entry),
    class_names=dict(sorted(names.items())),
    class_colours=colours and {int(class_id): tuple(colour) for class_id, colour in colours.items()},
    wavelengths=_numbers(entry.get("wavelengths")),
    widths=_numbers(entry.get("widths")),
    image_keys=image_keys,
  )
  _check_scene(scene, smoothed)
  return scene


def _check_scene(scene: TrainedScene, smoothed: bool) -> None:
  """Refuses with a ValueError what no run writes; names become those of files and parts of headers."""

  def require(condition, what):
    if not condition:
      raise ValueError(f"scene {scene.name!r}: {what}")

  inputs, count = scene.inputs, scene.inputs.bands
  require(SCENE_NAME.fullmatch(scene.name), "its name is none")
  require(scene.class_names and min(scene.class_names) > 0, "class ids start at 1")
  require(max(scene.class_names) < 2**16, "class ids end at 65535")
  for title in scene.class_names.values():
    require(title.strip() and title.isprintable(), f"{title!r} is no name of a class")
  for colour in (scene.class_colours or {}).values():
    require(len(colour) == 3 and all(part in range(256) for part in colour), f"{colour} is no colour")
  chosen = inputs.chosen
  require(chosen.ndim == 1 and len(chosen) and min(chosen) >= 0 and max(chosen) < count, "bands")
  for numbers in inputs.scaling:
    require(numbers.shape == chosen.shape and np.isfinite(numbers).all(), "offset and scale, one each a band")
  require(inputs.scaling.scale.all(), "a scale of 0")
  weights = inputs.weights
  require(weights is None or (weights.ndim == 2 and len(weights) == len(chosen)), "weights, a row a band")
  read, mixed = len(chosen) if weights is None else weights.shape[1], inputs.components
  require(mixed is None or (mixed.ndim == 2 and len(mixed) == read), "components, a row a channel")
  require(mixed is None or (mixed.size and np.isfinite(mixed).all()), "components, finite numbers")
  require(inputs.empty in range(_MOST_CHANNELS), f"{inputs.empty} empty channels")
  for numbers in (scene.wavelengths, scene.widths):
    require(numbers is None or numbers.shape == (count,), "wavelengths and widths, one each a band")
  if smoothed:
    contrast = inputs.contrast
    require(isinstance(contrast, float) and 0 < contrast < np.inf, "contrast, which smoothing needs")


def _channels(entry):
  if "channels" not in entry:
    return None
  return SpectralBands(**{key: np.array(values, float) for key, values in entry["channels"].items()})


def _numbers(values):
  return None if values is None else np.array(values, float)


def _command(directory: Path) -> str:
  """What started the run, as far as it is known."""
  try:
    return workdir.command_line(read_json(directory / "environment.json"))
  except (OSError, RequestError, LookupError, TypeError):
    return "the command that started it"

"""The only reader of a whole config: from its keys to checked, typed values."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.channels import scaling
from mtl_hsi.channels.by_wavelength import SpectralBands
from mtl_hsi.classification import classify, logits
from mtl_hsi.errors import RequestError
from mtl_hsi.models import products
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import band_settings, recipe_settings, scene_settings, training_settings
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.settings.scene_settings import Loader
from mtl_hsi.settings.training_settings import ModelSettings
from mtl_hsi.training import optim
from mtl_hsi.training.recipe import Recipe
from mtl_hsi.training.schedule import Schedule


@dataclasses.dataclass(frozen=True)
class Origin:
  """The finished run that training starts from.

  Attributes:
    run: its work directory.
    new_stem: whether the first convolution is a fresh one.
    channels: bands to which the run's scenes were resampled and new ones must be, or None.
  """

  run: Path
  new_stem: bool
  channels: SpectralBands | None


@dataclasses.dataclass(frozen=True)
class Settings:
  """Everything an experiment is told.

  Attributes:
    loaders: how to load each scene, by its name, in the order of training.
    source_files: files that the user has named for the scenes.
    given_splits: names of the scenes whose training and test pixels are given.
    band_ranges: the range of bands a scene starts from, by its name, where it has one.
    target: name of the scene that the experiment is about.
    alignment: "index" or `band_settings.BY_WAVELENGTH`.
    bands: input channels B by index, or None for all bands as they are.
    grid: centres of the common bands in nm, or None to take them from the coarsest scene; by wavelength.
    reversed: names of the scenes whose bands are reversed.
    scaling: from a scene to the scaling of its values.
    mnf_components: minimum noise fractions that join the bands as channels; 0 for none.
    split_file: a split to read back, or None to draw one.
    block_size: side of the blocks that training and test pixels are drawn from, or None for a random split.
    samples_per_class: n, or `ALL`.
    replicas: R.
    seed: of replica 0.
    model: the network, or an SVM.
    mixed: batches of pooled samples.
    batch_size: N.
    drop_last: epochs end without a last partial batch.
    precision: of matrix products, of `products.PRECISIONS`.
    schedule: phases and snapshots.
    optimizer: its name in optax.
    make_optimizer: from a learning rate to a transformation.
    recipe: how training departs from the letter's.
    classify_method: of `logits.METHODS`.
    tile_pixels: bound on the pixels classified at once.
    inference: how the networks classify.
    proposals: how many pixels of each scene are proposed to be labelled next; 0 for none.
    checkpoint_seconds: time between two saves of the state.
    check_only: stop before any work.
    origin: what training starts from, or None for fresh networks.
  """

  loaders: Mapping[str, Loader]
  source_files: tuple[Path, ...]
  given_splits: frozenset[str]
  band_ranges: Mapping[str, slice]
  target: str
  alignment: str
  bands: int | None
  grid: np.ndarray | None
  reversed: frozenset[str]
  scaling: scaling.Method
  mnf_components: int
  split_file: Path | None
  block_size: int | None
  samples_per_class: int
  replicas: int
  seed: int
  model: ModelSettings
  mixed: bool
  batch_size: int
  drop_last: bool
  precision: str
  schedule: Schedule
  optimizer: str
  make_optimizer: optim.Factory
  recipe: Recipe
  classify_method: str
  tile_pixels: int
  inference: classify.InferenceOptions
  proposals: int
  checkpoint_seconds: float
  check_only: bool
  origin: Origin | None


def read(config: Any, scenes: Mapping[str, Scene] | None = None) -> Settings:
  """Reads and checks a config; loads nothing.

  Args:
    config: a ConfigDict with the keys of `configs/common.py`.
    scenes: those that are in memory, by name; the config says where the others are.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  try:
    return _read(config, scenes or {})
  except (AttributeError, KeyError) as error:
    key = str(error).split("\n")[0].strip("\"'")
    raise RequestError(
      f"the config has no key {key!r}; start it from configs/common.py, which has all"
    ) from error


def _read(config, scenes):
  names = scene_settings.names(config)
  for key in ("replicas", "batch_size", "block_size"):
    require(config[key] >= 1, key, config[key], "1 or more")
  require(
    0 <= config.seed <= 2**31 - config.replicas,
    "seed",
    config.seed,
    f"0 to {2**31 - config.replicas}, since keys have 32 bits",
  )
  require(config.bands is None or config.bands >= 1, "bands", config.bands, "1 or more, or None")
  given_splits = scene_settings.given_splits(config, names, scenes)
  _check_samples(config, all_can_train=len(given_splits) == len(names) or config.split == "random")
  require(config.proposals >= 0, "proposals", config.proposals, "0 or more")
  seconds = config.checkpoint_seconds
  require(0 <= seconds < np.inf, "checkpoint_seconds", seconds, "0 or more")
  arguments = {key: value for key, value in config.optimizer.items() if key != "name"}
  return Settings(
    loaders={name: scene_settings.loader(config, name, scenes) for name in names},
    source_files=scene_settings.source_files(config, names, scenes),
    given_splits=given_splits,
    band_ranges=scene_settings.band_ranges(config),
    target=one_of(names, "target", config.target),
    alignment=band_settings.alignment(config),
    bands=config.bands,
    grid=band_settings.grid(config),
    reversed=frozenset(one_of(names, "reversed", name) for name in config.reversed),
    scaling=band_settings.scaling_method(config),
    mnf_components=band_settings.mnf_components(config),
    split_file=None if config.split in ("random", "blocks") else Path(config.split),
    block_size=config.block_size if config.split == "blocks" else None,
    samples_per_class=config.samples_per_class,
    replicas=config.replicas,
    seed=config.seed,
    model=training_settings.model(config),
    mixed=one_of(("per_scene", "mixed"), "batch", config.batch) == "mixed",
    batch_size=config.batch_size,
    drop_last=one_of(("partial", "dropped"), "last_batch", config.last_batch) == "dropped",
    precision=one_of(tuple(products.PRECISIONS), "precision", config.precision),
    schedule=training_settings.schedule(config),
    optimizer=config.optimizer.name,
    make_optimizer=optim.optimizer(config.optimizer.name, arguments),
    recipe=recipe_settings.read(config),
    classify_method=one_of(tuple(logits.METHODS), "classify.method", config.classify.method),
    tile_pixels=training_settings.tile_pixels(config),
    inference=training_settings.inference(config),
    proposals=config.proposals,
    checkpoint_seconds=config.checkpoint_seconds,
    check_only=config.check_only,
    origin=_origin(config),
  )


def _origin(config):
  """Only a config that configs/adapt.py began has one."""
  if "run" not in config:
    return None
  channels = None
  if "channels" in config:
    channels = SpectralBands(np.array(config.channels.centres), np.array(config.channels.widths))
  return Origin(Path(config.run), config.stem == "new", channels)


def _check_samples(config, all_can_train):
  number = config.samples_per_class
  least = 0 if all_can_train else 1
  expected = "1 or more" + (", or 0 for all" if all_can_train else "")
  require(number >= least, "samples_per_class", number, expected)

"""The only reader of a config: from its keys to checked, typed values."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi import baselines, classify, optim, scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.models import multitask, products
from mtl_hsi.scenes import files, registry, sensors, simulate
from mtl_hsi.scenes.public import PUBLIC_SCENES
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.schedule import Phase, Schedule

SVM = "svm"


@dataclasses.dataclass(frozen=True)
class ModelSettings:
  """Arguments of `models.multitask.make_network` that a config decides; `SVM` by name is no network."""

  name: str
  spectral_knowledge: bool
  norm_per_scene: bool
  blocks: int
  pool: bool
  glorot: bool


@dataclasses.dataclass(frozen=True)
class Settings:
  """Everything an experiment is told.

  Attributes:
    loaders: how to load each scene, by its name, in the order of training.
    band_ranges: the range of bands a scene starts from, by its name, where it has one.
    target: name of the scene that the experiment is about.
    bands: input channels B, or None for all bands as they are.
    reversed: names of the scenes whose bands are reversed.
    scaling: from a scene to the scaling of its values.
    split_file: a split to read back, or None to draw one at random.
    samples_per_class: n.
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
    classify_method: of `classify.METHODS`.
    tile_pixels: bound on the pixels classified at once.
    checkpoint_seconds: time between two saves of the state.
  """

  loaders: Mapping[str, Callable[[], Scene]]
  band_ranges: Mapping[str, slice]
  target: str
  bands: int | None
  reversed: frozenset[str]
  scaling: scaling.Method
  split_file: Path | None
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
  classify_method: str
  tile_pixels: int
  checkpoint_seconds: float


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
  """What a finished run was told that its networks depend on; as in `Settings`, `scenes` by name in order."""

  scenes: tuple[str, ...]
  target: str
  model: ModelSettings
  schedule: Schedule
  replicas: int
  precision: str


def read_training(config: Any) -> TrainingSettings:
  """Reads back from the config of a finished run what its networks need; its scenes' files may be gone.

  Raises:
    RequestError: the config lacks a key, or a value is of no use.
  """
  try:
    return TrainingSettings(
      scenes=_scene_names(config),
      target=config.target,
      model=_model(config),
      schedule=_schedule(config),
      replicas=config.replicas,
      precision=config.precision,
    )
  except (AttributeError, KeyError) as error:
    raise RequestError(f"the config of the run lacks a key: {error}") from error


def read(config: Any) -> Settings:
  """Reads and checks a config; loads nothing.

  Args:
    config: a ConfigDict with the keys of `configs/common.py`.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  try:
    return _read(config)
  except (AttributeError, KeyError) as error:
    key = str(error).split("\n")[0].strip("\"'")
    raise RequestError(
      f"the config has no key {key!r}; start it from configs/common.py, which has all"
    ) from error


def _read(config):
  names = _scene_names(config)
  _require(config.alignment == "index", "alignment", config.alignment, "'index'")
  for key in ("samples_per_class", "replicas", "batch_size"):
    _require(config[key] >= 1, key, config[key], "1 or more")
  _require(
    0 <= config.seed <= 2**31 - config.replicas,
    "seed",
    config.seed,
    f"0 to {2**31 - config.replicas}, since keys have 32 bits",
  )
  _require(config.bands is None or config.bands >= 1, "bands", config.bands, "1 or more, or None")
  _require(config.classify.tile_pixels >= 1, "classify.tile_pixels", config.classify.tile_pixels, "1 or more")
  seconds = config.checkpoint_seconds
  _require(0 <= seconds < np.inf, "checkpoint_seconds", seconds, "0 or more")
  arguments = {key: value for key, value in config.optimizer.items() if key != "name"}
  return Settings(
    loaders={name: _loader(config, name) for name in names},
    band_ranges={name: _band_range(name, own.bands) for name, own in config.files.items() if own.bands},
    target=_one_of(names, "target", config.target),
    bands=config.bands,
    reversed=frozenset(_one_of(names, "reversed", name) for name in config.reversed),
    scaling=_scaling(config.scaling),
    split_file=None if config.split == "random" else Path(config.split),
    samples_per_class=config.samples_per_class,
    replicas=config.replicas,
    seed=config.seed,
    model=_model(config),
    mixed=_one_of(("per_scene", "mixed"), "batch", config.batch) == "mixed",
    batch_size=config.batch_size,
    drop_last=_one_of(("partial", "dropped"), "last_batch", config.last_batch) == "dropped",
    precision=_one_of(tuple(products.PRECISIONS), "precision", config.precision),
    schedule=_schedule(config),
    optimizer=config.optimizer.name,
    make_optimizer=optim.optimizer(config.optimizer.name, arguments),
    classify_method=_one_of(classify.METHODS, "classify.method", config.classify.method),
    tile_pixels=config.classify.tile_pixels,
    checkpoint_seconds=config.checkpoint_seconds,
  )


def _scene_names(config):
  names = tuple(config.scenes)
  _require(len(names) >= 1, "scenes", names, "the names of one scene or more")
  _require(len(set(names)) == len(names), "scenes", names, "every scene once")
  return names


def _loader(config, name):
  """How to load a scene: from its files, by simulation, or as a public scene."""
  if name in config.files and config.files[name].cube:
    own = config.files[name]
    return functools.partial(
      files.read_scene,
      name,
      cube=Path(own.cube),
      labels=Path(own.labels) if own.labels else None,
      cube_key=own.cube_key or None,
      labels_key=own.labels_key or None,
      sensor=own.sensor or None,
      nodata=_number(f"files.{name}.nodata", own.nodata) if own.nodata else None,
      class_names=None,
    )
  if name in config.simulate:
    made = config.simulate[name]
    return functools.partial(
      simulate.simulate,
      name,
      height=made.height,
      width=made.width,
      sensor=_sensor(name, made),
      classes=tuple(made.classes),
      seed=made.seed,
      labelled_fraction=made.labelled_fraction,
    )
  if name in PUBLIC_SCENES:
    return functools.partial(
      registry.load_public, name, Path(config.data_dir), config.download, config.accept_changed_files
    )
  given = f", or --config.files.{name}.cube=<file> for a scene of your own" if name in config.files else ""
  raise RequestError(f"unknown scene {name!r}; the public scenes are {', '.join(PUBLIC_SCENES)}{given}")


def _sensor(name, made):
  if not made.centres:
    return sensors.sensor(made.sensor)
  if len(made.centres) != len(made.widths):
    raise RequestError(
      f"simulate.{name} has {len(made.centres)} centres and {len(made.widths)} widths; one each a band"
    )
  return sensors.Sensor(made.sensor, np.asarray(made.centres, float), np.asarray(made.widths, float))


def _number(key, text):
  try:
    return float(text)
  except ValueError:
    raise RequestError(f"config key {key} is {text!r}; expected a number, such as -9999 or nan") from None


def _band_range(name, text):
  first, colon, end = text.partition(":")
  _require(
    bool(colon) and first.isdecimal() and end.isdecimal() and int(first) < int(end),
    f"files.{name}.bands",
    text,
    "'first:end', such as '40:200': bands count from 0, the end is left out",
  )
  return slice(int(first), int(end))


def _scaling(text):
  if text in scaling.METHODS:
    return scaling.METHODS[text]
  try:
    number = float(text)
  except ValueError:
    number = np.nan
  _require(
    0 < number < np.inf, "scaling", text, f"{', '.join(map(repr, scaling.METHODS))} or a positive number"
  )
  return functools.partial(scaling.by_number, number=number)


def _model(config):
  model = config.model
  if _one_of((*multitask.NAMES, SVM), "model.name", model.name) == SVM:
    _check_svm(config)
  return ModelSettings(
    name=model.name,
    spectral_knowledge=config.spectral_knowledge,
    norm_per_scene=_one_of(("per_scene", "joint"), "model.norm", model.norm) == "per_scene",
    blocks=model.blocks,
    pool=model.pool,
    glorot=_one_of(("normal", "glorot"), "model.init", model.init) == "glorot",
  )


def _check_svm(config):
  if config.model.pool or config.model.blocks != 1:
    raise RequestError(
      "model.pool and model.blocks are options of hresnet; with svm leave them at False and 1"
    )
  _require(
    config.split != "random" or config.samples_per_class >= baselines.FOLDS,
    "samples_per_class",
    config.samples_per_class,
    f"{baselines.FOLDS} or more with svm, which is cross-validated in as many parts",
  )


def _schedule(config):
  snapshots = tuple(config.snapshots)
  whole = all(isinstance(epoch, int) for epoch in snapshots)
  _require(whole, "snapshots", snapshots, "whole numbers of epochs")
  return Schedule(tuple(_phase(name, own) for name, own in sorted(config.phases.items())), snapshots)


def _phase(name, own):
  rate = own.learning_rate
  _require(0 < rate < np.inf, f"phases.{name}.learning_rate", rate, "a positive number")
  return Phase(name, own.epochs, rate, tuple(own.frozen))


def _one_of(choices, key, value):
  _require(value in choices, key, value, f"one of {', '.join(map(repr, choices))}")
  return value


def _require(condition, key, value, expected):
  if not condition:
    raise RequestError(f"config key {key} is {value!r}; expected {expected}")

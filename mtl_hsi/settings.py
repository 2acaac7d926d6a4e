"""The only reader of a config: from its keys to checked, typed values."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi import baselines, classify, optim, recipe_settings, scaling, scene_settings
from mtl_hsi.config_checks import one_of, require
from mtl_hsi.errors import RequestError
from mtl_hsi.models import convolution, multitask, products
from mtl_hsi.recipe import Recipe
from mtl_hsi.scene_settings import Loader
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.schedule import Phase, Schedule
from mtl_hsi.wavelengths import Bands

SVM = "svm"
BY_WAVELENGTH = "wavelength"


@dataclasses.dataclass(frozen=True)
class ModelSettings:
  """Arguments of `models.multitask.make_network` that a config decides; `SVM` by name is no network."""

  name: str
  spectral_knowledge: bool
  norm_per_scene: bool
  blocks: int
  pool: bool
  glorot: bool
  convolution: str
  patch: int | None
  width: int | None


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
  channels: Bands | None


@dataclasses.dataclass(frozen=True)
class Settings:
  """Everything an experiment is told.

  Attributes:
    loaders: how to load each scene, by its name, in the order of training.
    test_loaders: the same with the labels of the test pixels, of scenes whose own labels are those of
      the training pixels.
    band_ranges: the range of bands a scene starts from, by its name, where it has one.
    target: name of the scene that the experiment is about.
    alignment: "index" or `BY_WAVELENGTH`.
    bands: input channels B by index, or None for all bands as they are.
    grid: centres of the common bands in nm, or None to take them from the coarsest scene; by wavelength.
    reversed: names of the scenes whose bands are reversed.
    scaling: from a scene to the scaling of its values.
    split_file: a split to read back, or None to draw one.
    block_size: side of the blocks that training and test pixels are drawn from, or None for a random split.
    samples_per_class: n, or 0 for all training pixels given.
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
    classify_method: of `classify.METHODS`.
    tile_pixels: bound on the pixels classified at once.
    symmetric: whether pixels are classified in all symmetries, see `symmetries.symmetric`.
    checkpoint_seconds: time between two saves of the state.
    check_only: stop before any work.
    origin: what training starts from, or None for fresh networks.
  """

  loaders: Mapping[str, Loader]
  test_loaders: Mapping[str, Loader]
  band_ranges: Mapping[str, slice]
  target: str
  alignment: str
  bands: int | None
  grid: np.ndarray | None
  reversed: frozenset[str]
  scaling: scaling.Method
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
  symmetric: bool
  checkpoint_seconds: float
  check_only: bool
  origin: Origin | None


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
  """What a finished run was told that its networks depend on; as in `Settings`, `scenes` by name in order."""

  scenes: tuple[str, ...]
  target: str
  model: ModelSettings
  schedule: Schedule
  replicas: int
  precision: str
  symmetric: bool


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
      symmetric=config.classify.symmetries,
    )
  except (AttributeError, KeyError) as error:
    raise RequestError(f"the config of the run lacks a key: {error}") from error


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
  names = _scene_names(config)
  for key in ("replicas", "batch_size", "block_size"):
    require(config[key] >= 1, key, config[key], "1 or more")
  require(
    0 <= config.seed <= 2**31 - config.replicas,
    "seed",
    config.seed,
    f"0 to {2**31 - config.replicas}, since keys have 32 bits",
  )
  require(config.bands is None or config.bands >= 1, "bands", config.bands, "1 or more, or None")
  test_loaders = scene_settings.test_loaders(config, names)
  _check_samples(config, all_given=len(test_loaders) == len(names))
  _check_alignment(config)
  require(config.classify.tile_pixels >= 1, "classify.tile_pixels", config.classify.tile_pixels, "1 or more")
  seconds = config.checkpoint_seconds
  require(0 <= seconds < np.inf, "checkpoint_seconds", seconds, "0 or more")
  arguments = {key: value for key, value in config.optimizer.items() if key != "name"}
  return Settings(
    loaders={name: scene_settings.loader(config, name, scenes) for name in names},
    test_loaders=test_loaders,
    band_ranges=scene_settings.band_ranges(config),
    target=one_of(names, "target", config.target),
    alignment=one_of(("index", BY_WAVELENGTH), "alignment", config.alignment),
    bands=config.bands,
    grid=_grid(config.grid) if config.grid else None,
    reversed=frozenset(one_of(names, "reversed", name) for name in config.reversed),
    scaling=_scaling(config.scaling),
    split_file=None if config.split in ("random", "blocks") else Path(config.split),
    block_size=config.block_size if config.split == "blocks" else None,
    samples_per_class=config.samples_per_class,
    replicas=config.replicas,
    seed=config.seed,
    model=_model(config),
    mixed=one_of(("per_scene", "mixed"), "batch", config.batch) == "mixed",
    batch_size=config.batch_size,
    drop_last=one_of(("partial", "dropped"), "last_batch", config.last_batch) == "dropped",
    precision=one_of(tuple(products.PRECISIONS), "precision", config.precision),
    schedule=_schedule(config),
    optimizer=config.optimizer.name,
    make_optimizer=optim.optimizer(config.optimizer.name, arguments),
    recipe=recipe_settings.read(config),
    classify_method=one_of(classify.METHODS, "classify.method", config.classify.method),
    tile_pixels=config.classify.tile_pixels,
    symmetric=config.classify.symmetries,
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
    channels = Bands(np.array(config.channels.centres), np.array(config.channels.widths))
  return Origin(Path(config.run), config.stem == "new", channels)


def _scene_names(config):
  names = tuple(config.scenes)
  require(
    len(names) >= 1,
    "scenes",
    names,
    "the names of one scene or more, behind the colon of configs/own.py or in --config.scenes_file=<file>",
  )
  require(len(set(names)) == len(names), "scenes", names, "every scene once")
  return names


def _check_samples(config, all_given):
  number = config.samples_per_class
  least = 0 if all_given else 1
  expected = "1 or more" + (", or 0 for all training pixels" if all_given else "")
  require(number >= least, "samples_per_class", number, expected)


def _check_alignment(config):
  """The two ways to align have options of their own."""
  if config.alignment == BY_WAVELENGTH and config.bands is not None:
    raise RequestError(
      f"config key bands is {config.bands}, which belongs to alignment=index; with alignment=wavelength "
      "leave it at None, as in configs/own.py, and give 'grid' to choose the common bands"
    )
  if config.alignment == "index" and config.grid:
    raise RequestError(
      f"config key grid is {config.grid!r}, which belongs to alignment=wavelength; leave it empty"
    )


def _grid(text):
  """ "400:2500:10", the end included, or "450,550,650", in nm."""
  try:
    if ":" in text:
      first, end, step = map(float, text.split(":"))
      # A step that fits up to rounding still ends at the end.
      centres = first + step * np.arange(int((end - first) / step + 1e-6) + 1)
    else:
      centres = np.array([float(number) for number in text.split(",")])
  except (ValueError, ZeroDivisionError, OverflowError):
    centres = np.zeros(0)
  require(
    centres.size > 0 and np.isfinite(centres).all() and centres.min() > 0 and centres.max() >= 100,
    "grid",
    text,
    "'first:last:step' in nm, such as '400:2500:10', or centres with commas between",
  )
  return centres


def _scaling(text):
  if text in scaling.METHODS:
    return scaling.METHODS[text]
  try:
    number = float(text)
  except ValueError:
    number = np.nan
  require(
    0 < number < np.inf, "scaling", text, f"{', '.join(map(repr, scaling.METHODS))} or a positive number"
  )
  return functools.partial(scaling.by_number, number=number)


def _model(config):
  model = config.model
  if one_of((*multitask.NAMES, SVM), "model.name", model.name) == SVM:
    _check_svm(config)
  multitask.check_options(
    model.name, blocks=model.blocks, pool=model.pool, patch=model.patch, width=model.width
  )
  return ModelSettings(
    name=model.name,
    spectral_knowledge=config.spectral_knowledge,
    norm_per_scene=one_of(("per_scene", "joint"), "model.norm", model.norm) == "per_scene",
    blocks=model.blocks,
    pool=model.pool,
    glorot=one_of(("normal", "glorot"), "model.init", model.init) == "glorot",
    convolution=_convolution(config),
    patch=model.patch,
    width=model.width,
  )


def _convolution(config):
  name = one_of(tuple(convolution.FORMS), "model.convolution", config.model.convolution)
  require(
    name == "products" or config.precision != "bfloat16",
    "model.convolution",
    name,
    "'products' with precision='bfloat16'",
  )
  return name


def _check_svm(config):
  drawn, number = config.split in ("random", "blocks"), config.samples_per_class
  require(
    # 0 takes all pixels given, which are counted once they are read.
    not drawn or number == 0 or number >= baselines.FOLDS,
    "samples_per_class",
    number,
    f"{baselines.FOLDS} or more with svm, which is cross-validated in as many parts",
  )


def _schedule(config):
  snapshots = tuple(config.snapshots)
  whole = all(isinstance(epoch, int) for epoch in snapshots)
  require(whole, "snapshots", snapshots, "whole numbers of epochs")
  return Schedule(tuple(_phase(name, own) for name, own in sorted(config.phases.items())), snapshots)


def _phase(name, own):
  rate = own.learning_rate
  require(0 < rate < np.inf, f"phases.{name}.learning_rate", rate, "a positive number")
  return Phase(name, own.epochs, rate, tuple(own.frozen))

"""The part of a config that says where scenes come from: from its keys to loaders."""

import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import files
from mtl_hsi.scenes.public import registry, sensors
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.simulated import simulate
from mtl_hsi.settings import image_settings
from mtl_hsi.settings.config_checks import require
from mtl_hsi.settings.scenes_file import PATHS

Loader = Callable[[], Scene]


def names(config: Any) -> tuple[str, ...]:
  """Names of the scenes, in the order of training.

  Raises:
    RequestError: there is none, or one stands there twice.
  """
  found = tuple(config.scenes)
  require(
    len(found) >= 1,
    "scenes",
    found,
    "the names of one scene or more, behind the colon of configs/own.py or in --config.scenes_file=<file>",
  )
  require(len(set(found)) == len(found), "scenes", found, "every scene once")
  return found


def loader(config: Any, name: str, given: Mapping[str, Scene]) -> Loader:
  """How to load a scene: as it was given, from its files, by simulation, or as a public scene.

  Raises:
    RequestError: the config says of no scene of this name where it is, or an option cannot be.
  """
  if name in given:
    return lambda: given[name]
  if name in config.files and config.files[name].cube:
    own = config.files[name]
    return functools.partial(
      _read_files,
      name,
      own,
      cube=Path(own.cube),
      labels=Path(own.labels) if own.labels else None,
      cube_key=own.cube_key or None,
      labels_key=own.labels_key or None,
      sensor=own.sensor or None,
      class_names=None,
      label_column=own.label_column or None,
      classes=Path(own.classes) if own.classes else None,
      more_labels=Path(own.more_labels) if own.get("more_labels") else None,
      test=Path(own.test) if own.get("test") else None,
      test_key=own.get("test_key") or None,
      split_column=own.get("split_column") or None,
      **image_settings.read(own, f"files.{name}."),
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
    _check_no_files(config, name)
    return functools.partial(
      registry.load_public, name, Path(config.data_dir), config.download, config.accept_changed_files
    )
  given = f", or --config.files.{name}.cube=<file> for a scene of your own" if name in config.files else ""
  raise RequestError(f"unknown scene {name!r}; the public scenes are {', '.join(PUBLIC_SCENES)}{given}")


def _read_files(name, own, **arguments):
  """The scene of files that all exist; a message names the config key of one that does not."""
  for key in PATHS:
    if own.get(key) and not os.path.exists(own[key]):
      raise RequestError(f"no such file: {Path(own[key]).absolute()} (config key files.{name}.{key})")
  return files.read_scene(name, **arguments)


def _check_no_files(config, name):
  """A public scene has files of its own; a range of bands is all that can be said of it."""
  for option, text in config.files.get(name, {}).items():
    if text and option != "bands":
      raise RequestError(
        f"files.{name}.{option} is {text!r} and there is no files.{name}.cube: a public scene has files of "
        "its own; leave it out, or give the cube"
      )


def given_splits(config: Any, names: Sequence[str], given: Mapping[str, Scene]) -> frozenset[str]:
  """Names of the scenes whose training and test pixels are given, by their files or in memory.

  Raises:
    RequestError: they are given twice, or the config names a split of its own too.
  """
  for name in names:
    own = config.files.get(name, {})
    if own.get("test_key") and not own.get("test"):
      raise RequestError(f"files.{name}.test_key is {own['test_key']!r} and there is no files.{name}.test")
  sources = {name: _split_options(config, name, given) for name in names}
  for name, options in sources.items():
    if len(options) > 1:
      raise RequestError(f"files.{name}.test and .split_column both give test pixels; leave one of them out")
    if options and config.split not in ("random", "blocks"):
      raise RequestError(
        f"{options[0]} gives test pixels, and split={config.split!r} too; leave one of them out"
      )
  return frozenset(name for name, options in sources.items() if options)


def _split_options(config, name, given):
  """What gives the training and test pixels of a scene."""
  if name in given:
    return [] if given[name].tested is None else [f"tested of scene {name!r}"]
  own = config.files.get(name, {})
  return [f"files.{name}.{option}" for option in ("test", "split_column") if own.get(option)]


def source_files(config: Any, names: Sequence[str], given: Mapping[str, Scene]) -> tuple[Path, ...]:
  """The files that the user has named for the scenes that are not in memory."""
  own = [config.files[name] for name in names if name in config.files and name not in given]
  return tuple(Path(options[key]) for options in own for key in PATHS if options.get(key))


def band_ranges(config: Any) -> Mapping[str, slice]:
  """The range of bands that a scene starts from, by its name, where it has one.

  Raises:
    RequestError: a range is none.
  """
  return {name: _band_range(name, own.bands) for name, own in config.files.items() if own.bands}


def _band_range(name, text):
  found = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text)
  first, end = map(int, found.groups()) if found else (0, 0)
  require(
    first < end,
    f"files.{name}.bands",
    text,
    "'first:end', such as '40:200': bands count from 0, the end is left out",
  )
  return slice(first, end)


def _sensor(name, made):
  if not made.centres:
    return sensors.sensor(made.sensor)
  if len(made.centres) != len(made.widths):
    raise RequestError(
      f"simulate.{name} has {len(made.centres)} centres and {len(made.widths)} widths; one each a band"
    )
  return sensors.Sensor(made.sensor, np.asarray(made.centres, float), np.asarray(made.widths, float))

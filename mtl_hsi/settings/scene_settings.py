"""Settings of the scenes: where they come from."""

import dataclasses
import functools
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import files
from mtl_hsi.scenes.public import registry, sensors
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.simulated import simulate
from mtl_hsi.settings import image_settings, library_settings
from mtl_hsi.settings.config_checks import numbers_of, one_of, require
from mtl_hsi.settings.scene_options import PATHS
from mtl_hsi.splits import split

Loader = Callable[[], Scene]


@dataclasses.dataclass(frozen=True)
class SceneSettings:
  """The scenes and where they come from.

  Attributes:
    loaders: a function that loads each scene, by name, in the order of training.
    source_files: files that the user named for the scenes.
    given_splits: names of the scenes whose training and test pixels are given.
    band_ranges: the range of bands used of a scene, by name, where there is one.
    target: name of the scene that the experiment is about.
  """

  loaders: Mapping[str, Loader]
  source_files: tuple[Path, ...]
  given_splits: frozenset[str]
  band_ranges: Mapping[str, slice]
  target: str


def read(config: Any, in_memory: Mapping[str, Scene]) -> SceneSettings:
  """Reads and checks where the scenes come from; loads nothing.

  Args:
    config: the whole config.
    in_memory: scenes in memory, by name.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  scenes = names(config)
  require(config.whole_scene_mb >= 0, "whole_scene_mb", config.whole_scene_mb, "0 or more")
  return SceneSettings(
    given_splits=_given_splits(config, scenes, in_memory),
    loaders={name: _loader(config, name, in_memory) for name in scenes},
    source_files=_source_files(config, scenes, in_memory),
    band_ranges=_band_ranges(config),
    target=one_of(scenes, "target", config.target),
  )


def names(config: Any) -> tuple[str, ...]:
  """Returns the names of the scenes, in the order of training.

  Raises:
    RequestError: there is no scene, or one is listed twice.
  """
  found = tuple(config.scenes)
  require(
    len(found) >= 1,
    "scenes",
    found,
    "the names of one scene or more, as in --config=configs/own.py:fields,town or "
    "--config.scenes_file=<file>",
  )
  require(len(set(found)) == len(found), "scenes", found, "every scene once")
  return found


def _loader(config, name, in_memory):
  """A function that returns the scene in memory, reads its files, simulates it, or loads a public scene."""
  if name in in_memory:
    return lambda: in_memory[name]
  if name in config.files and config.files[name].cube:
    options = config.files[name]
    return functools.partial(
      _read_files,
      name,
      options,
      cube=Path(options.cube),
      labels=Path(options.labels) if options.labels else None,
      cube_key=options.cube_key or None,
      labels_key=options.labels_key or None,
      sensor=options.sensor or None,
      class_names=None,
      label_column=options.label_column or None,
      classes=Path(options.classes) if options.classes else None,
      more_labels=Path(options.more_labels) if options.get("more_labels") else None,
      test=Path(options.test) if options.get("test") else None,
      test_key=options.get("test_key") or None,
      split_column=options.get("split_column") or None,
      labels_nodata=numbers_of(f"files.{name}.labels_nodata", options.get("labels_nodata", "")),
      labels_crs=_crs(f"files.{name}.labels_crs", options.get("labels_crs")),
      whole_up_to=config.whole_scene_mb * 10**6,
      library=library_settings.read(options, f"files.{name}."),
      **image_settings.read(options, f"files.{name}."),
    )
  if name in config.simulate:
    simulation = config.simulate[name]
    return functools.partial(
      simulate.simulate,
      name,
      height=simulation.height,
      width=simulation.width,
      sensor=_sensor(name, simulation),
      classes=tuple(simulation.classes),
      seed=simulation.seed,
      labelled_fraction=simulation.labelled_fraction,
    )
  if name in PUBLIC_SCENES:
    _check_no_files(config, name)
    return functools.partial(
      registry.load_public, name, Path(config.data_dir), config.download, config.accept_changed_files
    )
  hint = f", or --config.files.{name}.cube=<file> for a scene of your own" if name in config.files else ""
  raise RequestError(f"unknown scene {name!r}; the public scenes are {', '.join(PUBLIC_SCENES)}{hint}")


def _crs(key, text):
  """The name of a coordinate reference system, checked, or None."""
  if not text:
    return None
  import pyproj

  try:
    pyproj.CRS.from_user_input(text)
  except pyproj.exceptions.CRSError:
    require(False, key, text, "a coordinate reference system, such as EPSG:32633")
  return text


def check_files(config: Any) -> None:
  """Checks that the files of a config's scenes exist, without opening them.

  Raises:
    RequestError: names the first missing file and its config key.
  """
  for name in names(config):
    if name in config.files:
      _check_files(name, config.files[name])


def _check_files(name, options):
  for key in PATHS:
    if options.get(key) and not os.path.exists(options[key]):
      raise RequestError(f"no such file: {Path(options[key]).absolute()} (config key files.{name}.{key})")


def _read_files(name, options, **arguments):
  _check_files(name, options)
  return files.read_scene(name, **arguments)


def _check_no_files(config, name):
  """Refuses the options of files for a public scene; it may have only a range of bands."""
  for option, text in config.files.get(name, {}).items():
    if text and option != "bands":
      raise RequestError(
        f"files.{name}.{option} is {text!r} and there is no files.{name}.cube: a public scene has its own "
        "files; leave this key out, or give the cube"
      )


def _given_splits(config, names, in_memory):
  """Names of the scenes whose training and test pixels are given, in files or in memory."""
  for name in names:
    options = config.files.get(name, {})
    if options.get("test_key") and not options.get("test"):
      raise RequestError(
        f"files.{name}.test_key is {options['test_key']!r} and there is no files.{name}.test"
      )
  sources = {name: _split_options(config, name, in_memory) for name in names}
  if any(sources.values()) and config.split not in split.NAMES:
    split.check_exists(Path(config.split))
  for name, keys in sources.items():
    if len(keys) > 1:
      raise RequestError(f"files.{name}.test and .split_column both give test pixels; leave one of them out")
    if keys and config.split not in split.NAMES:
      raise RequestError(f"{keys[0]} and split={config.split!r} both give test pixels; leave one of them out")
  return frozenset(name for name, keys in sources.items() if keys)


def _split_options(config, name, in_memory):
  """Keys that give the training and test pixels of a scene."""
  if name in in_memory:
    return [] if in_memory[name].tested is None else [f"tested of scene {name!r}"]
  options = config.files.get(name, {})
  return [f"files.{name}.{option}" for option in ("test", "split_column") if options.get(option)]


def _source_files(config, names, in_memory):
  listed = [config.files[name] for name in names if name in config.files and name not in in_memory]
  return tuple(Path(options[key]) for options in listed for key in PATHS if options.get(key))


def _band_ranges(config):
  return {name: _band_range(name, options.bands) for name, options in config.files.items() if options.bands}


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


def _sensor(name, simulation):
  if not simulation.centres:
    return sensors.sensor(simulation.sensor)
  if len(simulation.centres) != len(simulation.widths):
    raise RequestError(
      f"simulate.{name} has {len(simulation.centres)} centres "
      f"and {len(simulation.widths)} widths; expected one of each for every band"
    )
  return sensors.Sensor(
    simulation.sensor, np.asarray(simulation.centres, float), np.asarray(simulation.widths, float)
  )

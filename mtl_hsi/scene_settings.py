"""The part of a config that says where scenes come from: from its keys to loaders."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.config_checks import number, one_of, require
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import files, registry, sensors, simulate
from mtl_hsi.scenes.public import PUBLIC_SCENES
from mtl_hsi.scenes.scene import Scene

Loader = Callable[[], Scene]


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
      files.read_scene,
      name,
      cube=Path(own.cube),
      labels=Path(own.labels) if own.labels else None,
      cube_key=own.cube_key or None,
      labels_key=own.labels_key or None,
      sensor=own.sensor or None,
      class_names=None,
      label_column=own.label_column or None,
      classes=Path(own.classes) if own.classes else None,
      **image_options(config, name),
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


def image_options(config: Any, name: str) -> dict[str, Any]:
  """What `scenes.image.Image.open` is told of a scene from files besides file and key.

  Raises:
    RequestError: an option has a value that it cannot have.
  """
  own = config.files[name]
  numbers = {key: number(f"files.{name}.{key}", own[key]) for key in ("nodata", "scale", "offset")}
  for key in ("scale", "offset"):
    fine = numbers[key] is None or (np.isfinite(numbers[key]) and (key == "offset" or numbers[key] != 0))
    require(fine, f"files.{name}.{key}", own[key], "a finite number" + (" but 0" if key == "scale" else ""))
  if own.wavelength_unit:
    one_of(("nm", "um"), f"files.{name}.wavelength_unit", own.wavelength_unit)
  return {
    **numbers,
    "wavelengths": Path(own.wavelengths) if own.wavelengths else None,
    "wavelength_unit": own.wavelength_unit or None,
    "bad_bands": own.bad_bands or None,
  }


def test_loaders(config: Any, names: Sequence[str]) -> Mapping[str, Loader]:
  """How to load the scenes whose test pixels are given, with the labels of these.

  Raises:
    RequestError: the config names a split of its own too.
  """
  given = [name for name in names if name in config.files and config.files[name].get("test")]
  if given and config.split not in ("random", "blocks"):
    raise RequestError(
      f"files.{given[0]}.test gives test pixels, and split={config.split!r} too; leave one of them out"
    )
  loaders = {}
  for name in given:
    tested = config.copy_and_resolve_references()
    tested.files[name].labels, tested.files[name].labels_key = config.files[name].test, ""
    loaders[name] = loader(tested, name, {})
  return loaders


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

"""Trains a run from Python: from images and labels to scenes, and from scenes to a work directory."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import config_dict

from configs import best, fields, letter, own
from mtl_hsi import library
from mtl_hsi.errors import RequestError
from mtl_hsi.estimator import array_images, label_images
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.experiment.scenes_record import digests
from mtl_hsi.runtime import progress
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import image_settings
from mtl_hsi.settings.scene_options import OPTIONS

_RECIPES = {"own": own, "best": best, "fields": fields, "letter": letter}


def scene_of(
  image: Any,
  labels: Any,
  name: str,
  *,
  class_names: Mapping[int, str] | Sequence[str] | None,
  wavelengths: Any,
  widths: Any,
  options: Mapping[str, Any],
) -> Scene:
  """Returns a scene of an image and labels, of which at least one is in memory.

  Args:
    image: see `array_images.opener`.
    labels: see `label_images.read`.
    name: of the scene.
    class_names: see `label_images.read`.
    wavelengths: see `array_images.opener`.
    widths: likewise.
    options: the given options, whose names are in `image_settings.KEYS`.

  Raises:
    RequestError: image, labels or an option are invalid.
  """
  if array_images.path_of(labels) is not None and not array_images.is_dataset(labels):
    raise RequestError(
      "labels are in a file, but the image is not; give the path of the image, or the labels as an array"
    )
  opened = array_images.opener(image, wavelengths, widths)(**image_settings.read(image_keys(options)))
  found = label_images.read(labels, class_names)
  shape = opened.height, opened.width
  if found.ids.shape != shape:
    raise RequestError(
      f"the labels are {found.ids.shape[0]} x {found.ids.shape[1]}, the image is {shape[0]} x "
      f"{shape[1]} pixels; expected one label for each pixel"
    )
  values, missing = opened.read(slice(0, shape[0]), slice(0, shape[1]))
  if missing is not None and missing.all():
    raise RequestError("the image has no measurement: in every pixel, a band is not finite or nodata")
  ids = found.ids if missing is None else np.where(missing, 0, found.ids).astype(np.int32)
  present = set(np.unique(ids).tolist())
  return Scene(
    name,
    np.asarray(values),
    ids,
    {class_id: title for class_id, title in found.names.items() if class_id in present},
    wavelengths=opened.wavelengths,
    widths=opened.widths,
    nodata=missing if missing is not None and missing.any() else None,
    georeference=opened.georeference,
    acquired=opened.acquired,
    remarks=opened.remarks,
  )


def image_keys(options: Mapping[str, Any]) -> dict[str, str]:
  """Returns all `image_settings.KEYS` as text, "" for those that are not given.

  Raises:
    RequestError: there is no such option.
  """
  return {**dict.fromkeys(image_settings.KEYS, ""), **_texts(options, image_settings.KEYS)}


def with_table(wavelengths: Any, options: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
  """Returns wavelengths and options; a CSV file of wavelengths is an option."""
  if isinstance(wavelengths, str | os.PathLike):
    return None, {**options, "wavelengths": os.fspath(wavelengths)}
  return wavelengths, options


def image_options(options: Mapping[str, Any]) -> dict[str, str]:
  """Returns the options of a scene in memory as in a scenes file, which new images take from it."""
  inherited = {key: value for key, value in options.items() if not key.startswith("wavelength")}
  return {**dict.fromkeys(OPTIONS, ""), **_texts(inherited, image_settings.KEYS)}


def files_of(image: Path, labels: Any, options: Mapping[str, Any]) -> dict[str, str]:
  """Returns the options of a scene from files, as in a scenes file.

  Raises:
    RequestError: there is no such option.
  """
  files = {"cube": str(image), "labels": "" if labels is None else str(array_images.path_of(labels))}
  return {**dict.fromkeys(OPTIONS, ""), **files, **_texts(options, OPTIONS)}


def train(
  recipe: str,
  scenes: Sequence[Scene],
  files: Mapping[str, Mapping[str, str]],
  directory: Path,
  options: Mapping[str, Any],
) -> None:
  """Trains a run, or resumes it.

  Args:
    recipe: a name in `_RECIPES`.
    scenes: in memory.
    files: options of images and labels, by name; scenes that are not in memory are read from files.
    directory: the work directory.
    options: values of the config by key, see `library.apply`.

  Raises:
    RequestError: the recipe is unknown, or as `run_experiment`.
  """
  in_memory = {scene.name: scene for scene in scenes}
  names = list(dict.fromkeys([*in_memory, *files]))
  config = _config(recipe, names)
  config.files = {name: dict(found) for name, found in files.items()}
  if scenes:
    # The config has no file names. Without this entry, a different scene of the same name would be accepted.
    config.in_memory = {scene.name: digests(scene) for scene in scenes}
  library.apply(config, options)
  run_experiment(config.lock(), directory, sys.argv, in_memory)


@contextlib.contextmanager
def quietly(quiet: bool) -> Iterator[None]:
  """Suppresses prints and progress bars in the block if `quiet`. Warnings are still logged."""
  if not quiet:
    yield
    return
  with progress.hidden(), contextlib.redirect_stdout(io.StringIO()):
    yield


def _config(recipe: str, names: Sequence[str]) -> config_dict.ConfigDict:
  if recipe not in _RECIPES:
    raise RequestError(f"unknown recipe {recipe!r}; expected one of {', '.join(_RECIPES)}")
  return _RECIPES[recipe].get_config(",".join(names))


def _texts(options: Mapping[str, Any], known: Sequence[str]) -> dict[str, str]:
  """Returns options as text, as configs have them."""
  for key in options:
    if key not in known:
      raise RequestError(f"unknown option {key!r}; expected one of {', '.join(known)}")
  return {key: _text(value) for key, value in options.items()}


def _text(value: Any) -> str:
  return (
    ",".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
  )

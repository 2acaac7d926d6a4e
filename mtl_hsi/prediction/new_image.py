"""Opens an image to predict with the options and the bands of its scene in training."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.prediction import band_choice
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.settings import image_settings


class NewImage(NamedTuple):
  """An opened image, the scene as which it is classified, and what users should know.

  Attributes:
    image: with the bands of `scene`.
    scene: that in training, with `inputs` for the bands of the image.
    notes: one line each.
  """

  image: Image
  scene: TrainedScene
  notes: tuple[str, ...]


def open_image(
  open_with: Callable[..., Image], image_keys: Mapping[str, str], scene: TrainedScene, trained: TrainedRun
) -> NewImage:
  """Opens the image, and chooses the bands that the networks read.

  Args:
    open_with: opens the image with options of `Image.open`.
    image_keys: options by `image_settings.KEYS`; "" for an option that is not given.
    scene: the scene as which it is classified.
    trained: its run.

  Raises:
    RequestError: it cannot be read, or has other bands than the scene.
  """
  image = open_with(**image_settings.read(image_keys))
  inherited = image_settings.inherit(image_keys, scene.image_keys, image.options)
  in_file = ("nodata",) * image.knows_nodata + ("scale", "offset") * image.knows_scale
  replaced = {key: inherited.pop(key) for key in in_file if key in inherited}
  inherited |= _bad_bands(image, scene, inherited.pop("bad_bands", ""), image_keys["bad_bands"])
  if inherited:
    image = open_with(**image_settings.read({**image_keys, **inherited}))
  image, scene, notes = band_choice.choose(image, scene, trained, bool(image_keys["bad_bands"]))
  headings = {"As in training": inherited, "Taken from the file, other than in training": replaced}
  lines = [f"{heading}: {_listed(keys)}" for heading, keys in headings.items() if keys]
  return NewImage(image, scene, (*lines, *(f"note: {text}" for text in (*image.remarks, *notes))))


def _bad_bands(image: Image, scene: TrainedScene, of_user: str, given: str) -> dict[str, str]:
  """Returns the option for the bad bands of training, if the image has these bands and keeps some of them."""
  file = scene.file
  if given or image.bands == scene.inputs.bands:
    # They may be missing in the file already.
    return {}
  if file is not None and file.dropped and len(image.kept) + len(image.dropped) == file.bands:
    wanted = np.setdiff1d(np.arange(file.bands), file.dropped)
    return {"bad_bands": format_bands(np.array(file.dropped))} if set(wanted) <= set(image.kept) else {}
  return {"bad_bands": of_user} if of_user else {}


def _listed(keys: dict[str, str]) -> str:
  return ", ".join(f"{key}={value}" for key, value in keys.items())

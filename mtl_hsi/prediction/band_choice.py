"""Chooses the bands of an image that correspond to those of a scene in training."""

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy import optimize

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.images.image import Image

# How many wavelengths a message names.
_SHOWN = 5


class Choice(NamedTuple):
  """The image and the scene with the same bands, and notes that users should read."""

  image: Image
  scene: TrainedScene
  notes: tuple[str, ...]


def choose(image: Image, scene: TrainedScene, trained: TrainedRun, bad_bands_given: bool) -> Choice:
  """Matches bands by wavelength if image and scene have wavelengths, and else by their numbers.

  By wavelength, each band that the networks read needs a band of its own within half its width.

  Args:
    image: the image.
    scene: the scene as which it is classified.
    trained: its run.
    bad_bands_given: whether the user has listed the bad bands of the image.

  Raises:
    RequestError: a band is missing, or the number of bands differs.
  """
  if image.wavelengths is not None and scene.wavelengths is not None:
    return _by_wavelength(image, scene, trained)
  _check_flags(image, scene, bad_bands_given)
  if image.bands != scene.inputs.bands:
    raise RequestError(
      f"{image.origin} has {image.bands} bands, but scene {scene.name!r} of {trained.path} has "
      f"{scene.inputs.bands}{_of_file(scene)}; use an image of the same sensor, and leave out the bands that "
      "were left out in training (--config.bad_bands=<numbers from 0>)"
    )
  return Choice(image, scene, ())


def _by_wavelength(image: Image, scene: TrainedScene, trained: TrainedRun) -> Choice:
  allowed = band_widths(scene) / 2
  if image.bands == scene.inputs.bands and (np.abs(image.wavelengths - scene.wavelengths) <= allowed).all():
    return Choice(image, scene, ())
  read, position = np.unique(scene.inputs.chosen, return_inverse=True)
  found = _assign(image.wavelengths, scene.wavelengths[read], allowed[read])
  if (found < 0).any():
    raise RequestError(_missing_bands(image, scene, trained, scene.wavelengths[read[found < 0]]))
  others = np.setdiff1d(np.arange(image.bands), found)
  texts = [f"{len(found)} of its {image.bands} bands are used" if len(others) else "all bands are used"]
  if (np.diff(found) < 0).any():
    texts.append("their order is another one")
  inputs = dataclasses.replace(scene.inputs, bands=len(read), chosen=position.astype(np.int32))
  widths = None if scene.widths is None else scene.widths[read]
  matched = dataclasses.replace(scene, inputs=inputs, wavelengths=scene.wavelengths[read], widths=widths)
  note = f"the bands of the image are matched to those of training by wavelength: {', '.join(texts)}"
  return Choice(image.with_bands(found), matched, (note,))


def _assign(centres: np.ndarray, wanted: np.ndarray, allowed: np.ndarray) -> np.ndarray:
  """Returns the index of a different band for each wanted centre, at most `allowed` away; -1 if none is."""
  distance = np.abs(centres - wanted[:, None])
  outside = distance > allowed[:, None]
  # A finite cost, as more bands than the image has may be wanted.
  rows, columns = optimize.linear_sum_assignment(np.where(outside, 1e9, distance))
  found = np.full(len(wanted), -1)
  found[rows] = np.where(outside[rows, columns], -1, columns)
  return found


def _missing_bands(image: Image, scene: TrainedScene, trained: TrainedRun, centres: np.ndarray) -> str:
  listed = ", ".join(f"{centre:.5g}" for centre in centres[:_SHOWN]) + ", ..." * (len(centres) > _SHOWN)
  read = len(np.unique(scene.inputs.chosen))
  dropped = f", without bands {format_bands(image.dropped)} (from 0)" if len(image.dropped) else ""
  return (
    f"{image.origin} lacks bands for {len(centres)} of the {read} that scene {scene.name!r} of "
    f"{trained.path} reads ({listed} nm); its own are at {image.wavelengths.min():.5g} to "
    f"{image.wavelengths.max():.5g} nm{dropped}: use an image of the same sensor, list other bad bands "
    "(--config.bad_bands=none for no bad ones), or give the true wavelengths (--config.wavelengths)"
  )


def _check_flags(image: Image, scene: TrainedScene, bad_bands_given: bool) -> None:
  """Refuses an image whose file has the bands of training, but flags others of them as bad."""
  file = scene.file
  if file is None or bad_bands_given or len(image.kept) + len(image.dropped) != file.bands:
    return
  lost = np.setdiff1d(image.dropped, file.dropped)
  if len(lost):
    same = format_bands(np.array(file.dropped)) if file.dropped else "none"
    raise RequestError(
      f"{image.origin} leaves out bands {format_bands(image.dropped)} (from 0), but the networks read bands "
      f"{format_bands(lost)}; --config.bad_bands={same} uses the same bands as in training"
    )


def _of_file(scene: TrainedScene) -> str:
  if scene.file is None or not scene.file.dropped:
    return ""
  return f" (the {scene.file.bands} of its file without {format_bands(np.array(scene.file.dropped))}, from 0)"


def band_widths(scene: TrainedScene) -> np.ndarray:
  """Returns the width of each band in nm; if unknown, the distance to the nearest other band."""
  if scene.widths is not None:
    return scene.widths
  if len(scene.wavelengths) == 1:
    return np.full(1, np.inf)
  spacing = np.abs(scene.wavelengths - scene.wavelengths.reshape(-1, 1))
  np.fill_diagonal(spacing, np.inf)
  return np.maximum(spacing.min(axis=1), np.finfo(float).tiny)

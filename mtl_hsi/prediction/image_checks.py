"""Checks that an image suits the scene as which it is classified."""

import numpy as np
from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.prediction.windows import Window
from mtl_hsi.runs.trained_run import TrainedRun, TrainedScene
from mtl_hsi.scenes.images.image import Image

# Scaling in training leaves the scene's maximum at 1, or every band with a standard deviation of 1. Scaled
# values above the one bound, or with a range below the other, have another unit.
_LARGEST, _SMALLEST_RANGE = 30.0, 0.003


def check_bands(image: Image, scene: TrainedScene, trained: TrainedRun) -> None:
  """Checks that an image has the bands of the scene; warns if they lie at other wavelengths.

  Raises:
    RequestError: the number of bands differs.
  """
  if image.bands != scene.inputs.bands:
    raise RequestError(
      f"{image.origin} has {image.bands} bands, but scene {scene.name!r} of {trained.directory} has "
      f"{scene.inputs.bands}; expected an image of the same sensor without the same bad bands "
      "(--config.bad_bands)"
    )
  if image.wavelengths is None or scene.wavelengths is None:
    return
  width = _band_widths(scene)
  distance = np.abs(image.wavelengths - scene.wavelengths) / width
  worst = int(np.argmax(distance))
  if distance[worst] > 0.5:
    logging.warning(
      "band %d (from 0) of %s is centred at %.1f nm, but at %.1f nm in training; this is more than half a "
      "band width (%.1f nm) off; do not trust the map unless the wavelengths in the file are wrong",
      worst,
      image.origin,
      image.wavelengths[worst],
      scene.wavelengths[worst],
      width[worst],
    )


def check_unit(window: Window, image: Image, scene: TrainedScene) -> None:
  """Warns if the scaled values of a window are far outside of the range of training, about -5 to 5."""
  margin = (window.padded.shape[0] - window.missing.shape[0]) // 2
  height, width = window.missing.shape
  values = window.padded[margin : margin + height, margin : margin + width][~window.missing]
  low, high = np.percentile(values, (1, 99))
  if max(-low, high) > _LARGEST or high - low < _SMALLEST_RANGE:
    logging.warning(
      "the values of %s, scaled like those of %s in training, range from %.3g to %.3g; if they have another "
      "unit (radiance, reflectance, percent), convert them with --config.scale",
      image.origin,
      scene.name,
      low,
      high,
    )


def _band_widths(scene: TrainedScene) -> np.ndarray:
  """Width of each band in nm; if unknown, the distance to the nearest other band."""
  if scene.widths is not None:
    return scene.widths
  if len(scene.wavelengths) == 1:
    return np.full(1, np.inf)
  spacing = np.abs(scene.wavelengths - scene.wavelengths.reshape(-1, 1))
  np.fill_diagonal(spacing, np.inf)
  return np.maximum(spacing.min(axis=1), np.finfo(float).tiny)

"""Checks that the values of an image suit the scene as which it is classified."""

import numpy as np
from absl import logging

from mtl_hsi.prediction.windows import Window
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.images.image import Image

# Scaling in training leaves the scene's maximum at 1, or every band with a standard deviation of 1. Scaled
# values above the one bound, or with a range below the other, have another unit.
_LARGEST, _SMALLEST_RANGE = 30.0, 0.003
# No ground has the same value in all bands in more than this share of a window.
_LARGEST_SHARE = 0.005


class FillValues:
  """Looks for undeclared nodata values in the windows of an image, and warns of each value once."""

  def __init__(self, image: Image, scene: TrainedScene):
    self._image = image
    declared = () if scene.file is None else scene.file.nodata
    self._of_training = tuple(value for value in declared if not image.has_nodata(value))
    self._warned: set[float] = set()

  def __call__(self, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Returns which pixels may have no measurement, bool `[h, w]`.

    Args:
      values: values of a window, `[h, w, B]`.
      missing: True where nodata is known, `[h, w]`.
    """
    filled = np.zeros(missing.shape, bool)
    for value in self._of_training:
      found = (values == self._image.scaled_value(value)).any(axis=-1) & ~missing
      self._warn(value, found, "in some band, which is nodata in the file of the scene in training")
      filled |= found
    if values.shape[-1] > 1:
      constant = (values == values[..., :1]).all(axis=-1) & ~missing & ~filled
      numbers, counts = np.unique(values[..., 0][constant], return_counts=True)
      for number in numbers[counts > _LARGEST_SHARE * missing.size]:
        found = constant & (values[..., 0] == number)
        self._warn(self._image.stored_value(number), found, "in all bands")
        filled |= found
    return filled

  def _warn(self, value: float, found: np.ndarray, where: str) -> None:
    if value in self._warned or not found.any():
      return
    self._warned.add(value)
    logging.warning(
      "%s has pixels with the value %g %s and does not declare it as nodata, so they are classified; if they "
      "have no measurement, predict with --config.nodata=%g",
      self._image.origin,
      value,
      where,
      value,
    )


def check_unit(window: Window, image: Image, scene: TrainedScene) -> None:
  """Warns if the scaled values of a window are far outside of the range of training, about -5 to 5."""
  margin = (window.padded.shape[0] - window.missing.shape[0]) // 2
  height, width = window.missing.shape
  measured = ~(window.missing | window.filled)
  values = window.padded[margin : margin + height, margin : margin + width][measured]
  if not values.size:
    return
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

"""The bands shown as red, green and blue."""

import numpy as np

from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene

# Centres of red, green and blue in nm.
_TRUE_COLOUR = (640.0, 550.0, 470.0)

# Public scenes whose bands suit other scenes of the same sensor.
_SENSORS = {"AVIRIS": PUBLIC_SCENES["salinas"], "ROSIS": PUBLIC_SCENES["pavia_university"]}


def false_colour_bands(scene: Scene) -> tuple[int, int, int]:
  """Returns bands close to true colour by wavelength or sensor, or else three spread over the range."""
  if is_public(scene):
    return PUBLIC_SCENES[scene.name].false_colour_bands
  count = scene.cube.shape[2]
  if scene.wavelengths is not None:
    return true_colour_bands(scene.wavelengths)
  if scene.sensor in _SENSORS and count > max(_SENSORS[scene.sensor].false_colour_bands):
    return _SENSORS[scene.sensor].false_colour_bands
  return spread_bands(count)


def true_colour_bands(wavelengths: np.ndarray) -> tuple[int, int, int]:
  """Returns the bands closest to red, green and blue, of wavelengths in nm `[B]`."""
  return tuple(int(np.argmin(np.abs(wavelengths - colour))) for colour in _TRUE_COLOUR)


def spread_bands(count: int) -> tuple[int, int, int]:
  """Returns three bands spread over the range, the last ones as red."""
  return (3 * count // 4, count // 2, count // 4)

"""The unit of a library's values beside that of a scene: reflectance of 0 to 1, percent, or times 10,000."""

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.cube import Cube, lines

# Values of a reflectance of 1, and up to which 99th percentile values count as such.
_UNITS = ((1.0, 2.0), (100.0, 200.0), (10_000.0, 30_000.0))
# Medians that differ by more in the same unit are not of the same quantity.
_FARTHEST = 8.0
_PIXELS = 20_000


def scale_to_scene(spectra: np.ndarray, cube: Cube, nodata: np.ndarray | None, where: str) -> float:
  """Returns the factor from the values of a library to those of a scene.

  Args:
    spectra: resampled to the bands of the scene `[n, B]`.
    cube: of the scene.
    nodata: pixels without a measurement, or None.
    where: the library, for messages.

  Raises:
    RequestError: the values of one are no reflectance, or differ too much in the same unit.
  """
  pixels = _sample(cube, nodata)
  units = [_unit(values) for values in (pixels, spectra)]
  medians = [float(np.median(values)) for values in (pixels, spectra)]
  advice = (
    "give the factor from the values of the library to those of the scene as library_scale, such as 10000 "
    "for a library of 0 to 1 and a scene of 0 to 10,000"
  )
  if None in units:
    which, values = (("scene", pixels), ("library", spectra))[units.index(None)]
    raise RequestError(
      f"{where}: the values of the {which}, up to {np.percentile(values, 99):.4g}, are no reflectance of 0 "
      f"to 1, percent or times 10,000; {advice}"
    )
  factor = units[0] / units[1]
  scaled = medians[1] * factor
  if not (medians[0] > 0 and scaled > 0 and 1 / _FARTHEST < scaled / medians[0] < _FARTHEST):
    raise RequestError(
      f"{where}: the median is {medians[1]:.4g} in the library and {medians[0]:.4g} in the scene, which is "
      f"not explained by a unit of reflectance; {advice}"
    )
  return factor


def _unit(values: np.ndarray) -> float | None:
  high = np.percentile(values, 99)
  return next((unit for unit, limit in _UNITS if 0 < high <= limit), None)


def _sample(cube: Cube, nodata: np.ndarray | None) -> np.ndarray:
  """Returns the values of evenly spaced measured pixels, `[n, B]`."""
  measured = np.ones(cube.shape[:2], bool) if nodata is None else ~nodata
  step = max(1, int(measured.sum()) // _PIXELS)
  taken, position = [], 0
  for row, mask in lines(cube, measured):
    pixels = row[mask]
    taken.append(pixels[-position % step :: step])
    position += len(pixels)
  return np.concatenate(taken)

"""The band centres and widths that are plausible in nm; values outside are in another unit."""

import numpy as np

# No imager measures below 100 nm. In micrometres, all centres up to the thermal infrared are below 100.
SHORTEST = 100.0
LONGEST = 1000 * SHORTEST
# No imager has narrower bands. In micrometres, bands are narrower than 0.1.
_NARROWEST = 0.1


def are_plausible_centres(centres: np.ndarray) -> bool:
  """Returns whether all centres `[B]` lie within the limits."""
  return bool(centres.min() >= SHORTEST and centres.max() <= LONGEST)


def are_plausible_widths(widths: np.ndarray, centres: np.ndarray) -> bool:
  """Returns whether widths `[B]` are those of bands with the centres `[B]`, both in nm."""
  return bool(widths.max() >= _NARROWEST and (widths < centres).all())

"""Which centres and widths bands can have in nm; other ones are of another unit."""

import numpy as np

# In micrometres the thermal infrared ends below; in nm the ultraviolet starts above.
SHORTEST = 100.0
# The thermal infrared, likewise.
LONGEST = 1000 * SHORTEST
# No imaging sensor has narrower bands; in micrometres all are.
_NARROWEST = 0.1


def are_centres(centres: np.ndarray) -> bool:
  """Whether all centres `[B]` are light."""
  return bool(centres.min() >= SHORTEST and centres.max() <= LONGEST)


def are_widths(widths: np.ndarray, centres: np.ndarray) -> bool:
  """Whether widths `[B]` can be those of bands with these centres `[B]`."""
  return bool(widths.max() >= _NARROWEST and (widths < centres).all())

"""Common bands of scenes of different sensors, and the weights that resample each scene to them.

A common band has a centre and a Gaussian response. A scene's spectrum is taken
as the line through its bands in the order of their centres, which need not be
that of the file, and is averaged with the Gaussian that widens the scene's own
response to the common band's. So a constant stays constant and a line a line,
no weight is negative, and a narrow feature has the same width in every scene.
What a scene does not measure, beyond its ends and in its gaps, no common band
reads.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Scene

# Full width at half maximum of a Gaussian of standard deviation 1.
_FWHM = 2 * np.sqrt(2 * np.log(2))
# Neighbours further apart than this times their width, or usual spacing, leave a gap: one band may be
# missing between them, two may not.
_GAP = 2.5
# A Gaussian is cut here, in standard deviations, and read at as many places.
_CUT = 3.0
_PLACES = 101


class SpectralBands(NamedTuple):
  """SpectralBands of a sensor.

  Attributes:
    centres: in nm, float64 `[b]`, in any order.
    widths: full widths at half maximum in nm, float64 `[b]`.
  """

  centres: np.ndarray
  widths: np.ndarray


def bands_of(scene: Scene, chosen: np.ndarray) -> SpectralBands:
  """SpectralBands of a scene; widths that are not known are taken from the spacing.

  Args:
    scene: with wavelengths.
    chosen: which of its bands, int `[b]`.

  Raises:
    RequestError: the scene has no wavelengths, or all bands have the same.
  """
  if scene.wavelengths is None:
    raise RequestError(
      f"scene {scene.name!r} has no wavelengths, which alignment=wavelength needs: give its bands' centres "
      f"as a CSV file, --config.files.{scene.name}.wavelengths=<path>, or align by index"
    )
  centres = scene.wavelengths[chosen].astype(np.float64)
  if len(np.unique(centres)) < 2:
    raise RequestError(
      f"scene {scene.name!r}: all {len(chosen)} bands used are at {centres[0]:g} nm; alignment=wavelength "
      "needs two wavelengths at least"
    )
  widths = _spacing(centres) if scene.widths is None else scene.widths[chosen].astype(np.float64)
  return SpectralBands(centres, widths)


def common_bands(scenes: Mapping[str, SpectralBands], grid: np.ndarray | None) -> SpectralBands:
  """The bands to which all scenes are resampled, in ascending order.

  Without a grid they are the bands of the coarsest sensor, the one with fewest
  bands in the range that all scenes share; of bands nearer to each other than
  half their width, where detectors overlap, only the first. A common band is
  as wide as the widest scene's there, and as the spacing of a grid. SpectralBands in a
  gap of any scene are left out, as are those of a grid beyond the shared range.

  Args:
    scenes: bands of every scene, by name.
    grid: centres in nm, or None.

  Raises:
    RequestError: no band is left; names the scenes' ranges.
  """
  low = max(own.centres.min() for own in scenes.values())
  high = min(own.centres.max() for own in scenes.values())
  if grid is None:
    shared = [np.unique(own.centres[(own.centres >= low) & (own.centres <= high)]) for own in scenes.values()]
    centres, narrowest = min(shared, key=len), 0.0
  else:
    centres = np.unique(grid)
    narrowest = _spacing(centres) if len(centres) > 1 else 0.0
  widths = np.max(
    [np.broadcast_to(narrowest, centres.shape), *(_widths_at(o, centres) for o in scenes.values())], axis=0
  )
  kept = np.all([_distance_to_end(own, centres) >= 0 for own in scenes.values()], axis=0)
  if grid is None:
    kept &= _apart(centres, widths)
  if not kept.any():
    ranges = ", ".join(f"{name!r} {range_of(own)}" for name, own in scenes.items())
    asked = "" if grid is None else f" with the grid of {centres[0]:g} to {centres[-1]:g} nm"
    raise RequestError(
      f"the scenes have no wavelengths in common{asked}: {ranges}; train them apart, or without "
      "alignment=wavelength"
    )
  return SpectralBands(centres[kept], widths[kept])


def range_of(bands: SpectralBands) -> str:
  """Their range in words: "400 to 2500 nm"."""
  return f"{bands.centres.min():.5g} to {bands.centres.max():.5g} nm"


def resampling(own: SpectralBands, common: SpectralBands) -> np.ndarray:
  """Weights of a scene's bands in every common band; they sum to 1.

  With the common band's width F and, of the scene around it, width w and
  spacing d, the averaging Gaussian has the variance (F^2 - w^2) / 5.545 - d^2 / 6:
  the line between bands has widened the response by the last term. Where that
  is negative the line itself is read. Near an end or a gap of the scene the
  Gaussian is cut on both sides alike, which keeps a line a line.

  Args:
    own: bands of the scene.
    common: from `common_bands`.

  Returns:
    float32 `[b, B]`.
  """
  nodes, node_of_band, shared_by = np.unique(own.centres, return_inverse=True, return_counts=True)
  steps = np.interp(common.centres, nodes, _spacing(nodes))
  variance = (common.widths**2 - _widths_at(own, common.centres) ** 2) / _FWHM**2 - steps**2 / 6
  deviation = np.sqrt(np.maximum(variance, 0))
  reach = np.minimum(_CUT * deviation, _distance_to_end(own, common.centres))
  places = reach[:, None] * np.linspace(-1, 1, _PLACES)
  shares = np.exp(-0.5 * (places / np.where(deviation > 0, deviation, 1)[:, None]) ** 2)
  shares /= shares.sum(axis=1, keepdims=True)
  places += common.centres[:, None]
  upper = np.searchsorted(nodes, places, side="right").clip(1, len(nodes) - 1)
  fraction = ((places - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])).clip(0, 1)
  weights = np.zeros((len(nodes), len(common.centres)))
  channel = np.broadcast_to(np.arange(len(common.centres))[:, None], upper.shape)
  np.add.at(weights, (upper - 1, channel), shares * (1 - fraction))
  np.add.at(weights, (upper, channel), shares * fraction)
  # SpectralBands of one centre share its weight.
  return (weights / shared_by[:, None])[node_of_band].astype(np.float32)


def _spacing(centres):
  """Usual distance of neighbours around every band: a median, to which gaps and overlaps do not count."""
  nodes, node_of_band = np.unique(centres, return_inverse=True)
  steps = np.diff(nodes)
  usual = ndimage.median_filter(np.append(steps, steps[-1]), size=5, mode="nearest")
  return usual[node_of_band]


def _widths_at(own, centres):
  """Width of the scene's bands around other centres; of bands at one centre their mean."""
  nodes, node_of_band, counts = np.unique(own.centres, return_inverse=True, return_counts=True)
  return np.interp(centres, nodes, np.bincount(node_of_band, own.widths) / counts)


def _distance_to_end(own, centres):
  """Distance to the nearest end or gap of what the scene measures; negative beyond it."""
  nodes = np.unique(own.centres)
  wide = np.maximum(_widths_at(own, nodes), _spacing(nodes))
  gaps = np.flatnonzero(np.diff(nodes) > _GAP * np.maximum(wide[1:], wide[:-1]))
  firsts, lasts = nodes[[0, *(gaps + 1)]], nodes[[*gaps, -1]]
  # A centre lies in one stretch at most; the others are behind or before it.
  return np.minimum(centres[:, None] - firsts, lasts - centres[:, None]).max(axis=1)


def _apart(centres, widths):
  """Of bands nearer to each other than half their width, only the first."""
  kept, last = [], -np.inf
  for centre, width in zip(centres, widths, strict=True):
    kept.append(centre - last >= width / 2)
    last = centre if kept[-1] else last
  return np.array(kept, bool)

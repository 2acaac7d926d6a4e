"""Common bands of scenes of different sensors, and the weights that resample each scene to them.

A common band has a centre and a Gaussian response. The spectrum of a scene is interpolated linearly between
its bands, in the order of their centres (not of the file), and averaged with the Gaussian that widens the
response of the scene's band to that of the common band. So constant and linear spectra do not change, no
weight is negative, and a narrow feature has the same width in every scene. Common bands do not read
wavelengths that a scene does not measure, beyond its ends or in its gaps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.wavelengths import UNUSED
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.spectral_response import usual_spacing

# Full width at half maximum of a Gaussian of standard deviation 1.
_FWHM = 2 * np.sqrt(2 * np.log(2))
# There is a gap between neighbours that are further apart than this multiple of their width or of the usual
# spacing: a single band may be missing between them, two may not.
_GAP = 2.5
# A Gaussian is cut off here, in standard deviations, and evaluated at this number of places.
_CUT = 3.0
_PLACES = 101


class SpectralBands(NamedTuple):
  """Centres and widths of the bands of a sensor.

  Attributes:
    centres: in nm, float64 `[b]`, in any order.
    widths: full widths at half maximum in nm, float64 `[b]`.
  """

  centres: np.ndarray
  widths: np.ndarray


def bands_of(scene: Scene, chosen: np.ndarray) -> SpectralBands:
  """Returns the bands of a scene; unknown widths are estimated from the spacing.

  Args:
    scene: with wavelengths.
    chosen: indices of the bands to use, int `[b]`.

  Raises:
    RequestError: the scene has no wavelengths, or all bands have the same one.
  """
  if scene.wavelengths is None:
    reason = next((f" ({text})" for text in scene.remarks if text.startswith(UNUSED)), "")
    raise RequestError(
      f"scene {scene.name!r} has no wavelengths{reason}, which alignment=wavelength needs: give its band "
      f"centres as a CSV file, --config.files.{scene.name}.wavelengths=<path>, or align by index"
    )
  centres = scene.wavelengths[chosen].astype(np.float64)
  if len(np.unique(centres)) < 2:
    raise RequestError(
      f"scene {scene.name!r}: all {len(chosen)} bands used are at {centres[0]:g} nm; alignment=wavelength "
      "needs at least two wavelengths"
    )
  widths = usual_spacing(centres) if scene.widths is None else scene.widths[chosen].astype(np.float64)
  return SpectralBands(centres, widths)


def common_bands(scenes: Mapping[str, SpectralBands], grid: np.ndarray | None) -> SpectralBands:
  """Returns the bands to which all scenes are resampled, in ascending order.

  Without a grid, they are the bands of the coarsest sensor: the one with the fewest bands in the range that
  all scenes share. Where bands are closer to each other than half their width, as where detectors overlap,
  only the first is used. The width of a common band is the largest width of any scene at its centre, or the
  spacing of the grid if that is larger. Bands in a gap of any scene or outside the shared range are left out.

  Args:
    scenes: bands of every scene, by name.
    grid: centres in nm, or None.

  Raises:
    RequestError: no band is left; the message has the ranges of the scenes.
  """
  low = max(bands.centres.min() for bands in scenes.values())
  high = min(bands.centres.max() for bands in scenes.values())
  if grid is None:
    shared = [
      np.unique(bands.centres[(bands.centres >= low) & (bands.centres <= high)]) for bands in scenes.values()
    ]
    centres, narrowest = min(shared, key=len), 0.0
  else:
    centres = np.unique(grid)
    narrowest = usual_spacing(centres) if len(centres) > 1 else 0.0
  widths = np.max(
    [np.broadcast_to(narrowest, centres.shape), *(_widths_at(bands, centres) for bands in scenes.values())],
    axis=0,
  )
  kept = np.all([_distance_to_end(bands, centres) >= 0 for bands in scenes.values()], axis=0)
  if grid is None:
    kept &= _without_overlaps(centres, widths)
  if not kept.any():
    ranges = ", ".join(f"{name!r} {range_of(bands)}" for name, bands in scenes.items())
    asked = "" if grid is None else f" with the grid of {centres[0]:g} to {centres[-1]:g} nm"
    raise RequestError(
      f"the scenes have no wavelengths in common{asked}: {ranges}; train them separately or without "
      "alignment=wavelength"
    )
  return SpectralBands(centres[kept], widths[kept])


def range_of(bands: SpectralBands) -> str:
  """Returns the range of the centres as text, such as "400 to 2500 nm"."""
  return f"{bands.centres.min():.5g} to {bands.centres.max():.5g} nm"


def resampling(bands: SpectralBands, common: SpectralBands) -> np.ndarray:
  """Computes the weights of a scene's bands in every common band; they sum to 1.

  F is the width of the common band; w and d are the width and the spacing of the scene's bands around it. The
  averaging Gaussian has the variance (F^2 - w^2) / 5.545 - d^2 / 6; the last term accounts for linear
  interpolation, which widens the response. If the variance is negative, the interpolated spectrum is read
  without averaging. Near an end or a gap of the scene, the Gaussian is cut symmetrically, so that linear
  spectra do not change.

  Args:
    bands: bands of the scene.
    common: from `common_bands`.

  Returns:
    float32 `[b, B]`.
  """
  nodes, node_of_band, shared_by = np.unique(bands.centres, return_inverse=True, return_counts=True)
  steps = np.interp(common.centres, nodes, usual_spacing(nodes))
  variance = (common.widths**2 - _widths_at(bands, common.centres) ** 2) / _FWHM**2 - steps**2 / 6
  deviation = np.sqrt(np.maximum(variance, 0))
  half_width = np.minimum(_CUT * deviation, _distance_to_end(bands, common.centres))
  places = half_width[:, None] * np.linspace(-1, 1, _PLACES)
  shares = np.exp(-0.5 * (places / np.where(deviation > 0, deviation, 1)[:, None]) ** 2)
  shares /= shares.sum(axis=1, keepdims=True)
  places += common.centres[:, None]
  upper = np.searchsorted(nodes, places, side="right").clip(1, len(nodes) - 1)
  fraction = ((places - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])).clip(0, 1)
  weights = np.zeros((len(nodes), len(common.centres)))
  channel = np.broadcast_to(np.arange(len(common.centres))[:, None], upper.shape)
  np.add.at(weights, (upper - 1, channel), shares * (1 - fraction))
  np.add.at(weights, (upper, channel), shares * fraction)
  # Bands with the same centre share its weight.
  return (weights / shared_by[:, None])[node_of_band].astype(np.float32)


def _widths_at(bands, centres):
  """Interpolates the widths of the scene's bands at other centres; equal centres count by their mean."""
  nodes, node_of_band, counts = np.unique(bands.centres, return_inverse=True, return_counts=True)
  return np.interp(centres, nodes, np.bincount(node_of_band, bands.widths) / counts)


def _distance_to_end(bands, centres):
  """Returns the distance to the nearest end or gap of the scene's wavelengths; negative outside of them."""
  nodes = np.unique(bands.centres)
  wide = np.maximum(_widths_at(bands, nodes), usual_spacing(nodes))
  gaps = np.flatnonzero(np.diff(nodes) > _GAP * np.maximum(wide[1:], wide[:-1]))
  firsts, lasts = nodes[[0, *(gaps + 1)]], nodes[[*gaps, -1]]
  # A centre lies in at most one range without gaps; the distances to the other ranges are negative.
  return np.minimum(centres[:, None] - firsts, lasts - centres[:, None]).max(axis=1)


def _without_overlaps(centres, widths):
  """Marks the bands to keep: of bands closer to each other than half their width, only the first."""
  kept, last = [], -np.inf
  for centre, width in zip(centres, widths, strict=True):
    kept.append(centre - last >= width / 2)
    last = centre if kept[-1] else last
  return np.array(kept, bool)
